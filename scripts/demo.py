#!/usr/bin/python3
"""Runs the main job and shows it: see scripts/demo.sh, which chooses the database.

Starts a mail server and webhook receiver of its own (scripts/sink.py) and three peers a, b and c; imports the
contacts; publishes examples/term-deposit.track; kills the owner of the track with SIGKILL when half of the moves
are made; waits until everybody has stopped and everything is delivered; has scripts/expected_totals.py compare the
totals. Exits with 0 when they are right. On a terminal it then stays up until Ctrl-C, so that you can look round.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from demo_group import Group, Sink, Trouble  # noqa: E402
from demo_view import View  # noqa: E402
import expected_totals  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRACK = "Term deposit"
TRACK_FILE = ROOT / "examples" / "term-deposit.track"
CSV = ROOT / "examples" / "data" / "bank-marketing.csv"
# A server that is killed leaves at most what it was sending at that moment uncertain.
MAY_BE_UNCERTAIN = 256


def parse(argv):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--database", help="postgresql://… (default: SQLite in the demo's folder)")
    parser.add_argument("--turnout", default=ROOT / "build" / "release" / "turnout", help="the program")
    parser.add_argument("--rows", type=int, help="the first N contacts only")
    parser.add_argument("--kill-at", type=float, default=0.5, metavar="SHARE",
                        help="share of the moves after which the owner is killed (1: never)")
    parser.add_argument("--patience", type=float, default=120, help="seconds without any progress that are too many")
    parser.add_argument("--stay", action=argparse.BooleanOptionalAction, default=None,
                        help="stay up at the end (default: on a terminal)")
    parser.add_argument("--keep", action="store_true", help="keep the demo's folder")
    return parser.parse_args(argv)


def contacts_file(folder, rows):
    """The CSV, or its first rows."""
    if rows is None:
        return CSV
    path = folder / "contacts.csv"
    with open(CSV, encoding="utf-8") as source, open(path, "w", encoding="utf-8") as out:
        for number, line in enumerate(source):
            if number > rows:
                break
            out.write(line)
    return path


class Run:
    """What the group has come to, read from any living peer, and whether it still moves."""

    def __init__(self, group, patience):
        self._group = group
        self._patience = patience
        self._last = None
        self._since = time.monotonic()

    def look(self):
        now = self._group.look(TRACK)
        if now is not None:
            mark = (now.moves, now.stopped, now.delivered)
            if mark != self._last:
                self._last, self._since = mark, time.monotonic()
        if time.monotonic() - self._since > self._patience:
            raise Trouble(f"nothing has moved for {self._patience:.0f} s")
        return now


def go(args, folder, group, sink, view):
    want = expected_totals.expected(expected_totals.read(CSV, args.rows))
    view.say(f"Three peers share {group.database_kind}; mail goes to a mail server of the demo's own.")
    group.start()
    view.say(f"Peers a, b and c are up: {group.address()}")

    group.run("import", os.path.relpath(contacts_file(folder, args.rows)), "--key", "client-{row:05}",
              "--email", "{key}@example.com")
    group.run("apply", os.path.relpath(TRACK_FILE))

    run = Run(group, args.patience)
    began = time.monotonic()
    killed_at = took_over = killed = None
    while True:
        now = run.look()
        if now is not None:
            if killed and took_over is None and now.owner not in (None, killed):
                took_over = time.monotonic() - killed_at
                view.note(f"{now.owner} has taken the track over, {took_over:.1f} s after the kill")
            view.show(now, want)
            if killed is None and now.moves >= args.kill_at * want["moves"] and now.owner and args.kill_at < 1:
                killed, killed_at = now.owner, time.monotonic()
                group.kill(killed)
                view.note(f"kill -9 {killed}, the owner of the track, after {now.moves:,} moves")
            if now.is_done(want["entered"]):
                break
        group.check()
        time.sleep(view.pause)
    view.end()
    view.say(f"Done in {time.monotonic() - began:.1f} s.")
    if killed is None and args.kill_at < 1:
        raise Trouble("the run ended before the owner could be killed")
    if killed and took_over is None:
        raise Trouble(f"nobody took the track over from {killed}")

    report = folder / "report.json"
    report.write_text(group.run("report", TRACK, "--json", capture=True), encoding="utf-8")
    summary = folder / "sink.json"
    summary.write_text(json.dumps(sink.summary()), encoding="utf-8")
    rows = [] if args.rows is None else ["--rows", str(args.rows)]
    check = subprocess.run(
        [str(ROOT / "scripts" / "expected_totals.py"), "--csv", str(CSV), "--report", str(report),
         "--sink", str(summary), "--uncertain", str(MAY_BE_UNCERTAIN if killed else 0), *rows],
        check=False,
    )
    return check.returncode


def main(argv=None):
    args = parse(argv)
    on_terminal = sys.stdout.isatty()
    stay = on_terminal if args.stay is None else args.stay
    program = pathlib.Path(args.turnout).resolve()
    if not os.access(program, os.X_OK):
        print(f"demo: there is no program {program}; run 'make build'", file=sys.stderr)
        return 2

    def end(number, _frame):
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    signal.signal(signal.SIGINT, signal.default_int_handler)

    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-demo-"))
    sink = Sink(folder)
    view = View(on_terminal)
    group = None
    status = 1
    try:
        sink.start()
        group = Group(program, folder, sink, args.database, ROOT / "examples" / "templates")
        status = go(args, folder, group, sink, view)
        if stay:
            print(f"\nThe peers stay up. Look round:  {program} report '{TRACK}' --server {group.address()}\n"
                  "Ctrl-C ends them.", flush=True)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        print()
        status = status if stay else 130
    except Trouble as trouble:
        view.end()
        print(f"demo: {trouble}", file=sys.stderr)
        if group is not None:
            group.show_logs()
        status = 1
    finally:
        if group is not None:
            group.stop()
        sink.stop()
        if args.keep or status not in (0, 130):
            print(f"demo: logs and data are kept in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
