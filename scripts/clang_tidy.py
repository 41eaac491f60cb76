#!/usr/bin/python3
"""Runs clang-tidy-19 over src/ and remembers what passed, so that a second run looks at changed files only.

    clang_tidy.py [--build build/tidy] [--jobs 2] [--all] [FILE...]

Most of the time goes into the headers of others, so it reads what the preset compiles: up to eight files of a room as one
(a unity build). One is looked at again when a file of ours in it (through headers too), its compile command, .clang-tidy or
clang-tidy's version has changed.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

TIDY = "clang-tidy-19"
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


class Sources:
    """Reads each file once and finds the headers of ours behind it."""

    def __init__(self, roots):
        self._roots = roots
        self._text = {}
        self._lock = threading.RLock()

    def text(self, path):
        with self._lock:
            if path not in self._text:
                self._text[path] = path.read_bytes()
            return self._text[path]

    def reach(self, path):
        found, todo = {path}, [path]
        while todo:
            for name in INCLUDE.findall(self.text(todo.pop())):
                for root in self._roots:
                    header = root / name.decode()
                    if header.exists() and header not in found:
                        found.add(header)
                        todo.append(header)
        return sorted(found)


def fingerprint(entry, sources, common):
    digest = hashlib.sha256(common)
    digest.update((entry.get("command") or " ".join(entry["arguments"])).encode())
    for path in sources.reach(pathlib.Path(entry["file"])):
        digest.update(str(path).encode() + b"\0" + hashlib.sha256(sources.text(path)).digest())
    return digest.hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default="build/tidy")
    parser.add_argument("--jobs", type=int, default=int(os.environ.get("JOBS", os.cpu_count() or 2)))
    parser.add_argument("--all", action="store_true", help="forget what passed before")
    parser.add_argument("files", nargs="*")
    args = parser.parse_args()

    root = pathlib.Path.cwd()
    build = root / args.build
    cache = root / "build" / "tidy-cache"
    cache.mkdir(parents=True, exist_ok=True)
    wanted = {(root / f).resolve() for f in args.files}
    sources = Sources([root / "src", build / "src"])
    entries = []
    for entry in json.loads((build / "compile_commands.json").read_text()):
        ours = [f for f in sources.reach(pathlib.Path(entry["file"])) if f.is_relative_to(root / "src")]
        room = pathlib.Path(entry["file"]).is_relative_to(build / "src") or entry["file"].startswith(f"{root}/src/")
        if room and ours and (not wanted or wanted.intersection(ours)):
            entries.append(entry)
    common = subprocess.run([TIDY, "--version"], capture_output=True, check=True).stdout
    common += (root / ".clang-tidy").read_bytes()

    todo = []
    for entry in entries:
        stamp = cache / fingerprint(entry, sources, common)
        if args.all or not stamp.exists():
            todo.append((entry["file"], stamp))
    print(f"clang-tidy: {len(todo)} of {len(entries)} units to look at", flush=True)

    failed = []
    began = time.monotonic()

    def look(item):
        file, stamp = item
        # ccache and g++'s own options mean nothing to clang; it skips those it does not know.
        run = subprocess.run(
            [TIDY, "-p", str(build), "--quiet", "--extra-arg=-Wno-unknown-warning-option", file],
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode == 0:
            stamp.touch()
        return file, run

    with concurrent.futures.ThreadPoolExecutor(max_workers=args.jobs) as pool:
        for done, (file, run) in enumerate(pool.map(look, todo), 1):
            name = os.path.relpath(file, root)
            if run.returncode != 0:
                failed.append(name)
                print(run.stdout.replace(str(root) + "/", ""), flush=True)
                if not run.stdout.strip():
                    print(f"{name}: {run.stderr.strip()}", flush=True)
            elif sys.stdout.isatty():
                print(f"\r{done}/{len(todo)} {name:60.60}", end="", flush=True)
    if todo and sys.stdout.isatty():
        print()
    if failed:
        print(f"clang-tidy: {len(failed)} units with findings after {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
