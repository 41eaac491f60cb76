#!/usr/bin/env python3
"""Runs the simulation over many seeds, in as many processes as there are processors.

    tests/sim/run.py PROGRAM [--cycles N] [--jobs N] [--first SEED] [--small] [--notes FILE]

PROGRAM is sim_run (tests/sim/main.cc). Seeds are taken one after another until N cycles of virtual time
have passed in all; a cycle is one of the group, however many peers it has. Prints the figures, and the
smallest seed that broke a guarantee with its transcript and the line that plays it again; the exit status
is 1 if there is one. --notes writes the figures to FILE every minute, for runs that take hours.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import threading
import time

BATCH = 100  # seeds that one process simulates
EVERY_S = 60  # between two lines of progress


class Run:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.next = options.first
        self.figures = collections.Counter()
        self.faults = collections.Counter()
        self.failed = {}  # seed: what was broken
        self.busy_s = 0.0
        self.began = time.monotonic()

    def take_batch(self):
        """The first of the next seeds, or None when there were enough."""
        with self.lock:
            if self.failed or self.figures["cycles"] >= self.options.cycles:
                return None
            first = self.next
            self.next += BATCH
            return first

    def add(self, line):
        said = json.loads(line)
        with self.lock:
            self.figures.update(said["figures"])
            self.faults.update(said["faults"])
            if "failure" in said:
                self.failed[said["seed"]] = said["failure"]
        return said["seed"]

    def work(self):
        while (first := self.take_batch()) is not None:
            began = time.monotonic()
            command = [self.options.program, str(first), str(BATCH)] + ["small"] * self.options.small
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                last = first - 1
                for line in process.stdout:
                    last = self.add(line)
                complaint = process.stderr.read()
            with self.lock:
                self.busy_s += time.monotonic() - began
                if process.returncode and last not in self.failed:
                    self.failed[last + 1] = f"the process ended with {process.returncode}: {complaint.strip()}"

    def rate(self):
        return self.figures["cycles"] / self.busy_s if self.busy_s else 0.0

    def report(self):
        f = self.figures
        took = time.monotonic() - self.began
        hours = f["cycles"] * 15 / 3600
        lines = [
            f"{f['cycles']:,} cycles of {f['groups']:,} groups with {f['peers']:,} peers in all"
            f" ({hours:,.0f} hours at 15 s), seeds {self.options.first} to {self.next - 1}",
            f"{took:,.0f} s on {self.options.jobs} processes: {self.rate():,.0f} cycles/s each",
            ", ".join(f"{f[name]:,} {name}" for name in sorted(f) if name not in ("cycles", "groups", "peers")),
            "faults: " + ", ".join(f"{name} {times:,}" for name, times in sorted(self.faults.items())),
            f"{len(self.failed)} violations",
        ]
        return "\n".join(lines)

    def note(self):
        if self.options.notes:
            with open(self.options.notes, "w", encoding="utf-8") as notes:
                notes.write(self.report() + "\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--cycles", type=int, default=2_400_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--small", action="store_true", help="groups of 1 or 2 peers")
    parser.add_argument("--notes")
    run = Run(parser.parse_args())
    workers = [threading.Thread(target=run.work, daemon=True) for _ in range(run.options.jobs)]
    for worker in workers:
        worker.start()
    said = time.monotonic()
    while any(worker.is_alive() for worker in workers):
        for worker in workers:
            worker.join(0.2)
        if time.monotonic() - said >= EVERY_S:
            said = time.monotonic()
            run.note()
            print(f"{run.figures['cycles']:,} cycles, {run.rate():,.0f}/s on each process", flush=True)
    print(run.report())
    run.note()
    if not run.failed:
        return 0
    seed = min(run.failed)
    repro = [run.options.program, str(seed)] + ["small"] * run.options.small
    print(subprocess.run(repro, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout)
    print(f"seed {seed}: {run.failed[seed]}")
    print("repro: " + " ".join(repro))
    return 1


if __name__ == "__main__":
    sys.exit(main())
