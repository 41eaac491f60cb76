#!/usr/bin/env python3
"""How long a track stands still when its owner goes: from the kill, leave or cut to the first commit under the new owner.

    failover.py --turnout PROGRAM --database sqlite|postgresql [--how kill|leave|cut] [--cycle 1s] [--trials 200]
                [--peers 3]

Real servers on loopback; every 10 ms another contact's time comes, so that there is always something to commit. Each trial ends the owner's process by SIGKILL, or asks
it to leave by SIGTERM, or cuts its host off from everything (hosts of their own, run under tests/faults/in-network.sh),
reads when the ledger's row was taken and when the first journal entry under the new epoch was
written, both by the database's clock, which on one machine is this program's, and starts the peer again. Prints one line
of JSON, in milliseconds. With --database postgresql the server named by TURNOUT_TEST_PG is used.
"""

import argparse
import datetime
import json
import pathlib
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/faults"))
import network  # noqa: E402
from servers import Database, Group  # noqa: E402

TRACK = "Failover"
EVERY_MS = 10  # between the times of two contacts
SETTLE = 1.5  # seconds that an owner must have worked before it is the next one to go


def micros(database, column):
    """SQL for a column's instant in microseconds since 1970."""
    return column if database.kind == "sqlite" else f"(extract(epoch from {column}) * 1000000)::bigint"


class Watch:
    """Questions to the database about the one track."""

    def __init__(self, database):
        self.database = database
        self.row = f"select owner, epoch, {micros(database, 'since')} from ledger where track_id = 1"

    def ledger(self):
        owner, epoch, since = self.database.rows(self.row)[0]
        return owner, int(epoch), int(since)

    def first_commit_after(self, instant):
        at = micros(self.database, "at")
        rows = self.database.rows(f"select min(a) from (select {at} as a from journal) j where a > {instant}")
        return int(rows[0][0]) if rows[0][0] else None


def until(what, patience=60.0, every=0.02):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        got = what()
        if got:
            return got
        time.sleep(every)
    sys.exit("nothing happened for a minute")


def trial(group, watch, how):
    owner, epoch, _ = watch.ledger()
    was_master = group.master() == owner
    began = time.time()
    if how == "kill":
        group.kill(owner)
    elif how == "cut":
        group.network.isolate(owner)
    else:
        group.processes[owner].terminate()
    taken = until(lambda: next((row for row in [watch.ledger()] if row[1] > epoch and row[0] != owner), None))
    commit = until(lambda: watch.first_commit_after(taken[2]))
    if how == "cut":
        group.network.heal()
    else:
        group.processes[owner].wait()
        group.start(owner)
    return {"taken": taken[2] / 1e3 - began * 1e3, "commit": commit / 1e3 - began * 1e3, "was_master": was_master}


def seconds(duration):
    """"250ms", "15s" as seconds."""
    return float(duration[:-2]) / 1000 if duration.endswith("ms") else float(duration[:-1])


def write_contacts(path, options):
    """Times from when the group works, for as long as the trials take: each ends when all peers are members again."""
    cycle = seconds(options.cycle)
    first = time.time() + 15 + 6 * cycle
    lasts = 60 + 6 * cycle + options.trials * (5 + 1.5 * cycle)
    with open(path, "w") as file:
        file.write("key,ring_at\n")
        for i in range(int(lasts * 1000 / EVERY_MS)):
            at = datetime.datetime.fromtimestamp(first + i * EVERY_MS / 1000, datetime.timezone.utc)
            file.write(f"c{i},{at.isoformat()}\n")


def quantile(values, q):
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--how", choices=["kill", "leave", "cut"], default="kill")
    parser.add_argument("--cycle", default="1s")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--peers", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-failover-"))
    database = Database(options.database, folder, "failover")
    names = [f"p{i}" for i in range(1, options.peers + 1)]
    net = network.Network(names) if options.how == "cut" else None
    group = Group(options.turnout, folder, database, names, cycle=options.cycle, network=net)
    trials = []
    try:
        for name in names:
            group.start(name)
        group.wait_ready(120)
        people = folder / "people.csv"
        write_contacts(people, options)
        group.command("import", str(people), "--type", "ring_at=timestamp")
        group.command("apply", str(ROOT / "bench/failover.track"))
        watch = Watch(database)
        until(lambda: watch.first_commit_after(0), 180)
        for number in range(options.trials):
            time.sleep(SETTLE)
            group.wait_ready(600)
            trials.append(trial(group, watch, options.how))
            if sys.stderr.isatty() or options.keep:
                print(number + 1, {k: round(v, 1) for k, v in trials[-1].items()}, file=sys.stderr)
    finally:
        group.end()
        database.drop()
        if net is not None:
            net.end()
        if not options.keep:
            subprocess.run(["rm", "-rf", str(folder)], check=False)
    commits = [t["commit"] for t in trials]
    takes = [t["taken"] for t in trials]
    print(json.dumps({
        "bench": "failover", "how": options.how, "database": options.database, "cycle": options.cycle,
        "peers": options.peers, "trials": len(trials), "owner_was_master": sum(t["was_master"] for t in trials),
        "taken_ms": {"p50": quantile(takes, 0.5), "p99": quantile(takes, 0.99), "max": round(max(takes), 1)},
        "commit_ms": {"p50": quantile(commits, 0.5), "p99": quantile(commits, 0.99), "max": round(max(commits), 1)}}))


if __name__ == "__main__":
    main()
