#!/usr/bin/env python3
"""How long a track stands still when its owner goes: from the kill, leave or cut to the first commit under the new owner.

    failover.py --turnout PROGRAM --database sqlite|postgresql [--how kill|leave|cut] [--cycle 1s] [--trials 200]
                [--peers 3] [--groups 1] [--table]

Real servers on loopback; every 10 ms another contact's time comes, so that there is always something to commit. Each trial
waits until all peers see each other living and the owner keeps up, no contact waiting for 0.1 s; then it ends the owner's process by
SIGKILL, or asks it to leave by SIGTERM, or cuts its host off from everything (hosts of their own, run under
tests/faults/in-network.sh); and starts it again, or heals the cut. Several groups, each with a database of its own, take
their trials side by side, since at a long cycle most of the time a peer that has come back is waited for.

Prints one line of JSON, in milliseconds from just before the signal or cut:
  taken      until the ledger's row was the new owner's
  commit     until the first commit under the new owner's epoch
  delay      the longest that any contact waited whose time came from then until a second after
  before     the same for the second before, when nothing was amiss
  bystander  the longest that a commit took, in the second of `delay`, of somebody on the same database server who has nothing
             to do with the group: what a contact waited beyond that is of the group's making (PostgreSQL)
On PostgreSQL (the server named by TURNOUT_TEST_PG, which is restarted with track_commit_timestamp) those are the times at
which the commits became durable and visible; on SQLite `taken` and `commit` are when another process could read them, and
`delay` and `before` count to the statement before the commit. --table adds other systems beside them (bench/compare.py).
"""

import argparse
import concurrent.futures
import datetime
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

import compare

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/faults"))
import network  # noqa: E402
from postgres import Psql, Server  # noqa: E402
from servers import Database, Group  # noqa: E402

EVERY_MS = 10  # between the times of two contacts
SETTLE = 1.5  # seconds that a complete group works before the next trial
STEADY_US = 100_000  # microseconds that contacts wait at most while nothing is amiss
BATCH = 120  # seconds for which contacts are imported at a time
BUCKETS = [10, 20, 30, 40, 50, 75, 100, 150, 200, 250, 500, 1000, 1500, 2000, 3000, 5000, 10000, 30000, 60000]


class PostgresWatch:
    """Questions to the database about the one track. Instants are microseconds since 1970, by this machine's clock."""

    def __init__(self, database):
        self.ask = database.psql()
        self.column = None

    @staticmethod
    def micros(sql):
        return f"(extract(epoch from {sql}) * 1000000)::bigint"

    def ledger(self):
        """Owner, epoch, and when that was committed."""
        at = self.micros("pg_xact_commit_timestamp(xmin)")
        owner, epoch, since = self.ask.rows(f"select owner, epoch, {at} from ledger where track_id = 1")[0]
        return owner, int(epoch), int(since)

    def newest(self):
        """The highest number of a contact that has moved; contacts have numbers in the order of their times."""
        return int(self.ask.rows("select coalesce(max(contact_id), 0) from journal where track_id = 1")[0][0])

    def settled(self, contacts):
        """Whether so many contacts are on the track, and none is overdue."""
        return self.ask.rows("select (select count(*) from position where track_id = 1), (select count(*) from timer where "
                             "track_id = 1 and due_at < clock_timestamp() - interval '0.1 s')")[0] == [str(contacts), "0"]

    def first_commit(self, after, base):
        at = self.micros("pg_xact_commit_timestamp(xmin)")
        found = self.ask.rows(f"select min(at) from (select {at} as at from journal where track_id = 1 and "
                              f"contact_id > {base}) j where at > {after}")[0][0]
        return int(found) if found else None

    def longest_delay(self, base, begin, end):
        """Of contacts above that number whose time came in between, how long one waited, when its time came, and the peer
        that moved it; one that has not moved counts up to now."""
        self.column = self.column or self.ask.rows("select column_name from field where name = 'ring_at'")[0][0]
        due = f"c.{self.column}"
        moved = self.micros("coalesce(pg_xact_commit_timestamp(j.xmin), clock_timestamp())")
        found = self.ask.rows(f"select {moved} - {self.micros(due)}, {self.micros(due)}, coalesce(j.peer, '') from contact c "
                              "left join journal j "
                              f"on j.track_id = 1 and j.contact_id = c.id where c.id > {base} and {self.micros(due)} "
                              f"between {begin} and {end} order by 1 desc limit 1")
        return (int(found[0][0]), int(found[0][1]), found[0][2]) if found else (None, None, None)

    def end(self):
        self.ask.end()


class Bystander:
    """Commits one row every 20 ms, to tell when the database server, its disk or the machine stands still for everybody."""

    EVERY_S = 0.02

    def __init__(self):
        self.ask = Psql(Server().url)
        self.ask.rows("create table bystander (at timestamptz)")
        self.commits, self.over = [], False  # [(begin, end)] in microseconds since 1970, in order
        self.thread = threading.Thread(target=self._commit, daemon=True)
        self.thread.start()

    def _commit(self):
        while not self.over:
            began = time.time()
            self.ask.rows("insert into bystander values (now())")
            self.commits.append((int(began * 1e6), int(time.time() * 1e6)))
            time.sleep(self.EVERY_S)

    def longest(self, begin, end):
        """In microseconds, of commits under way between those instants."""
        return max((done - since for since, done in list(self.commits) if done >= begin and since <= end), default=None)

    def end(self):
        self.over = True
        self.thread.join()
        self.ask.end()


class SqliteWatch:
    """The same on SQLite, where a commit's time is when it can be read here: looked for every two milliseconds."""

    def __init__(self, database):
        self.connection = sqlite3.connect(f"file:{database.path}?mode=ro", uri=True, timeout=30, isolation_level=None,
                                          check_same_thread=False)
        self.column = None

    def row(self, sql):
        return self.connection.execute(sql).fetchone()

    def ledger(self):
        owner, epoch = self.row("select owner, epoch from ledger where track_id = 1")
        return owner, int(epoch), int(time.time() * 1e6)

    def newest(self):
        return self.row("select coalesce(max(contact_id), 0) from journal where track_id = 1")[0]

    def settled(self, contacts):
        return self.row("select (select count(*) from position where track_id = 1), (select count(*) from timer where "
                        f"track_id = 1 and due_at < {int(time.time() * 1e6) - 100_000})") == (contacts, 0)

    def first_commit(self, after, base):
        # Nothing commits under an old epoch once the ledger's row is taken, so a statement after that is the new owner's.
        found = self.row(f"select min(at) from journal where track_id = 1 and contact_id > {base} and at > "
                         "(select since from ledger where track_id = 1)")[0]
        return int(time.time() * 1e6) if found else None

    def longest_delay(self, base, begin, end):
        self.column = self.column or self.row("select column_name from field where name = 'ring_at'")[0]
        due, now = f"c.{self.column}", int(time.time() * 1e6)
        return self.row(f"select coalesce(j.at, {now}) - {due}, {due}, j.peer from contact c left join journal j on "
                        f"j.track_id = 1 and j.contact_id = c.id where c.id > {base} and {due} between {begin} and {end} "
                        "order by 1 desc limit 1") or (None, None, None)

    def end(self):
        self.connection.close()


def until(what, patience=180.0, every=0.02):
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        got = what()
        if got:
            return got
        time.sleep(every)
    sys.exit(f"nothing happened for {patience:.0f} seconds")


def seconds(duration):
    """"250ms", "15s" as seconds."""
    return float(duration[:-2]) / 1000 if duration.endswith("ms") else float(duration[:-1])


class Trials:
    """One group of peers and its trials, one after the other."""

    def __init__(self, number, options, net, bystander):
        self.options, self.how, self.bystander = options, options.how, bystander
        self.folder = pathlib.Path(options.folder) / f"group{number}"
        self.folder.mkdir()
        self.database = Database(options.database, self.folder, f"failover{number}")
        self.names = names_of(number, options.peers)
        self.group = Group(options.turnout, self.folder, self.database, self.names, cycle=options.cycle, network=net)
        self.ends, self.contacts, self.watch, self.ended, self.applied = 0.0, 0, None, False, False

    def start(self):
        for name in self.names:
            self.group.start(name)
        self.group.wait_ready(120)
        self.watch = (PostgresWatch if self.database.kind == "postgresql" else SqliteWatch)(self.database)
        self.more_contacts()
        self.group.command("apply", str(ROOT / "bench/failover.track"))
        self.applied = True
        until(self.watch.newest)

    def more_contacts(self):
        """So that contacts' times come for the next minute at least. Gathering them takes a moment, so it begins in 3 s; that
        is over before the next trial begins, since work of ours on all of them is not what a trial measures."""
        if self.ends - time.time() > BATCH / 2:
            return
        first = max(self.ends, time.time() + 3)
        people = self.folder / "people.csv"
        with open(people, "w") as file:
            file.write("key,ring_at\n")
            for i in range(BATCH * 1000 // EVERY_MS):
                at = datetime.datetime.fromtimestamp(first + i * EVERY_MS / 1000, datetime.timezone.utc)
                self.contacts += 1
                file.write(f"c{self.contacts},{at.isoformat()}\n")
        self.ends = first + BATCH
        self.group.command("import", str(people), "--type", "ring_at=timestamp")
        if self.applied:
            until(lambda: self.watch.settled(self.contacts), every=0.1)

    def steady(self):
        """Whether the owner keeps up: of the last second's contacts none has waited for long."""
        now = int(time.time() * 1e6)
        waited, _, _ = self.watch.longest_delay(self.watch.newest() - 200, now - 1_000_000, now - STEADY_US)
        return waited is not None and waited < STEADY_US

    def trial(self):
        self.more_contacts()
        until(self.group.complete, 600, 0.2)
        time.sleep(SETTLE)
        until(self.steady, 600, 0.2)
        watch, group = self.watch, self.group
        owner, epoch, _ = watch.ledger()
        was_master = group.master() == owner
        base = watch.newest() - 200
        began = time.time()
        if self.how == "kill":
            group.kill(owner)
        elif self.how == "cut":
            group.network.isolate(owner)
        else:
            group.processes[owner].terminate()
        # PostgreSQL keeps the times of commits, so asking often would only take processor time from the servers.
        every = 0.2 if self.database.kind == "postgresql" else 0.002
        new = until(lambda: next((r for r in [watch.ledger()] if r[1] > epoch and r[0] not in ("", None, owner)), None),
                    every=every)
        commit = until(lambda: watch.first_commit(new[2], base), every=every)
        if self.how == "cut":
            group.network.heal(owner)
        else:
            group.processes[owner].wait()
            group.start(owner)
        time.sleep(max(0.0, began + 2 - time.time()))
        struck, second = int(began * 1e6), 1_000_000
        delay, due, by = watch.longest_delay(base, struck, struck + second)
        before, _, _ = watch.longest_delay(base, struck - second, struck - second // 5)
        return {"at": round(began, 3), "owner": owner, "successor": new[0], "was_master": was_master,
                "taken": new[2] / 1e3 - began * 1e3, "commit": commit / 1e3 - began * 1e3, "delay": delay / 1e3,
                "delayed_was_due": (due - struck) / 1e3, "moved_by": by, "before": before / 1e3,
                "bystander": self.bystander.longest(struck, struck + second) / 1e3 if self.bystander else None}

    def run(self, count):
        done = []
        for number in range(count):
            if self.ended:
                break
            done.append(self.trial())
            if self.options.keep:
                with open(self.folder / "trials.jsonl", "a") as file:
                    file.write(json.dumps(done[-1]) + "\n")
            if sys.stderr.isatty() or self.options.keep:
                print(self.folder.name, number + 1, {k: round(v, 1) if isinstance(v, float) else v
                                                     for k, v in done[-1].items()}, file=sys.stderr)
        return done

    def end(self):
        self.group.end()
        if self.watch is not None:
            self.watch.end()
        self.database.drop()


def names_of(group, peers):
    return [f"{chr(ord('a') + group)}{i}" for i in range(1, peers + 1)]


def quantile(values, q):
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(q * len(ordered)))], 1)


def spread(values):
    return {"p50": quantile(values, 0.5), "p90": quantile(values, 0.9), "p99": quantile(values, 0.99),
            "max": round(max(values), 1)}


def histogram(values):
    """{"≤ 10": how many, …}, without the empty ones."""
    counts, last = {}, 0
    for bound in [*BUCKETS, float("inf")]:
        count = sum(last < value <= bound for value in values)
        if count:
            counts[f"<= {bound}"] = count
        last = bound
    return counts


def measure(options):
    names = [name for number in range(options.groups) for name in names_of(number, options.peers)]
    net = network.Network(names) if options.how == "cut" else None
    groups, bystander = [], None
    try:
        if options.database == "postgresql":
            Server().set_up(track_commit_timestamp="on", max_connections=100 + 20 * len(names))
            bystander = Bystander()
        for number in range(options.groups):
            groups.append(Trials(number, options, net, bystander))
        counts = [options.trials // options.groups + (n < options.trials % options.groups) for n in range(options.groups)]
        with concurrent.futures.ThreadPoolExecutor(options.groups) as pool:
            try:
                list(pool.map(Trials.start, groups))
                return [trial for trials in pool.map(Trials.run, groups, counts) for trial in trials]
            finally:
                for group in groups:
                    group.ended = True  # the others need not go on when one cannot
    finally:
        for group in groups:
            group.end()
        if bystander is not None:
            bystander.end()
        if net is not None:
            net.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="postgresql")
    parser.add_argument("--how", choices=["kill", "leave", "cut"], default="kill")
    parser.add_argument("--cycle", default="1s")
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--peers", type=int, default=3)
    parser.add_argument("--groups", type=int, default=1, help="side by side")
    parser.add_argument("--table", action="store_true", help="add other systems' figures beside these")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs, and tell of each trial")
    options = parser.parse_args()
    options.groups = min(options.groups, options.trials)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that the servers end, too
    options.folder = tempfile.mkdtemp(prefix="turnout-failover-")
    load = os.getloadavg()[0]
    began = time.monotonic()
    try:
        trials = measure(options)
    finally:
        if options.keep:
            print("logs:", options.folder, file=sys.stderr)
        else:
            subprocess.run(["rm", "-rf", options.folder], check=False)
    figures = {key: [trial[key] for trial in trials if trial[key] is not None]
               for key in ("taken", "commit", "delay", "before", "bystander")}
    print(json.dumps({
        "bench": "failover", "how": options.how, "database": options.database, "cycle": options.cycle,
        "peers": options.peers, "groups": options.groups, "trials": len(trials),
        "owner_was_master": sum(t["was_master"] for t in trials), "minutes": round((time.monotonic() - began) / 60, 1),
        "load_before": round(load, 1), "load_after": round(os.getloadavg()[0], 1),
        **{f"{key}_ms": spread(values) for key, values in figures.items() if values},
        "commit_histogram_ms": histogram(figures["commit"]),
        "longest_delays_ms": [{key: trial[key] and round(trial[key], 1) for key in ("delay", "commit", "bystander")}
                              for trial in sorted(trials, key=lambda trial: -trial["delay"])[:3]]}), flush=True)
    if options.table:
        print(compare.failover_table(options, quantile(figures["commit"], 0.5) / 1000))


if __name__ == "__main__":
    main()
