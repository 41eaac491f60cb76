#!/usr/bin/python3
"""Writes the demo's contacts: examples/data/bank-marketing.csv with a key, an address and an empty `segment`.

    bank_contacts.py [--rows N] [SOURCE] > contacts.csv

Contact n (counted from 1 in file order) has the key client-0000n and the address client-0000n@example.com.
"""

import argparse
import csv
import pathlib
import sys

SOURCE = pathlib.Path(__file__).resolve().parent.parent / "examples/data/bank-marketing.csv"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=None, help="the first N contacts only")
    parser.add_argument("source", nargs="?", default=SOURCE)
    args = parser.parse_args()
    with open(args.source, encoding="utf-8", newline="") as source:
        rows = csv.reader(source)
        out = csv.writer(sys.stdout, lineterminator="\n")
        out.writerow(["key", "email", *next(rows), "segment"])
        for number, row in enumerate(rows, 1):
            if args.rows is not None and number > args.rows:
                break
            key = f"client-{number:05}"
            out.writerow([key, f"{key}@example.com", *row, ""])


if __name__ == "__main__":
    main()
