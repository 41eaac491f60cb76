#!/usr/bin/python3
"""Adds up the results that scripts/test.sh left in a folder, one sub-folder per stage.

A stage run by ctest counts its GoogleTest cases (NAME_test.json beside ctest.xml); a program that failed
without a failing case, because it crashed or ran out of time, counts as one failure more. A stage may leave
a file `count` with two numbers, passed and failed; any other counts as one by its exit status. Builds count
only when they fail. What failed is shown again before the sums. The last line is `N passed, M failed`; the exit status is 1 if anything failed.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as ET

TAIL = 40  # lines shown of a stage that failed


def count_ctest(folder):
    passed = failed = 0
    names = []
    for case in ET.parse(folder / "ctest.xml").getroot().iter("testcase"):
        name = case.get("name")
        # ctest writes status="run" for a pass, "fail" for a failure, "notrun"/"disabled" for what it left out.
        ok = case.get("status") == "run"
        cases = folder / f"{name}_test.json"
        good, bad = (1, 0) if ok else (0, 1)
        if cases.exists():
            try:
                report = json.loads(cases.read_text())
                bad = report["failures"]
                good = sum(
                    1
                    for suite in report["testsuites"]
                    for test in suite["testsuite"]
                    if test.get("result") == "COMPLETED" and not test.get("failures")
                )
                if not ok and bad == 0:
                    bad = 1
            except (ValueError, KeyError):
                good, bad = 0, 1
        if bad:
            names.append(f"{folder.name}/{name}")
        passed += good
        failed += bad
    return passed, failed, names


def count_stage(folder):
    """(passed, failed, what failed) of one stage."""
    try:
        status = int((folder / "status").read_text())
    except (OSError, ValueError):
        return 0, 1, [folder.name]
    if (folder / "ctest.xml").exists():
        passed, failed, names = count_ctest(folder)
    elif (folder / "count").exists():
        passed, failed = (int(n) for n in (folder / "count").read_text().split())
        names = [folder.name] if failed else []
    elif folder.name.startswith("build"):
        passed, failed, names = 0, 0, []
    else:
        passed, failed, names = (1, 0, []) if status == 0 else (0, 1, [folder.name])
    if status != 0 and failed == 0:
        failed, names = 1, [folder.name]
    return passed, failed, names


def why(folder):
    """What a failed stage said of its failure: its failed cases, else the end of its log."""
    said = []
    for cases in sorted(folder.glob("*_test.json")):
        try:
            suites = json.loads(cases.read_text())["testsuites"]
        except (ValueError, KeyError):
            continue
        for test in (test for suite in suites for test in suite["testsuite"]):
            for failure in test.get("failures", []):
                said += [f"{test['classname']}.{test['name']}:"] + failure["failure"].splitlines()
    if not said and (folder / "log").exists():
        said = (folder / "log").read_text(errors="replace").splitlines()
    return said[-TAIL:]


def main():
    folders = sorted(
        (f for f in pathlib.Path(sys.argv[1]).iterdir() if f.is_dir()),
        key=lambda f: (f / "log").stat().st_mtime if (f / "log").exists() else 0,
    )
    passed = failed = 0
    counts = {folder: count_stage(folder) for folder in folders}
    for folder, (_, bad, _) in counts.items():
        if bad:
            print(f"== {folder.name} failed:", *why(folder), "", sep="\n")
    for folder, (good, bad, names) in counts.items():
        passed += good
        failed += bad
        print(f"{folder.name:18} {good:6} passed {bad:4} failed   {' '.join(names)}".rstrip())
    print()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
