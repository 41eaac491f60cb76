"""Real servers on a real database, a mail server and a webhook receiver, for the fault tests and benchmarks.

Nothing here checks anything: it starts, asks, kills and ends. Every process is one that was started here.
"""

import json
import os
import pathlib
import random
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from postgres import Psql

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Database:
    """Read-only questions to the database, past the servers."""

    def __init__(self, kind, folder, name):
        self.kind = kind
        if kind == "sqlite":
            self.path = folder / f"{name}.db"
            self.url = f"sqlite:{self.path}"
        else:
            server = os.environ["TURNOUT_TEST_PG"]
            self.name = f"{name}_{os.getpid()}"
            self._psql(server, f"create database {self.name}")
            split = urllib.parse.urlsplit(server)
            self.server = server
            self.url = urllib.parse.urlunsplit(split._replace(path="/" + self.name))
            if not split.netloc:
                self.url = self.url.replace("postgresql:/", "postgresql:///", 1) if ":///" not in self.url else self.url

    def _psql(self, url, sql):
        done = subprocess.run(["psql", "-qAtX", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", url, "-c", sql],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"psql: {done.stderr}")
        return [line.split("\x1f") for line in done.stdout.splitlines()]

    def rows(self, sql):
        if self.kind == "sqlite":
            # Reading past the servers takes no lock of theirs, writes nothing and never checkpoints.
            connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)
            try:
                return [[("" if v is None else str(v)) for v in row] for row in connection.execute(sql)]
            finally:
                connection.close()
        return self._psql(self.url, sql)

    def psql(self):
        """A connection of its own that stays; PostgreSQL only."""
        return Psql(self.url)

    def keep(self, folder):
        """What is in it stays in that folder, for whoever looks into a failure."""
        if self.kind == "postgresql":
            with open(folder / "database.sql", "w", encoding="utf-8") as dump:
                subprocess.run(["pg_dump", self.url], stdout=dump, check=False)

    def drop(self):
        if self.kind == "postgresql":
            self._psql(self.server, f"drop database if exists {self.name} with (force)")


class Group:
    """Servers of one peer group, by name. `sink` is what start_sink() gives, or None when nothing is sent.

    `network` (network.py) gives each server a host of its own; without one all are on loopback.
    """

    def __init__(self, program, folder, database, names, sink=None, cycle="500ms", templates=(), network=None):
        self.program, self.folder, self.database, self.names = program, folder, database, list(names)
        self.sink, self.cycle, self.network = sink, cycle, network
        self.ports = {name: (free_port(), free_port()) for name in self.names}
        self.processes = {}
        self.extra = ""  # lines for the [group] of each configuration
        if network is not None:
            key = folder / "group.key"
            subprocess.run([program, "keygen", str(key)], check=True, stdout=subprocess.DEVNULL)
            self.extra = f'key_file = "{key}"\n'
        (folder / "templates").mkdir()
        for name in templates:
            (folder / "templates" / f"{name}.txt").write_text(f"Subject: {name}\n\nDear {{{{ key }}}}, {name}.\n")

    def configure(self, name):
        """Writes the server's configuration, and returns where."""
        http, _ = self.ports[name]
        config = self.folder / f"{name}.toml"
        config.write_text(f"""
name = "{name}"
database = "{self.database.url}"
listen = "{self.host(name)}:{http}"
allow_remote = {"true" if self.network else "false"}
templates = "{self.folder / 'templates'}"
[group]
{self.addresses(name)}
cycle = "{self.cycle}"
{self.extra}""" + self._deliveries())
        return config

    def start(self, name):
        config = self.configure(name)
        log = open(self.folder / f"{name}.log", "a")
        command = [self.program, "serve", "--config", str(config)]
        if self.network is not None:
            command = self.network.inside(name) + command
        # What is meant for the tests is no configuration of the server.
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TURNOUT_")}
        self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                                env=environment)

    def addresses(self, name):
        """The lines of [group] that say where this server listens and whom it dials."""
        seeds = ", ".join(f'"{self.host(n)}:{p}"' for n, (_, p) in self.ports.items())
        return f'listen = ["{self.host(name)}:{self.ports[name][1]}"]\nseeds = [{seeds}]'

    def host(self, name):
        return "127.0.0.1" if self.network is None else self.network.address(name)

    def url(self, name):
        return f"http://{self.host(name)}:{self.ports[name][0]}"

    def signal(self, name, number):
        os.kill(self.processes[name].pid, number)

    def _deliveries(self):
        if self.sink is None:
            return "[deliver]\nthreads = 0\n"
        return f"""[smtp]
url = "smtp://{self.sink['host']}:{self.sink['smtp']}"
from = "Turnout <turnout@example.com>"
[webhooks.sales]
url = "http://{self.sink['host']}:{self.sink['http']}/sales"
"""

    def kill(self, name):
        process = self.processes[name]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def ask(self, path, *names):
        """The answer of the first server (of those named) that gives one, or None."""
        for name in names or self.names:
            try:
                with urllib.request.urlopen(self.url(name) + path, timeout=2) as answer:
                    return json.load(answer)
            except (OSError, urllib.error.URLError, ValueError):
                continue
        return None

    def wait_ready(self, patience=30, names=None):
        """Until these are ready, by default all."""
        names = self.names if names is None else names
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            ready = 0
            for name in names:
                try:
                    urllib.request.urlopen(self.url(name) + "/readyz", timeout=2)
                    ready += 1
                except (OSError, urllib.error.URLError):
                    pass
            if ready == len(names):
                return
            time.sleep(0.1)
        sys.exit("the servers are not ready; their logs are in " + str(self.folder))

    def command(self, *arguments):
        """Runs a command of the program against a living server, trying again while servers come and go."""
        for _ in range(20):
            for name in self.names:
                done = subprocess.run([self.program, *arguments, "--server", self.url(name)],
                                      capture_output=True, text=True)
                if done.returncode == 0:
                    return
                if done.returncode != 3:
                    sys.exit(f"{arguments}: {done.stdout}{done.stderr}")
            time.sleep(0.2)
        sys.exit(f"{arguments}: no server answers")

    def transitions(self, kind):
        """How often the living servers have seen that kind of change in their group, by their metrics, in all."""
        return int(self.metric(f'turnout_group_transitions_total{{transition="{kind}"}}'))

    def metrics(self, name):
        """What a server tells Prometheus."""
        with urllib.request.urlopen(self.url(name) + "/metrics", timeout=2) as answer:
            return answer.read().decode()

    def metric(self, metric):
        """The sum of that metric over the living servers."""
        count, wanted = 0.0, metric + " "
        for name in self.names:
            try:
                lines = self.metrics(name).splitlines()
            except OSError:
                continue
            count += sum(float(line[len(wanted):]) for line in lines if line.startswith(wanted))
        return count

    def views(self, path="/api/peers"):
        """What each server answers, by name; None for one that gives no answer."""
        return {name: self.ask(path, name) for name in self.names}

    def complete(self):
        """Whether all servers see all of them living, and the same one as master."""
        views = list(self.views().values())
        if not all(views):
            return False
        masters = {p["name"] for view in views for p in view["peers"] if p.get("master")}
        living = [sorted(p["name"] for p in view["peers"] if p["state"] == "living") for view in views]
        return len(masters) == 1 and all(names == sorted(self.names) for names in living)

    def owner(self, track):
        """Name of the track's owner as a server knows it, or None."""
        tracks = (self.ask("/api/tracks") or {}).get("tracks", [])
        return next((t.get("owner") for t in tracks if t.get("name") == track), None)

    def master(self):
        peers = (self.ask("/api/peers") or {}).get("peers", [])
        return next((p["name"] for p in peers if p.get("master")), None)

    def declare(self, fields):
        url = self.url(self.names[0]) + "/api/fields"
        request = urllib.request.Request(url, json.dumps({"fields": fields}).encode(),
                                         {"Content-Type": "application/json"})
        urllib.request.urlopen(request, timeout=10).read()

    def end(self):
        for process in self.processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def free_port():
    """Below the ports that outgoing connections take, since a server that was killed wants the same port again."""
    for _ in range(1000):
        with socket.socket() as s:
            try:
                port = random.randrange(15000, 32000)
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    sys.exit("no port is free")


def start_sink(folder, host="127.0.0.1"):
    """A mail server and a webhook receiver at that address, and where they listen: keys host, smtp, http. They end when
    the thread that started them does, whatever it dies of."""
    info = folder / "sink.json"
    process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "/usr/bin/python3", str(ROOT / "scripts/sink.py"),
                                "--info", str(info), "--ids", str(folder / "ids"), "--host", host], stdin=subprocess.DEVNULL)
    for _ in range(100):
        if info.exists() and info.stat().st_size:
            return process, {"host": host, **json.loads(info.read_text())}
        time.sleep(0.1)
    sys.exit("the sink does not start")


def end_of_run(group, sink_process, database, folder, repro, also=()):
    """Ends everything, at last what is in `also`. The folder with the logs stays only after a failure, when `repro` (the command
    that repeats the run; None: all went well) is printed. Returns the exit status."""
    group.end()
    sink_process.terminate()
    sink_process.wait()
    if repro is not None:
        database.keep(folder)
    database.drop()
    for one in also:
        one.end()
    if repro is None:
        subprocess.run(["rm", "-rf", str(folder)], check=False)
        return 0
    print(f"repeat with: {repro}\nlogs and database: {folder}")
    return 1
