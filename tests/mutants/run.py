#!/usr/bin/env python3
"""Plants each fault of src/base/mutant.h in turn and shows that a test finds it.

    tests/mutants/run.py BUILD [NAME...]

BUILD is a build with TURNOUT_MUTANTS, NAMEs are faults (all if none is given). The suites are run
without a fault first: they must pass, or every fault would seem found. Then, for each fault, the suites
from the quickest on until one fails, the last beside a PostgreSQL of its own. Prints what found it and after how long; the exit status is 1 when
a fault is found by none.
"""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 600  # for one suite without a fault

# (name, program, arguments): quick ones first. The simulation draws SIM_CYCLES / 200 groups with their faults.
SIM_CYCLES = 200_000
SUITES = [
    ("group", "group_test", []),
    ("crashes", "work_test", ["--gtest_filter=Crashes.*"]),
    ("simulation", "sim_test", ["--gtest_filter=Simulation.KeepsItsGuarantees*"]),
    ("work", "work_test", []),
    ("store", "store_test", ["--gtest_filter=-*postgres*:Postgres*"]),
    ("PostgreSQL", "store_test", ["--gtest_filter=PostgresTest.*"]),
]
BESIDE_POSTGRESQL = {"PostgreSQL"}


def known_faults():
    text = (ROOT / "src/base/mutant.h").read_text()
    return re.findall(r"^  X\((\w+)\)", text, re.MULTILINE)


def run(build, suite, fault, seconds):
    """The first failing test of the suite, or None when all passed."""
    name, program, arguments = suite
    beside = [ROOT / "scripts/with-postgres.sh"] if name in BESIDE_POSTGRESQL else []
    environment = {**os.environ, "TURNOUT_MUTANT": fault, "SIM_CYCLES": str(SIM_CYCLES)}
    environment.pop("TURNOUT_TEST_PG", None)
    try:
        done = subprocess.run(
            [*beside, build / "tests" / program, "--gtest_fail_fast", *arguments],
            env=environment, capture_output=True, text=True, errors="replace", timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {seconds:.0f} s"
    if done.returncode == 0:
        return None
    failed = re.search(r"^\[  FAILED  \] ([\w/.]+)", done.stdout, re.MULTILINE)
    running = re.findall(r"^\[ RUN      \] ([\w/.]+)", done.stdout, re.MULTILINE)
    guarantee = re.search(r" ms: (G\d+):", done.stdout)
    test = failed.group(1) if failed else f"{running[-1] if running else program} (process ended)"
    return test + (f", {guarantee.group(1)}" if guarantee else "")


def main():
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    build = Path(sys.argv[1]).resolve()
    faults = sys.argv[2:] or known_faults()
    patience = {}  # with a fault, a suite that takes several times as long hangs
    for suite in SUITES:
        began = time.monotonic()
        found = run(build, suite, "", LIMIT_S)
        patience[suite[0]] = 10 + 4 * (time.monotonic() - began)
        if found:
            print(f"without a fault, {suite[0]} fails: {found}")
            return 1
    missed = []
    for fault in faults:
        began = time.monotonic()
        found = None
        for suite in SUITES:
            found = run(build, suite, fault, patience[suite[0]])
            if found:
                break
        took = time.monotonic() - began
        if not found:
            missed.append(fault)
        print(f"{fault:24} {'found by ' + suite[0] + ': ' + found if found else 'NOT FOUND'}  {took:.1f} s", flush=True)
    print(f"{len(faults) - len(missed)} of {len(faults)} found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
