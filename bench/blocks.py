#!/usr/bin/env python3
"""How blocks of work spread over peers that cannot do it alone.

    blocks.py --turnout PROGRAM [--what deciding|webhooks|straggler|all] [--n 30000] [--runs 3]

Real servers on PostgreSQL (the server named by TURNOUT_TEST_PG), each limited by a control group of its own to a part of a
core (`cpu.cfs_quota_us`; needs root). Contacts are gathered beforehand and all come due at one instant; the time runs from
there to the last commit, both by the database's clock.

  deciding   200 rules that match a text against a pattern; four peers of a quarter core each against one
  webhooks   each contact calls a webhook that answers after 20 ms; four peers against one, no limits
  straggler  three peers of a quarter core each, without and with a fourth of a fortieth, which does not own the track

Prints one line of JSON each: medians of the runs, which take turns. `database_cores` is what PostgreSQL used meanwhile,
`idle_p99_s` the time within which, 99 of 100 times, a peer with nothing in hand got its next block.
"""

import argparse
import asyncio
import collections
import contextlib
import datetime
import json
import os
import pathlib
import random
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/faults"))
from servers import Database, Group  # noqa: E402

CGROUP = pathlib.Path("/sys/fs/cgroup/cpu")
PERIOD_US = 20_000  # short, so that a limited peer stands still for milliseconds, not for tenths of a second
LEAST_QUOTA_US = 1_000  # of a period: the kernel takes no less
LONGEST_BOUND_S = 5.0  # of waits for a next block
RULES = 200
QUARTER, FORTIETH = 0.25, 0.025
WORDS = "amber birch cedar delta ember fjord grove heath islet jetty knoll larch marsh north ocean pines quarry ridge".split()


class Limit:
    """A part of a core for one process."""

    def __init__(self, name, cores):
        self.folder = CGROUP / f"turnout-bench-{os.getpid()}-{name}"
        self.folder.mkdir()
        quota = max(int(PERIOD_US * cores), LEAST_QUOTA_US)
        (self.folder / "cpu.cfs_period_us").write_text(str(int(quota / cores)))
        (self.folder / "cpu.cfs_quota_us").write_text(str(quota))

    def take(self, pid):
        (self.folder / "cgroup.procs").write_text(str(pid))

    def end(self):
        self.folder.rmdir()


class Webhook:
    """A receiver that answers each call after 20 ms."""

    def __init__(self):
        self.calls = 0
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), daemon=True).start()
        ready.wait()

    def _run(self, ready):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        self.loop.run_forever()

    async def _serve(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                               if line.lower().startswith(b"content-length:")), 0)
                await reader.readexactly(length)
                await asyncio.sleep(0.02)
                self.calls += 1
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        writer.close()


class Peers(Group):
    """A group whose deliveries go to our receiver, if there is one."""

    webhook = None

    def _deliveries(self):
        if self.webhook is None:
            return super()._deliveries()
        return f'[deliver]\nthreads = 4\n[webhooks.slow]\nurl = "http://127.0.0.1:{self.webhook.port}/"\n'


def track_text(what):
    """All wait for one instant; then they are decided in one block with what follows."""
    wait = 'track "Blocks"\n  gather contacts continuously\n    start at "Wait"\n\nstep "Wait"\n  when go_at is before now:\n'
    if what == "webhooks":
        return wait + '    call webhook "slow"\n    stop as "called"\n'
    rules = "".join(f'  when about matches "{WORDS[i % len(WORDS)]}[0-9]+x{i}y":\n    stop as "{i}"\n' for i in range(RULES))
    return wait + '    go to "Decide"\n\nstep "Decide"\n' + rules + '  otherwise:\n    stop as "none"\n'


def write_contacts(path, n, at):
    when = datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat()
    draw = random.Random(1)
    with open(path, "w") as file:
        file.write("key,about,go_at\n")
        for i in range(n):
            file.write(f"c{i},{' '.join(draw.choices(WORDS, k=60))},{when}\n")


def processor_seconds(postmaster):
    """What PostgreSQL has used so far: its main process, those that it has reaped, and those that run."""
    tick = os.sysconf("SC_CLK_TCK")
    total = 0
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rsplit(")", 1)[1].split()
            if int(stat.parent.name) == postmaster:
                total += sum(map(int, fields[11:15]))
            elif int(fields[1]) == postmaster:
                total += sum(map(int, fields[11:13]))
    return total / tick


def idle_waits(group):
    """How often the peers had waited for a next block up to each bound (in seconds), so far, all together."""
    counts = collections.Counter()
    for name in group.names:
        for bound, count in re.findall(r'^turnout_idle_seconds_bucket\{le="(.*)"\} (\d+)', group.metrics(name), re.MULTILINE):
            counts[float(bound.replace("+Inf", "inf"))] += int(count)
    return counts


def bound_of(counts, share):
    """The least bound (in seconds) within which that share of the waits ended."""
    whole = counts[float("inf")]
    return min((bound for bound, count in counts.items() if count >= share * whole), default=None) if whole else None


def until(what, patience, every=0.1):
    deadline = time.monotonic() + patience
    while not what():
        if time.monotonic() > deadline:
            sys.exit(f"not within {patience} s")
        time.sleep(every)


def run(options, what, cores, number):
    """Seconds that the peers took, each with its part of a core (None: unlimited); the database's cores meanwhile; and the
    time within which 99 of 100 times a peer without a block had its next one."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-blocks-"))
    database = Database("postgresql", folder, f"blocks_{number}")
    names = [f"p{i}" for i in range(1, len(cores) + 1)]
    group = Peers(options.turnout, folder, database, names)
    group.webhook = Webhook() if what == "webhooks" else None
    limits = {name: Limit(name, part) for name, part in zip(names, cores) if part}
    try:
        # Who is slower than the others comes when the track has its owner: it is to work, not to own.
        late = [name for name, part in zip(names, cores) if part and part < max(cores)]
        early = [name for name in names if name not in late]
        for name in early:
            group.start(name)
        group.wait_ready(60, early)
        lead = 20 + options.n / 2000
        go_at = time.time() + lead
        write_contacts(folder / "people.csv", options.n, go_at)
        (folder / "blocks.track").write_text(track_text(what))
        group.command("import", str(folder / "people.csv"), "--type", "go_at=timestamp", "--type", "about=text")
        group.command("apply", str(folder / "blocks.track"))
        until(lambda: int(database.rows("select count(*) from position")[0][0]) == options.n, lead)
        for name in late:
            group.start(name)
        group.wait_ready(60)
        for name, limit in limits.items():
            limit.take(group.processes[name].pid)
        postmaster = int(pathlib.Path(database.rows("show data_directory")[0][0], "postmaster.pid").read_text().split()[0])
        if time.time() > go_at - 1:
            sys.exit("gathering took too long: take fewer contacts")
        time.sleep(go_at - time.time())
        used = processor_seconds(postmaster)
        waited = idle_waits(group)
        if what == "webhooks":
            until(lambda: group.webhook.calls >= options.n, 600, 0.02)
            took = time.time() - go_at
        else:
            left = "select count(*) from position where state <> 2"
            until(lambda: int(database.rows(left)[0][0]) == 0, 600, 0.25)
            last = "select max(extract(epoch from at)) from journal"
            took = float(database.rows(last)[0][0]) - go_at
        used = processor_seconds(postmaster) - used
        moved = int(database.rows("select count(*) from position where state = 2")[0][0])
        if moved != options.n:
            sys.exit(f"{moved} of {options.n} contacts have stopped")
        more = idle_waits(group)
        more.subtract(waited)
        # Each peer waited for its first block since long before there was anything to do.
        more[float("inf")] -= min(len(names), more[float("inf")] - more[LONGEST_BOUND_S])
        return took, used / took, bound_of(more, 0.99)
    finally:
        group.end()
        for limit in limits.values():
            limit.end()
        database.drop()
        if not options.keep:
            subprocess.run(["rm", "-rf", str(folder)], check=False)


def compare(options, what, few, many, as_speed):
    results = {"few": [], "many": []}
    cores, idles = [], []
    for number in range(options.runs):
        for name, parts in (("few", few), ("many", many)):
            took, database_cores, idle = run(options, what, parts, number)
            results[name].append(took)
            cores.append(database_cores)
            idles.append(idle or 0)
            print(f"{what}, {len(parts)} peers: {took:.2f} s, PostgreSQL {database_cores:.2f} cores, "
                  f"next block within {idle} s", file=sys.stderr)
    one, more = (statistics.median(results[name]) for name in ("few", "many"))
    print(json.dumps({"bench": "blocks", "what": what, "n": options.n, "runs": options.runs,
                      f"seconds_{len(few)}_peers": round(one, 2), f"seconds_{len(many)}_peers": round(more, 2),
                      ("speed_up" if as_speed else "longer_by"): round(one / more if as_speed else more / one - 1, 3),
                      "database_cores": round(max(cores), 2), "idle_p99_s": max(idles)}), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--what", choices=["deciding", "webhooks", "straggler", "all"], default="all")
    parser.add_argument("--n", type=int, default=30_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="keep the folders with the logs")
    options = parser.parse_args()
    if options.what in ("deciding", "all"):
        compare(options, "deciding", [QUARTER], [QUARTER] * 4, True)
    if options.what in ("straggler", "all"):
        compare(options, "straggler", [QUARTER] * 3, [QUARTER] * 3 + [FORTIETH], False)
    if options.what in ("webhooks", "all"):
        compare(options, "webhooks", [None], [None] * 4, True)


if __name__ == "__main__":
    main()
