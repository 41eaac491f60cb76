#!/usr/bin/env python3
"""Strangers at a real server's door: thousands of connections that say nothing, too much, too slowly or nonsense.

    strangers.py --turnout PROGRAM [--seconds 6]

A group of two servers with a key is at rest while strangers keep 1,000 connections to each open, or as many as they are let,
and open a new one for every one that is closed: silent ones, beginnings of TLS that never go on or come byte by byte, hellos
that promise 16 MB, records too large, web requests, and bytes recorded from a good connection. Meanwhile a third server
joins. Checked: descriptors and memory of the servers stay bounded, no server loses sight of another, the third is in
within seconds, and no stranger is ever sent more than a TLS alert.
"""

import argparse
import collections
import os
import pathlib
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time

from servers import Database, Group

CROWD = 1000
MAX_DESCRIPTORS = 64 + 30  # the limit of the link, and what the servers open themselves meanwhile
MAX_GROWTH = 48 << 20  # bytes
ALERT = 7  # bytes of a TLS record that holds an alert


def client_hello(size):
    return b"\x16\x03\x01\x40\x00\x01" + size.to_bytes(3, "big") + b"\x03\x03" + os.urandom(32)


def record(dial):
    """What a good peer says first, as somebody on the wire could have noted it."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        dial(listener.getsockname()[1])
        caller, _ = listener.accept()
        with caller:
            caller.settimeout(5)
            return caller.recv(4096)


class Stranger:
    def __init__(self, port, kind, words):
        self.kind, self.port, self.heard = kind, port, 0
        self.left = words
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.connect_ex(("127.0.0.1", port))
        self.slow = kind == "slow"
        self.next = time.monotonic()

    def speak(self, now):
        """Says some of what is left. False when the connection has ended."""
        try:
            if self.left and now >= self.next:
                said = self.socket.send(self.left[:1] if self.slow else self.left[:65536])
                self.left = self.left[said:]
                self.next = now + (0.1 if self.slow else 0)
            return True
        except BlockingIOError:
            return True
        except OSError:
            return False

    def listen(self):
        try:
            data = self.socket.recv(4096)
            self.heard += len(data)
            return bool(data)
        except BlockingIOError:
            return True
        except OSError:
            return False


class Crowd:
    def __init__(self, ports, recorded):
        self.ports, self.made, self.loud = ports, 0, collections.Counter()
        self.ready, self.all = selectors.DefaultSelector(), set()
        self.kinds = [("silent", b""), ("half", client_hello(508)), ("slow", client_hello(508) + b"x" * 470),
                      ("giant", client_hello(0xffffff) + b"x" * 200_000), ("record", b"\x16\x03\x01\xff\xff" + b"x" * 70_000),
                      ("web", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"), ("replay", recorded)]

    def _come(self):
        kind, words = self.kinds[self.made % len(self.kinds)]
        one = Stranger(self.ports[self.made // len(self.kinds) % len(self.ports)], kind, words)
        self.made += 1
        self.all.add(one)
        self.ready.register(one.socket, selectors.EVENT_READ, one)

    def _go(self, one):
        self.ready.unregister(one.socket)
        one.socket.close()
        self.all.discard(one)
        # A server that goes on with the handshake has said a ServerHello: to nobody here may it do so for good.
        self.loud[one.kind] = max(self.loud[one.kind], one.heard)

    def press(self, seconds, each):
        """For so long; calls `each` some ten times a second, and ends early when it returns true."""
        until, next_look = time.monotonic() + seconds, 0
        while time.monotonic() < until:
            for _ in range(min(100, CROWD * len(self.ports) - len(self.all))):
                self._come()
            now = time.monotonic()
            gone = [key.data for key, _ in self.ready.select(0.002) if not key.data.listen()]
            for one in gone:
                self._go(one)
            for one in list(self.all):
                if one.left and not one.speak(now):
                    self._go(one)
            if now >= next_look:
                next_look = now + 0.1
                if each():
                    return

    def end(self):
        for one in list(self.all):
            self._go(one)


class Size:
    """Descriptors and bytes of a process: at first, and the most since."""

    def __init__(self, pid):
        self.pid = pid
        self.first = self.most = self._read()

    def _read(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        resident = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
        return len(os.listdir(f"/proc/{self.pid}/fd")), resident << 10

    def look(self):
        now = self._read()
        self.most = (max(self.most[0], now[0]), max(self.most[1], now[1]))

    def grown(self):
        return self.most[0] - self.first[0], self.most[1] - self.first[1]


def living(group, names, allowed=("living",)):
    for viewer in names:
        view = group.ask("/api/peers", viewer) or {"peers": []}
        states = {peer["name"]: peer["state"] for peer in view["peers"]}
        if not all(states.get(name) in allowed for name in names):
            return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192), most))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-strangers-"))
    group = Group(options.turnout, folder, Database("sqlite", folder, "strangers"), ["a", "b", "c"], cycle="500ms")
    key = folder / "group.key"
    subprocess.run([options.turnout, "keygen", str(key)], check=True, stdout=subprocess.DEVNULL)
    group.extra = f'key_file = "{key}"\n'
    problems, crowd = [], None
    try:
        recorded = record(lambda port: listen_in(group, port))
        group.kill("c")
        for name in ("a", "b"):
            group.start(name)
        deadline = time.monotonic() + 20
        while not living(group, ["a", "b"]):
            if time.monotonic() > deadline:
                sys.exit(f"wrong: a and b do not meet; logs in {folder}")
            time.sleep(0.1)
        sizes = {name: Size(group.processes[name].pid) for name in ("a", "b")}
        crowd = Crowd([group.ports["a"][1], group.ports["b"][1]], recorded)

        def look():
            for size in sizes.values():
                size.look()
            if not living(group, ["a", "b"], ("living", "suspect")):  # a busy machine makes servers late
                problems.append("a and b lost sight of each other")

        crowd.press(options.seconds / 2, look)
        group.start("c")
        begun = time.monotonic()
        crowd.press(20, lambda: look() or living(group, ["a", "b", "c"]))
        joined = time.monotonic() - begun
        if joined > 10:
            problems.append("c was not in within 10 s")
        crowd.press(options.seconds / 2, look)
        for name, size in sizes.items():
            descriptors, memory = size.grown()
            if descriptors > MAX_DESCRIPTORS or memory > MAX_GROWTH:
                problems.append(f"{name} grew by {descriptors} descriptors and {memory >> 20} MiB")
        loud = {kind: heard for kind, heard in crowd.loud.items() if heard > ALERT and kind != "replay"}
        if loud:
            problems.append(f"strangers were told: {loud}")
        grown = {name: f"{size.grown()[0]} descriptors, {size.grown()[1] >> 20} MiB" for name, size in sizes.items()}
        print(f"{crowd.made} strangers; servers grew by {grown}; a third was in after {joined:.1f} s: "
              + ("; ".join(sorted(set(problems))) or "nobody got in, nobody was kept out"))
    finally:
        if crowd:
            crowd.end()
        group.end()
        if not problems:
            subprocess.run(["rm", "-rf", str(folder)], check=False)
    sys.exit(1 if problems else 0)


def listen_in(group, port):
    """Has server c dial that port, for as long as its first words take."""
    real = group.addresses
    group.addresses = lambda name: f'listen = ["127.0.0.1:0"]\nseeds = ["127.0.0.1:{port}"]'
    group.start("c")
    group.addresses = real


if __name__ == "__main__":
    main()
