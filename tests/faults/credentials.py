#!/usr/bin/env python3
"""Changes what secures a group of real servers, under them: keys and certificates replaced by SIGHUP, strangers kept out.

    credentials.py --turnout PROGRAM

First three servers with the group's key go from one key to another: old, both with the old one first, both with the new one
first, new; each is told by SIGHUP, one after the other. Then three servers have certificates, made by the very commands of
docs/operations.md; a certificate is renewed, the CA is replaced by another, and a server with a certificate of a stranger's
CA, one with another's certificate, and one with none try to get in. All the while no server may go without another's
advertisement for the miss limit, no track and no master may change hands, and connections may end only where what they were
made with is withdrawn.
"""

import argparse
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

from servers import Database, Group

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAMES = ["a", "b", "c"]
CYCLE_MS = 500
MISS_LIMIT = 4
TRACK = """track "Rest"
  about "Owned, and otherwise at rest."

  gather contacts where score is at least 1000 continuously
    start at "Stop"

step "Stop"
  otherwise:
    stop
"""


class Watch:
    """Asks every server for its view all the time, and keeps what it should not have seen."""

    def __init__(self, group):
        self.group, self.bad, self.longest, self.over = group, [], 0, False
        self.thread = threading.Thread(target=self._watch)
        self.thread.start()

    def _watch(self):
        while not self.over:
            for viewer in NAMES:
                view = self.group.ask("/api/peers", viewer) or {"peers": []}
                found = {peer["name"]: peer for peer in view["peers"]}
                for name in NAMES:
                    state = found.get(name, {}).get("state", "not there")
                    if state not in ("living", "suspect"):  # a machine that is busy makes servers late
                        self.bad.append(f"{viewer} saw {name} as {state}")
                    self.longest = max(self.longest, found.get(name, {}).get("heard_ms") or 0)
            time.sleep(0.02)

    def end(self):
        self.over = True
        self.thread.join()


class Case:
    def __init__(self, program, folder, kind):
        self.folder = folder / kind
        self.folder.mkdir()
        self.database = Database("sqlite", self.folder, kind)
        self.group = Group(program, self.folder, self.database, NAMES, cycle=f"{CYCLE_MS}ms")
        self.lines = {}  # of [group], by server
        self.group.addresses = lambda name, plain=self.group.addresses: plain(name) + "\n" + self.lines[name]
        self.problems = []

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()

    def expect(self, true, words):
        if not true:
            self.problems.append(words)

    def start(self):
        for name in NAMES:
            self.group.start(name)
        self.group.wait_ready()
        self.group.declare([{"name": "score", "type": "number"}])
        track = self.folder / "rest.track"
        track.write_text(TRACK)
        self.group.command("apply", str(track))
        self.wait("all living and the track owned", lambda: self.group.owner("Rest") in NAMES and all(
            peer["state"] == "living" for viewer in NAMES for peer in self.group.ask("/api/peers", viewer)["peers"]))
        time.sleep(2)  # a first spreading is over
        self.ledger = self.database.rows("select track_id, owner, epoch from ledger order by track_id")
        self.watch = Watch(self.group)

    def wait(self, what, condition, patience=20):
        deadline = time.monotonic() + patience
        while not condition():
            if time.monotonic() > deadline:
                sys.exit(f"wrong: not within {patience} s: {what}; logs in {self.folder}")
            time.sleep(0.05)

    def renew(self, name, lines, said):
        """Changes the server's configuration and tells it; it must say so within a second or so."""
        self.lines[name] = lines
        self.group.configure(name)
        before = len(self.log(name))
        self.group.signal(name, signal.SIGHUP)
        self.wait(f"{name} says: {said}", lambda: said in self.log(name)[before:], 5)

    def ends(self):
        return sum(self.log(name).count("connection to peer") for name in NAMES)

    def finish(self, what):
        time.sleep(1)
        self.watch.end()
        for bad in self.watch.bad[:5]:
            self.problems.append(bad)
        self.expect(self.watch.longest < CYCLE_MS * MISS_LIMIT,
                    f"a server did not hear another for {self.watch.longest} ms")
        now = self.database.rows("select track_id, owner, epoch from ledger order by track_id")
        self.expect(now == self.ledger, f"the ledger went from {self.ledger} to {now}")
        for problem in self.problems:
            print("wrong:", problem)
        print(f"{what}: {self.ends()} ends of connections, at most {self.watch.longest} ms between two advertisements: "
              + (f"{len(self.problems)} problems, logs in {self.folder}" if self.problems else "nobody lost sight of another"))
        return not self.problems

    def end(self):
        watch = getattr(self, "watch", None)
        if watch:
            watch.end()
        self.group.end()


def keys(program, folder):
    case = Case(program, folder, "keys")
    try:
        ids = {}
        for which in ("old", "new"):
            path = case.folder / f"{which}.key"
            subprocess.run([program, "keygen", str(path)], check=True, stdout=subprocess.DEVNULL)
            ids[which] = re.search(r"^id (\S+)", path.read_text(), re.MULTILINE).group(1)

        def files(*which):
            return "key_file = [" + ", ".join(f'"{case.folder / w}.key"' for w in which) + "]"

        case.lines = {name: files("old") for name in NAMES}
        case.start()
        case.expect(f"key {ids['old']}" in case.log("c"), "c does not say which key it uses")
        case.renew("a", 'key_file = ["/nowhere/group.key"]', "cannot read the group key")
        for stage, dials in ((("old", "new"), "old"), (("new", "old"), "new")):
            for name in NAMES:
                case.renew(name, files(*stage), f"dials with the key {ids[dials]}")
        case.expect(case.ends() == 0, "connections ended while no key was withdrawn")
        for name in NAMES:
            case.renew(name, files("new"), f"dials with the key {ids['new']}")
            time.sleep(0.5)
        case.expect(case.ends() > 0, "no connection ended though its key was withdrawn")
        case.wait("the new key in use", lambda: all(f"key {ids['new']}" in case.log(name) for name in NAMES))
        return case.finish("keys replaced by SIGHUP")
    finally:
        case.end()


def documented():
    """The commands of docs/operations.md: those for the CA, and those for a peer."""
    text = (ROOT / "docs/operations.md").read_text()
    block = re.search(r"```sh\n(# The group's CA.*?)```", text, re.DOTALL).group(1)
    authority, peer = block.split("# For each peer", 1)
    return authority, "#" + peer


def make(folder, peer=None):
    """A CA in that folder, or with it the certificate of a peer."""
    authority, for_peer = documented()
    script = authority if peer is None else for_peer.replace("peer=a", f"peer={peer}")
    done = subprocess.run(["sh", "-e", "-c", script], cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"the commands of docs/operations.md fail: {done.stderr}")


def lines_of(folder, name, ca):
    return (f'certificate = "{folder / name}.pem"\nprivate_key = "{folder / name}.key"\nca = "{ca}"')


def certificates(program, folder):
    case = Case(program, folder, "certificates")
    try:
        places = {}
        for which in ("first", "second", "stranger"):
            places[which] = case.folder / which
            places[which].mkdir()
            make(places[which])
            for name in NAMES + ["d"]:
                make(places[which], peer=name)
        first, second = places["first"], places["second"]
        both = case.folder / "both.pem"
        both.write_text((first / "ca.pem").read_text() + (second / "ca.pem").read_text())
        case.lines = {name: lines_of(first, name, first / "ca.pem") for name in NAMES}
        case.start()
        # A renewed certificate.
        make(first, peer="a")
        case.renew("a", case.lines["a"], "shows the certificate")
        # Another CA, in the three steps.
        for place, ca in ((first, both), (second, both)):
            for name in NAMES:
                case.renew(name, lines_of(place, name, ca), "shows the certificate")
        case.expect(case.ends() == 0, "connections ended while no certificate was withdrawn")
        for name in NAMES:
            case.renew(name, lines_of(second, name, second / "ca.pem"), "shows the certificate")
            time.sleep(0.5)
        case.expect(case.ends() > 0, "no connection ended though its CA was withdrawn")
        case.renew("b", lines_of(second, "c", second / "ca.pem"), 'is the certificate of the peer "c"')
        metrics(case)
        strangers(case, program, places)
        return case.finish("certificates renewed and their CA replaced by SIGHUP")
    finally:
        case.end()


def metrics(case):
    """The end of a year's certificate is told, and everything that a server tells stands in the documentation."""
    days = (case.group.metric("turnout_certificate_ends_seconds") / len(NAMES) - time.time()) / 86400
    case.expect(364.9 < days < 365.1, f"certificates made for 365 days end in {days:.2f} by the metric")
    told = set(re.findall(r"^# TYPE (\S+)", case.group.metrics("a"), re.MULTILINE))
    written = set(re.findall(r"`(turnout_[a-z_]+)`", (ROOT / "docs/operations.md").read_text()))
    case.expect(len(told) > 10, f"only {len(told)} metrics")
    case.expect(told == written, f"metrics not in docs/operations.md: {told - written}, only there: {written - told}")


def strangers(case, program, places):
    """Each is told why, by the servers' logs or by itself, and is in nobody's view."""
    group = case.group
    trusted = case.folder / "trusted.pem"
    trusted.write_text((places["stranger"] / "ca.pem").read_text() + (places["second"] / "ca.pem").read_text())
    (case.folder / "d").mkdir()
    d = Group(program, case.folder / "d", Database("sqlite", case.folder, "elsewhere"), ["d"], cycle=f"{CYCLE_MS}ms")
    seeds = ", ".join(f'"127.0.0.1:{port}"' for _, port in group.ports.values())

    def attempt(lines, said_by, said):
        d.addresses = lambda name: f'listen = ["127.0.0.1:{d.ports[name][1]}"]\nseeds = [{seeds}]\n{lines}'
        d.start("d")
        logs = {"a": lambda: case.log("a"), "d": lambda: (d.folder / "d.log").read_text()}
        try:
            case.wait(f"{said_by} says: {said}", lambda: said in logs[said_by](), 10)
        finally:
            d.end()

    attempt(lines_of(places["stranger"], "d", trusted), "a", '"CN = d", turnout:turnout/d) is signed by no CA in')
    attempt(lines_of(places["second"], "a", places["second"] / "ca.pem"), "d", 'is the certificate of the peer "a"')
    attempt("", "d", "perhaps its group has a key and this peer has none")
    for name in NAMES:
        case.expect('connected to peer "d"' not in case.log(name), f"{name} let a stranger in")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-credentials-"))
    good = keys(options.turnout, folder)
    good = certificates(options.turnout, folder) and good
    if good:
        subprocess.run(["rm", "-rf", str(folder)], check=False)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
