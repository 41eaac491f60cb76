#!/usr/bin/python3
"""Runs every *_test.py beside it and notes the counts (see run.sh)."""

import os
import pathlib
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent.parent / "scripts"), str(HERE.parent / "faults"), str(HERE)]


def main():
    suite = unittest.defaultTestLoader.discover(str(HERE), pattern="*_test.py")
    result = unittest.TextTestRunner(verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    passed = result.testsRun - failed - len(result.skipped)
    if folder := os.environ.get("TURNOUT_RESULTS"):
        (pathlib.Path(folder) / "count").write_text(f"{passed} {failed}\n", encoding="utf-8")
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
