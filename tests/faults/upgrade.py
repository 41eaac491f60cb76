#!/usr/bin/env python3
"""Upgrades the servers of a group one by one while contacts run through a track: nothing is lost, done twice or held up.

    upgrade.py --turnout PROGRAM [--old PROGRAM] --database sqlite|postgresql [--seed N] [--rounds 1]

Three servers of the last version: of another program (--old), or of this one told to speak the last protocol version. Each
is asked to leave and started as the new version; then back again, and so on for more rounds. After each step all three must
be living for each other, and no track may have been without an owner for longer than a cycle. In the end the same accounts
as after kills (accounts.py).
"""

import argparse
import pathlib
import random
import sys
import tempfile
import threading
import time

from accounts import Contacts, check, wait_for_the_end
from servers import Database, Group, end_of_run, start_sink

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ["a", "b", "c"]
CYCLE = 1.0  # seconds
LAST_PROTOCOL = 1


class Versions(Group):
    """A group whose servers are of the old or of the new version, each by its name."""

    def start_as(self, name, new, old_program):
        new_program = self.program
        self.extra = "" if new or old_program else f"protocol = {LAST_PROTOCOL}\n"
        self.program = new_program if new or not old_program else old_program
        self.start(name)
        self.program = new_program


def micros(database, column):
    return column if database.kind == "sqlite" else f"(extract(epoch from {column}) * 1000000)::bigint"


def owner_since(database):
    """The track's owner, and when it took the row, in seconds since 1970."""
    row = database.rows(f"select owner, {micros(database, 'since')} from ledger where track_id = 1")[0]
    return row[0], int(row[1]) / 1e6


def wait_for_owner(database):
    deadline = time.monotonic() + 30
    while owner_since(database)[0] not in NAMES:
        if time.monotonic() > deadline:
            sys.exit("nobody owns the track")
        time.sleep(0.05)
    return owner_since(database)[0]


def all_see_all(group):
    """Whether every server takes every other one for living, and there is one master."""
    masters = set()
    for name in NAMES:
        answer = group.ask("/api/peers", name)
        if answer is None or answer["self"] != name:
            return False
        states = {peer["name"]: peer["state"] for peer in answer["peers"]}
        masters.add(answer["master"])
        if any(states.get(other) != "living" for other in NAMES):
            return False
    return len(masters) == 1 and None not in masters


def replace(group, database, name, new, old_program):
    """Ends the server and starts it as the other version. Seconds that its track was without a living owner; None if it was
    another's."""
    held = wait_for_owner(database) == name
    asked = time.time()
    group.processes[name].terminate()
    if group.processes[name].wait(30) != 0:
        sys.exit(f"{name} ended with status {group.processes[name].returncode}")
    deadline = time.monotonic() + 30
    while held and owner_since(database)[0] in (name, ""):
        if time.monotonic() > deadline:
            sys.exit("nobody took the track of a server that left")
        time.sleep(0.02)
    without = owner_since(database)[1] - asked if held else None
    group.start_as(name, new, old_program)
    while not all_see_all(group):
        if time.monotonic() > deadline:
            sys.exit(f"30 s after the upgrade of {name} the group is not whole again: {group.ask('/api/peers')}")
        time.sleep(0.1)
    return without


class Intake(threading.Thread):
    """Contacts come in all the time."""

    def __init__(self, group, contacts, path):
        super().__init__(daemon=True)
        self.group, self.contacts, self.path = group, contacts, path
        self.stopped = threading.Event()

    def run(self):
        while not self.stopped.wait(0.2):
            self.contacts.more(40, self.path)
            self.group.command("import", str(self.path))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--old")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-upgrade-"))
    database = Database(options.database, folder, "upgrade")
    sink_process, sink = start_sink(folder)
    group = Versions(options.turnout, folder, database, NAMES, sink, cycle=f"{CYCLE:g}s", templates=("greet", "again", "bye"))
    failed = True
    try:
        for name in NAMES:
            group.start_as(name, False, options.old)
            time.sleep(0.3)
        group.wait_ready()
        contacts = Contacts(random.Random(options.seed))
        contacts.more(200, folder / "batch.csv")
        group.declare([{"name": "seen", "type": "boolean"}])
        group.command("import", str(folder / "batch.csv"), "--type", "score=number")
        group.command("apply", str(HERE / "kills.track"))
        intake = Intake(group, contacts, folder / "batch.csv")
        intake.start()
        without = []
        for turn in range(options.rounds):
            for name in NAMES:
                without.append(replace(group, database, name, turn % 2 == 0, options.old))
        intake.stopped.set()
        intake.join()
        wait_for_the_end(database, contacts)
        owners = [seconds for seconds in without if seconds is not None]
        longest = max(owners, default=0.0)
        failed = not check(database, contacts, folder / "ids",
                           f"{len(without)} servers replaced by another version, {len(owners)} of them the owner, longest without one "
                           f"{longest * 1000:.0f} ms")
        if not owners:
            print("wrong: no owner was replaced")
            failed = True
        if longest > CYCLE:
            print(f"wrong: a track was without an owner for {longest:.2f} s, more than a cycle")
            failed = True
    finally:
        repro = f"upgrade.py --database {options.database} --rounds {options.rounds} --seed {options.seed}"
        status = end_of_run(group, sink_process, database, folder, repro if failed else None)
    sys.exit(status)


if __name__ == "__main__":
    main()
