#!/usr/bin/env python3
"""Does to a real group of servers what happens to servers, while contacts run through a track; then counts.

    nemesis.py --turnout PROGRAM --database sqlite|postgresql [--faults 12] [--minutes N] [--seed N] [--peers 3]

A seed draws the faults: processes killed; stopped for a while (SIGSTOP) and gone on; links cut, one way or both, or losing
packets; a server cut from the database; the database restarted at once, stopped, or its connections ended; its disk full.
Before about half of them a new version of the track is published.
On PostgreSQL each server is a host of its own (tests/faults/in-network.sh, with the server of scripts/with-postgres.sh at
its bridge, and with TURNOUT_PG_DISK=1 on a disk of its own); on SQLite all are on one machine, there are no links to cut,
and only root can fill the disk. accounts.py says what is checked in the end. Then every fault is over, one master and one
owner must be left; and whenever the disk was full, some server must have said so.
"""

import argparse
import os
import pathlib
import random
import signal
import sys
import tempfile
import time

import disk
import network
from accounts import Contacts, check, wait_for_the_end
from pings import Pings
from postgres import Server
from servers import Database, Group, end_of_run, start_sink

HERE = pathlib.Path(__file__).resolve().parent
TRACK = "Kills"
CYCLE = 0.5  # seconds
MISS_LIMIT = 4
OWN_MOUNTS = "TURNOUT_OWN_MOUNTS"  # set where a disk may be mounted


class Nemesis:
    """Each fault is a method that begins it, waits and ends it. Times are drawn in cycles."""

    def __init__(self, dice, group, postgres, full, only):
        self.dice, self.group, self.postgres, self.disk, self.only = dice, group, postgres, full, only
        self.problems, self.published = [], 0
        if postgres:
            postgres.write_late()

    def publish(self):
        """A version that says the same, just before the fault: nobody may miss it."""
        self.published += 1
        path = self.group.folder / "kills.track"
        path.write_text((HERE / "kills.track").read_text().replace('about "', f'about "{self.published}: '))
        self.group.command("apply", str(path))

    def faults(self):
        if self.only:
            return [getattr(self, self.only)]
        faults = [self.kill, self.kill, self.pause, self.pause]
        if self.postgres:
            faults += [self.cut, self.cut_one_way, self.loss, self.cut_database,
                       self.restart_database, self.stop_database, self.end_connections]
        if self.disk:
            faults.append(self.fill_disk)
        return faults

    def strike(self):
        fault = self.dice.choice(self.faults())
        if self.dice.random() < 0.5:
            self.publish()
        print(f"{time.strftime('%H:%M:%S')} {fault()}", flush=True)

    def victim(self):
        choice = self.dice.choice([self.group.owner(TRACK), self.group.master(), self.dice.choice(self.group.names)])
        return choice if choice in self.group.names else self.dice.choice(self.group.names)

    def wait(self, low, high):
        time.sleep(CYCLE * self.dice.uniform(low, high))

    def kill(self):
        victim = self.victim()
        self.group.kill(victim)
        self.wait(0, 6)
        self.group.start(victim)
        return f"killed {victim}"

    def pause(self):
        victim = self.victim()
        self.group.signal(victim, signal.SIGSTOP)
        self.wait(1, 12)
        self.group.signal(victim, signal.SIGCONT)
        return f"stopped {victim} for a while"

    def cut(self):
        victim = self.victim()
        net = self.group.network
        for other in self.group.names:
            if other != victim:
                net.drop(victim, net.address(other))
                net.drop(other, net.address(victim))
        self.wait(1, 12)
        net.heal()
        return f"cut {victim} from the other servers"

    def cut_one_way(self):
        deaf = self.victim()
        net = self.group.network
        others = [other for other in self.group.names if other != deaf]
        for other in self.dice.sample(others, self.dice.randint(1, len(others))):
            net.drop(deaf, net.address(other))
        self.wait(1, 12)
        net.heal()
        return f"{deaf} did not hear some of the others"

    def loss(self):
        share = self.dice.uniform(0.05, 0.5)
        for name in self.group.names:
            self.group.network.drop(name, None, share)
        self.wait(2, 12)
        self.group.network.heal()
        return f"{share:.0%} of all packets lost"

    def cut_database(self):
        victim = self.victim()
        self.group.network.drop(victim, network.HUB)
        self.wait(1, 12)
        self.group.network.heal()
        return f"cut {victim} from the database"

    def restart_database(self):
        with self.postgres.spending_numbers():
            self.wait(0.2, 0.6)
            self.postgres.control("restart", "-m", "immediate")
        return "restarted the database at once"

    def stop_database(self):
        victim = self.victim() if self.dice.random() < 0.5 else None
        with self.postgres.spending_numbers():
            self.wait(0.2, 0.6)
            self.postgres.control("stop", "-m", "immediate")
        if victim:
            self.group.kill(victim)
            self.group.start(victim)  # it waits for the database
        self.wait(1, 12)
        self.postgres.control("start")
        return "stopped the database for a while" + (f", and {victim} began meanwhile" if victim else "")

    def end_connections(self):
        self.postgres.end_connections()
        return "ended all connections to the database"

    def fill_disk(self):
        said, left = self.said(), self.dice.randrange(1 << 18)
        self.disk.fill(left)
        self.wait(6, 16)
        full, until = self.disk.is_full(), time.monotonic() + 20
        while full and self.said() == said and time.monotonic() < until:
            time.sleep(0.2)  # it has only just become full
        says = self.said() - said
        self.disk.empty()
        if self.postgres and not self.postgres.control("status", check=False):
            self.postgres.control("start")  # it gives up when it cannot write its own log
        if full and not says:
            self.problems.append("the disk was full and no server said so")
        return f"left {left:,} bytes on the disk: {'full' if full else 'enough'}; {says} lines in the logs say so"

    def said(self):
        return disk.lines_that_say_so(self.group.folder, self.group.names)


def settled(group, database, patience):
    """None when one master, one living owner and one catalogue are left in time, else what is there instead."""
    deadline = time.monotonic() + patience
    wrong = "nothing"
    while time.monotonic() < deadline:
        views = [group.ask("/api/peers", name) for name in group.names]
        masters = {tuple(p["name"] for p in view["peers"] if p.get("master")) for view in views if view}
        owner = database.rows("select owner from ledger where track_id = 1")[0][0]
        published = int(database.rows("select value from setting where name = 'catalogue_version'")[0][0])
        known = {p["catalogue"] for view in views if view for p in view["peers"] if p["name"] in group.names}
        if (all(views) and len(masters) == 1 and len(next(iter(masters))) == 1 and owner in group.names
                and known == {published}):
            return None
        silent = [name for name, view in zip(group.names, views) if not view]
        wrong = (f"masters {masters}, owner {owner!r}, catalogues {known} of {published}"
                 + (f", no answer from {silent}" if silent else ""))
        time.sleep(0.2)
    return wrong


def disk_of(kind, folder):
    """The disk that the database is on, where it can be filled."""
    (folder / "disk").mkdir()
    if kind == "sqlite":
        return disk.Disk(folder / "disk") if os.environ.get(OWN_MOUNTS) else None
    return disk.Disk(os.environ["TURNOUT_TEST_PG_DATA"]) if os.environ.get("TURNOUT_PG_DISK") else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--faults", type=int, default=12)
    parser.add_argument("--minutes", type=float, help="go on for so long instead of a number of faults")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--peers", type=int, default=3)
    parser.add_argument("--only", help="this fault alone, by the name of its method")
    parser.add_argument("--contacts-per-fault", type=int, default=150)
    options = parser.parse_args()
    if options.database == "sqlite" and os.geteuid() == 0 and not os.environ.get(OWN_MOUNTS):
        os.environ[OWN_MOUNTS] = "1"
        os.execv(HERE / "own-mounts.sh", ["own-mounts.sh", sys.executable, *sys.argv])
    repro = (f"nemesis.py --database {options.database} --faults {options.faults} --seed {options.seed} "
             f"--peers {options.peers}" + (f" --only {options.only}" if options.only else ""))
    dice = random.Random(options.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-nemesis-"))
    names = [chr(ord("a") + i) for i in range(options.peers)]
    real = options.database == "postgresql"
    full = disk_of(options.database, folder)
    net = network.Network(names) if real else None
    database = Database(options.database, folder / "disk", "nemesis")
    sink_process, sink = start_sink(folder, network.HUB if real else "127.0.0.1")
    group = Group(options.turnout, folder, database, names, sink, cycle=f"{int(CYCLE * 1000)}ms",
                  templates=("greet", "again", "bye"), network=net)
    failed, done = True, 0
    try:
        for name in names:
            group.start(name)
        group.wait_ready()
        contacts = Contacts(dice)
        batch = folder / "batch.csv"
        contacts.more(options.contacts_per_fault, batch)
        group.declare([{"name": "seen", "type": "boolean"}])
        group.command("import", str(batch), "--type", "score=number")
        group.command("apply", str(HERE / "kills.track"))
        group.command("apply", str(HERE / "pings.track"))
        pings = Pings(random.Random(options.seed + 1), group)
        pings.start()
        nemesis = Nemesis(dice, group, Server() if real else None, full, options.only)
        until = time.monotonic() + 60 * options.minutes if options.minutes else None
        while (time.monotonic() < until) if until else (done < options.faults):
            contacts.more(options.contacts_per_fault, batch)
            group.command("import", str(batch))
            nemesis.wait(0, 3)
            nemesis.strike()
            done += 1
        wrong = settled(group, database, CYCLE * (MISS_LIMIT + 2) + 10)
        pings.finish()
        wait_for_the_end(database, contacts)
        problems = nemesis.problems + pings.check(database, folder / "ids") + ([f"after the last fault the group is left with {wrong}"] if wrong else [])
        for problem in problems:
            print(f"wrong: {problem}")
        failed = not check(database, contacts, folder / "ids", f"{done} faults") or bool(problems)
    finally:
        also = [net] if net is not None else []
        if full is not None and not real and not failed:  # else the database stays on it
            also.append(full)
        status = end_of_run(group, sink_process, database, folder, repro if failed else None, also)
    sys.exit(status)


if __name__ == "__main__":
    main()
