#!/usr/bin/env python3
"""How soon an event reaches its action: from sending it to a server until the webhook that it asks for is called.

    events.py --turnout PROGRAM [--database sqlite|postgresql] [--peers 3] [--events 300] [--pause 0.05]

Real servers on loopback, at rest but for the events, which are sent one by one with pauses of `pause` to twice as many
seconds, in turns to the track's owner and to another server. PostgreSQL is the server that TURNOUT_TEST_PG names. Each event
makes an entry, whose first step calls a webhook: it is recorded, gathered, cut, decided, committed, handed out by the
master, taken and sent. Or (`--what wait`) it ends the wait of an entry, and (`--what chain`) it makes an entry that puts the
contact on a second track, whose first step calls the webhook.

Prints a line of JSON: milliseconds from just before the request to the call, by where the event was sent, and to the answer
of the request.
"""

import argparse
import http.server
import json
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/faults"))
from servers import Database, Group  # noqa: E402

PATIENCE_S = 10
CALL = '    call webhook "sales" with { "n": entry.n }\n    stop as "called"\n'
TRACKS = {
    "enter": ['track "Events"\n  gather on "ping"\n    for each event.n\n    start at "Call"\n\nstep "Call"\n  otherwise:\n' + CALL],
    "wait": ['track "Events"\n  gather on "begun"\n    for each event.n\n    start at "Wait"\n\nstep "Wait"\n'
             '  on "ping" where event.n is entry.n:\n' + CALL],
    "chain": ['track "Events"\n  gather on "ping"\n    start at "Put"\n\nstep "Put"\n  otherwise:\n'
              '    put on track "Second"\n    stop as "put"\n',
              'track "Second"\n  gather on "never"\n    start at "Call"\n\nstep "Call"\n  otherwise:\n'
              '    call webhook "sales" with { "n": key }\n    stop as "called"\n'],
}


class Receiver(http.server.ThreadingHTTPServer):
    """Notes when each webhook came."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        self.came, self.condition = {}, threading.Condition()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            now = time.monotonic()
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with self.server.condition:
                self.server.came[str(body["data"]["n"])] = now
                self.server.condition.notify_all()
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    def wait(self, which):
        with self.condition:
            if not self.condition.wait_for(lambda: which in self.came, PATIENCE_S):
                sys.exit(f"no webhook for event {which} within {PATIENCE_S} s")
            return self.came[which]


def spread(values):
    ordered = sorted(values)
    return {"p50": round(statistics.median(ordered), 1), "p90": round(ordered[int(0.9 * len(ordered))], 1),
            "p99": round(ordered[int(0.99 * len(ordered))], 1), "max": round(ordered[-1], 1)}


class Run:
    def __init__(self, options):
        self.options, self.dice = options, random.Random(1)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-events-"))
        self.names = [chr(ord("a") + i) for i in range(options.peers)]
        self.receiver = Receiver()
        self.database = Database(options.database, self.folder, "events")
        sink = {"host": "127.0.0.1", "smtp": 9, "http": self.receiver.server_address[1]}
        self.group = Group(options.turnout, self.folder, self.database, self.names, sink=sink, cycle="1s")

    def send(self, name, event, key, properties):
        body = json.dumps({"source": "bench", "events": [{"key": key, "event": event, "properties": properties}]}).encode()
        request = urllib.request.Request(self.group.url(name) + "/api/events", body, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            answer.read()

    def start(self):
        for name in self.names:
            self.group.start(name)
        self.group.wait_ready()
        for number, text in enumerate(TRACKS[self.options.what]):
            track = self.folder / f"{number}.track"
            track.write_text(text)
            self.group.command("apply", str(track))
        deadline = time.monotonic() + 30
        while not (self.group.complete() and self.group.owner("Events") in self.names):
            if time.monotonic() > deadline:
                sys.exit("the track has no owner")
            time.sleep(0.1)
        time.sleep(6)  # tracks are spread

    def measure(self):
        owner = self.group.owner("Events")
        other = next(name for name in self.names if name != owner) if len(self.names) > 1 else owner
        called, answered = {"owner": [], "other": []}, []
        for n in range(self.options.events):
            if self.options.what == "wait":
                self.send(owner, "begun", f"c{n}", {"n": n})
                time.sleep(0.6)
            time.sleep(self.options.pause * (1 + self.dice.random()))
            where = "owner" if n % 2 == 0 else "other"
            began = time.monotonic()
            self.send(owner if where == "owner" else other, "ping", f"c{n}", {"n": n})
            answered.append((time.monotonic() - began) * 1e3)
            key = f"c{n}" if self.options.what == "chain" else str(n)
            called[where].append((self.receiver.wait(key) - began) * 1e3)
        if self.group.owner("Events") != owner:
            sys.exit("the track has changed hands")
        return {"answer_ms": spread(answered), **{f"{where}_ms": spread(times) for where, times in called.items()},
                "owner_is_master": self.group.master() == owner}

    def end(self):
        self.group.end()
        self.database.drop()
        subprocess.run(["rm", "-rf", str(self.folder)], check=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--peers", type=int, default=3)
    parser.add_argument("--events", type=int, default=300)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds, at least, between an action and the next event")
    parser.add_argument("--what", choices=sorted(TRACKS), default="enter")
    options = parser.parse_args()
    run = Run(options)
    try:
        run.start()
        figures = run.measure()
    finally:
        run.end()
    print(json.dumps({"bench": "events", "what": options.what, "database": options.database, "peers": options.peers,
                      "events": options.events, **figures}))


if __name__ == "__main__":
    main()
