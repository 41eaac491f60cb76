"""An HTTP server on a free port of loopback for tests. Prints its port, then one JSON line per POST.

/status/NNN answers that status, /redirect a 302, /retry 429 with Retry-After: 77, /drop ends the connection without an
answer, /silent never answers, /long a long body; everything else 200.
"""
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # noqa: N802
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(json.dumps({"path": self.path, "headers": dict(self.headers), "body": body,
                          "peer": self.client_address[1]}), flush=True)
        if self.path == "/drop":
            self.close_connection = True
            self.connection.close()
            return
        if self.path == "/silent":
            time.sleep(3600)
        status, answer = 200, b"thanks"
        if self.path.startswith("/status/"):
            status, answer = int(self.path.rsplit("/", 1)[1]), b"be\x01cause \xff"
        if self.path == "/long":
            answer = b"x" * 1_000_000
        if self.path == "/redirect":
            status = 302
        if self.path == "/retry":
            status = 429
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/status/200")
        if status == 429:
            self.send_header("Retry-After", "77")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
