#!/usr/bin/env python3
"""What an idle group costs: bytes that each member sends, and processor time of each process.

    idle.py --turnout PROGRAM [--peers 3,5,20,50] [--cycle 1s] [--seconds 60] [--table]

Real servers in network namespaces of their own beside a PostgreSQL of their own, with one track that has nothing to do. For
so many seconds after all of them see each other living, it counts what each host's interface sent (Ethernet frames, all of
it: advertisements, acknowledgements, what goes to the database) and, by a counter of the firewall, how much of that went to
the database; and each process's time by /proc/PID/stat. Prints one line of JSON for each size of group. --table adds what
other systems send (bench/compare.py). Needs root, and raises the kernel's limits of neighbours while it runs, since fifty
hosts that all talk to each other have more of them than the defaults allow.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import compare

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/faults"))
import network  # noqa: E402
from postgres import Server  # noqa: E402
from servers import Database, Group  # noqa: E402

LIMITS = pathlib.Path("/proc/sys/net/ipv4/neigh/default")
NEIGHBOURS = {"gc_thresh1": 8192, "gc_thresh2": 16384, "gc_thresh3": 32768}
ETHERNET = 14  # bytes of a frame's header, which the firewall does not count
INSIDE = "TURNOUT_IDLE_INSIDE"


def raise_limits():
    """Returns what they were. They are the machine's, so they are put back afterwards."""
    before = {name: (LIMITS / name).read_text().strip() for name in NEIGHBOURS if (LIMITS / name).exists()}
    for name in sorted(before, reverse=True):
        if int(before[name]) < NEIGHBOURS[name]:
            (LIMITS / name).write_text(str(NEIGHBOURS[name]))
    return before


def run_inside():
    """This program again, in a network of its own with a database at its hub."""
    before = raise_limits()
    try:
        return subprocess.run([ROOT / "tests/faults/in-network.sh", ROOT / "scripts/with-postgres.sh", sys.executable,
                               *sys.argv], env={**os.environ, INSIDE: "1", "TURNOUT_PG_TCP": network.HUB},
                              check=False).returncode
    finally:
        for name in sorted(before):
            (LIMITS / name).write_text(before[name])


class Meters:
    """What each host has sent and each process used so far."""

    def __init__(self, group):
        self.group, self.net = group, group.network
        for name in group.names:
            network.run(*self.net.inside(name), "iptables", "-w", "-A", "OUTPUT", "-d", network.HUB)

    def read(self):
        at, sent, database, cpu = time.monotonic(), {}, {}, {}
        for name in self.group.names:
            inside = self.net.inside(name)
            counters = subprocess.run([*inside, "cat", "/proc/net/dev"], check=True, capture_output=True, text=True).stdout
            line = next(line for line in counters.splitlines() if line.strip().startswith("eth0:"))
            sent[name] = int(line.split(":")[1].split()[8])
            rules = subprocess.run([*inside, "iptables", "-w", "-L", "OUTPUT", "-v", "-x", "-n"], check=True,
                                   capture_output=True, text=True).stdout
            packets, volume = next(line for line in rules.splitlines() if network.HUB in line).split()[:2]
            database[name] = int(volume) + ETHERNET * int(packets)
            fields = pathlib.Path(f"/proc/{self.group.processes[name].pid}/stat").read_text().rsplit(")", 1)[1].split()
            cpu[name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return at, sent, database, cpu


def wait_complete(group, patience):
    deadline = time.monotonic() + patience
    while not group.complete():
        if time.monotonic() > deadline:
            sys.exit(f"the group is not complete after {patience} seconds; logs: {group.folder}")
        time.sleep(1)


def measure(options, peers):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-idle-"))
    names = [f"p{i:02}" for i in range(1, peers + 1)]
    net = network.Network(names)
    database = Database("postgresql", folder, f"idle{peers}")
    group = Group(options.turnout, folder, database, names, cycle=options.cycle, network=net)
    try:
        for name in names:
            group.start(name)
        group.wait_ready(60 + 5 * peers)
        group.declare([{"name": "ring_at", "type": "timestamp"}])
        group.command("apply", str(ROOT / "bench/failover.track"))
        wait_complete(group, 60 + 5 * peers)
        meters = Meters(group)
        time.sleep(10)
        before = meters.read()
        time.sleep(options.seconds)
        after = meters.read()
    finally:
        group.end()
        database.drop()
        net.end()
        subprocess.run(["rm", "-rf", str(folder)], check=False)
    lasted = after[0] - before[0]
    sent, to_database, cpu = ({name: (a[name] - b[name]) / lasted for name in names}
                              for b, a in zip(before[1:], after[1:]))
    mean = sum(sent.values()) / peers
    figures = {
        "bench": "idle", "peers": peers, "cycle": options.cycle, "seconds": round(lasted, 1),
        "bytes_per_member_and_second": round(mean), "of_these_to_the_database": round(sum(to_database.values()) / peers),
        "of_these_to_each_peer": round((mean - sum(to_database.values()) / peers) / (peers - 1)),
        "cpu_percent_of_a_core": {"mean": round(100 * sum(cpu.values()) / peers, 2), "max": round(100 * max(cpu.values()), 2)}}
    print(json.dumps(figures), flush=True)
    return mean


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--peers", default="3,5,20,50")
    parser.add_argument("--cycle", default="1s")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--table", action="store_true", help="add what other systems send")
    options = parser.parse_args()
    if INSIDE not in os.environ:
        if os.geteuid() != 0:
            sys.exit("idle: network namespaces need root")
        sys.exit(run_inside())
    sizes = [int(size) for size in options.peers.split(",")]
    Server().set_up(max_connections=100 + 8 * max(sizes))
    ours = {size: measure(options, size) for size in sizes}
    if options.table:
        print(compare.idle_table(ours))


if __name__ == "__main__":
    main()
