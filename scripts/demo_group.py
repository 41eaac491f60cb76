"""The processes of the demo: the mail server and webhook receiver, three peers, and what they say about themselves."""

import json
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import expected_totals

START_SECONDS = 60
STOP_SECONDS = 15
ANSWER_SECONDS = 5


class Trouble(Exception):
    """Something that ends the demo, in one sentence."""


def stop_process(process, seconds):
    """Ends one process that we started, by its id, kindly first."""
    if process is None or process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_ports(number):
    """Ports of loopback that nobody listens on now. All are held until the last is found, so that they differ."""
    held = []
    try:
        for _ in range(number):
            s = socket.socket()
            s.bind(("127.0.0.1", 0))
            held.append(s)
        return [s.getsockname()[1] for s in held]
    finally:
        for s in held:
            s.close()


def get_json(url):
    """What the address answers, or None if it does not."""
    try:
        with urllib.request.urlopen(url, timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return None


class Sink:
    """scripts/sink.py as a process."""

    def __init__(self, folder):
        self._info = folder / "sink-ports.json"
        self._log = folder / "sink.log"
        self._process = None
        self.smtp_port = self.http_port = 0

    def start(self):
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [str(pathlib.Path(__file__).with_name("sink.py")), "--info", str(self._info)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._info.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Trouble(f"the mail server did not start: {self._log.read_text(errors='replace').strip()}")
            time.sleep(0.05)
        ports = json.loads(self._info.read_text(encoding="utf-8"))
        self.smtp_port, self.http_port = ports["smtp"], ports["http"]

    def summary(self):
        answer = get_json(f"http://127.0.0.1:{self.http_port}/summary")
        if answer is None:
            raise Trouble("the mail server does not answer")
        return answer

    def stop(self):
        stop_process(self._process, STOP_SECONDS)


class Now:
    """The run at one moment, from the JSON of one living peer."""

    def __init__(self, peers, progress, report, living):
        self.master = peers["master"]
        self.owner = progress["owner"]
        self.peers = peers["peers"]
        self.living = living
        self.blocks = progress.get("blocks", {})
        self.waiting = report["waiting"]
        self.stopped_as = report["stopped"]
        self.entered = report["entered"]
        self.moves = report["moves"]
        self.stopped = sum(self.stopped_as.values())
        self.actions = expected_totals.actions_of(report)
        self.asked = sum(a["asked"] for a in self.actions)
        self.delivered = sum(a["sent"] + a["uncertain"] + a["failed"] for a in self.actions)

    def is_done(self, contacts):
        return self.entered == self.stopped == contacts and self.delivered == self.asked


class Group:
    """Three peers on one database."""

    NAMES = ("a", "b", "c")

    def __init__(self, program, folder, sink, database, templates):
        self._program = str(program)
        self._folder = folder
        self._database = database or f"sqlite:{folder / 'turnout.db'}"
        self.database_kind = "one PostgreSQL database" if database else "one SQLite file"
        ports = free_ports(2 * len(self.NAMES))
        self._http = dict(zip(self.NAMES, ports))
        self._peer = dict(zip(self.NAMES, ports[len(self.NAMES):]))
        self._processes = {}
        self._killed = set()
        for name in self.NAMES:
            self._config(name).write_text(self._toml(name, sink, templates), encoding="utf-8")

    def _config(self, name):
        return self._folder / f"{name}.toml"

    def _log(self, name):
        return self._folder / f"{name}.log"

    def _toml(self, name, sink, templates):
        seeds = [f"127.0.0.1:{self._peer[n]}" for n in self.NAMES if n != name]
        # JSON's strings and lists are TOML's too.
        return f"""name = {json.dumps(name)}
database = {json.dumps(self._database)}
listen = "127.0.0.1:{self._http[name]}"
templates = {json.dumps(str(templates))}

[group]
listen = ["127.0.0.1:{self._peer[name]}"]
seeds = {json.dumps(seeds)}
cycle = "1s"

[smtp]
url = "smtp://127.0.0.1:{sink.smtp_port}"
from = "Banco Exemplo <deposits@example.com>"

[webhooks.call-centre]
url = "http://127.0.0.1:{sink.http_port}/call-centre"
"""

    def start(self):
        for name in self.NAMES:
            with open(self._log(name), "wb") as log:
                self._processes[name] = subprocess.Popen(
                    [self._program, "serve", "--config", str(self._config(name))],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                )
        deadline = time.monotonic() + START_SECONDS
        for name in self.NAMES:
            while not self._is_ready(name):
                self.check()
                if time.monotonic() > deadline:
                    raise Trouble(f"peer {name} is not ready after {START_SECONDS} s")
                time.sleep(0.1)

    def _is_ready(self, name):
        try:
            with urllib.request.urlopen(f"{self._url(name)}/readyz", timeout=ANSWER_SECONDS):
                return True
        except (OSError, urllib.error.URLError):
            return False

    def _url(self, name):
        return f"http://127.0.0.1:{self._http[name]}"

    def living(self):
        return [n for n in self.NAMES if n in self._processes and self._processes[n].poll() is None]

    def address(self):
        """Of a living peer, for commands."""
        living = self.living()
        if not living:
            raise Trouble("no peer is running")
        return self._url(living[0])

    def check(self):
        """Raises when a peer has ended that was not killed."""
        for name, process in self._processes.items():
            if name not in self._killed and process.poll() is not None:
                raise Trouble(f"peer {name} ended by itself with status {process.returncode}")

    def run(self, *words, capture=False):
        """A command of the program against a living peer; gives what it printed when asked to."""
        done = subprocess.run([self._program, *words, "--server", self.address()], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE if capture else None, text=True, check=False)
        if done.returncode != 0:
            raise Trouble(f"'turnout {words[0]}' ended with status {done.returncode}")
        return done.stdout

    def kill(self, name):
        self._killed.add(name)
        self._processes[name].kill()
        self._processes[name].wait()

    def look(self, track):
        """What the run has come to, or None while that cannot be read. Only the owner knows its blocks."""
        living = self.living()
        path = f"/api/tracks/{urllib.parse.quote(track)}"
        for name in living:
            peers = get_json(f"{self._url(name)}/api/peers")
            report = get_json(f"{self._url(name)}{path}/report")
            progress = get_json(f"{self._url(name)}{path}/progress")
            if peers is None or report is None or progress is None:
                continue
            owner = progress["owner"]
            if owner in living and owner != name:
                progress = get_json(f"{self._url(owner)}{path}/progress") or progress
            return Now(peers, progress, report, living)
        return None

    def show_logs(self, lines=15):
        for name in self.NAMES:
            log = self._log(name)
            if log.exists():
                print(f"-- the last lines of {log}", file=sys.stderr)
                for line in log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]:
                    print(f"   {line}", file=sys.stderr)

    def stop(self):
        for process in self._processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._processes.values():
            stop_process(process, STOP_SECONDS)
