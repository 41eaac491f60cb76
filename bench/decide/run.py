#!/usr/bin/env python3
"""Deciding in memory, and json-rules-engine on the same conditions beside it.

    run.py DECIDE_BENCH [--runs 5] [--contacts 20000]

Prints a line of JSON: nanoseconds per contact and move of WELCOME-5's conditions in blocks of 10,000, of
json-rules-engine, and the ratio, medians of as many runs, in turn; and milliseconds to compile a track of 200 rules and to
check a file of 5,000 steps. json-rules-engine's counts must be WELCOME-5's, else there are no figures.
"""

import argparse
import json
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
# Of the first 1,000 contacts, see tests/support/welcome5.h.
MOVES = 4625
FIRED = {"no address": 35, "opted out": 34, "low score": 99, "local": 378, "sales": 192, "pro": 281}
NAMES = {
    "BM_Welcome5Conditions/10000": "conditions_ns",
    "BM_Welcome5Passage/10000": "passage_ns",
    "BM_Compile200Rules": "compile_200_rules_ms",
    "BM_Check5000Steps": "check_5000_steps_ms",
}


def decide(program):
    """Figures by name, of one run of the benchmark."""
    done = subprocess.run([program, "--benchmark_format=json", "--benchmark_filter=" + "|".join(NAMES)], check=True,
                          capture_output=True, text=True)
    figures = {}
    for bench in json.loads(done.stdout)["benchmarks"]:
        name = NAMES.get(bench["name"])
        if name is None:
            continue
        if "items_per_second" in bench:
            figures[name] = 1e9 / bench["items_per_second"]
        else:
            figures[name] = bench["real_time"] / {"ns": 1e6, "us": 1e3, "ms": 1}[bench["time_unit"]]
    return figures


def rules(contacts):
    done = subprocess.run(["node", HERE / "json_rules.mjs", str(contacts)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--contacts", type=int, default=20000)
    options = parser.parse_args()
    subprocess.run([HERE.parent.parent / "scripts/npm_ci.sh", HERE], check=True)
    proof = rules(1000)
    if proof["moves"] != MOVES or proof["fired"] != FIRED:
        sys.exit(f"json-rules-engine decided otherwise: {proof}")
    taken = {}
    for _ in range(options.runs):
        for name, value in decide(options.program).items():
            taken.setdefault(name, []).append(value)
        taken.setdefault("json_rules_engine_ns", []).append(rules(options.contacts)["ns_per_move"])
        taken.setdefault("ratio", []).append(taken["json_rules_engine_ns"][-1] / taken["conditions_ns"][-1])
    medians = {name: round(statistics.median(values), 3) for name, values in taken.items()}
    print(json.dumps({"bench": "decide", "runs": options.runs, **medians}))


if __name__ == "__main__":
    main()
