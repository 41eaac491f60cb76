#!/usr/bin/python3
"""Computes from the CSV alone what must come out of examples/term-deposit.track, and compares.

    expected_totals.py [--csv FILE] [--rows N]                                 print the totals as JSON
    expected_totals.py [--csv FILE] --report report.json [--sink sink.json]    compare, exit 0 or 1

It shares no code with the engine: the track is written out by hand below. The only thing that it does not know
is which contact the draw of `for N%` gave to which arm, because the draw hashes the ids that the database made.
For those it checks that the arms add up to everybody who was offered something, and that each arm's number lies
within four standard deviations of its share. Nothing after the draw depends on the arm, so all else is exact.
"""

import argparse
import collections
import csv
import json
import math
import pathlib
import sys

DEFAULT_CSV = pathlib.Path(__file__).resolve().parent.parent / "examples/data/bank-marketing.csv"
# e-mail of the arm -> its share; the third arm sends nothing.
ARMS = {"offer-plain": 0.30, "offer-rate": 0.30}


class Path:
    """One contact's way through the track."""

    def __init__(self):
        self.moves = 0
        self.outcome = None
        self.emails = []
        self.webhooks = []
        self.tags = []
        self.offered = False

    def stop(self, outcome):
        self.moves += 1
        self.outcome = outcome


def run(row):
    """The whole track for one row of the CSV."""
    path = Path()
    balance, age, duration = int(row["balance"]), int(row["age"]), int(row["duration"])
    reachable = row["contact"] in ("cellular", "telephone")

    # Triage
    if row["y"] == "yes":
        path.tags.append("depositor")
        path.emails.append("thank-you")
        path.stop("has a deposit")
        return path
    if row["default"] == "yes" or balance < -200:
        path.tags.append("at risk")
        path.stop("not eligible")
        return path
    if age < 21:
        path.stop("too young")
        return path
    path.moves += 1

    # Segment
    if row["poutcome"] == "success":
        path.moves += 1
        return banker(path, reachable)
    if row["housing"] == "yes" and row["loan"] == "yes" and balance < 500:
        path.tags.append("stretched")
        path.stop("no room to save")
        return path
    if int(row["previous"]) >= 1 and 1 <= int(row["pdays"]) <= 100:
        path.stop("asked lately")
        return path
    if row["job"] in ("retired", "student") or age >= 60:
        path.tags.append("saver")
    elif balance >= 2000 and row["loan"] == "no":
        path.tags.append("wealthy")
    elif balance <= 300:
        path.stop("no savings")
        return path
    path.moves += 1

    # Offer: one of three arms
    path.offered = True
    path.moves += 1

    # Answer
    if duration >= 600 and row["contact"] != "unknown":
        path.tags.append("interested")
        path.moves += 1
        return banker(path, reachable)
    if int(row["campaign"]) > 5:
        path.stop("left in peace")
        return path
    path.moves += 1

    # Reminder
    if int(row["campaign"]) == 1:
        path.emails.append("reminder")
    path.moves += 1

    # Last word
    if "wealthy" in path.tags and row["education"] == "tertiary" and duration >= 180:
        path.webhooks.append("call-centre")
        path.stop("handed to a banker")
    elif row["marital"] == "single" and age < 35:
        path.tags.append("app")
        path.stop("pointed to the app")
    elif row["month"] in ("nov", "dec", "jan") and int(row["day"]) > 15:
        path.stop("again next year")
    else:
        path.stop("cold")
    return path


def banker(path, reachable):
    if reachable:
        path.webhooks.append("call-centre")
        path.stop("handed to a banker")
    else:
        path.emails.append("please-call")
        path.stop("asked to call")
    return path


def expected(rows):
    count = collections.Counter
    stopped, emails, webhooks, tags = count(), count(), count(), count()
    entered = moves = offered = 0
    for row in rows:
        path = run(row)
        entered += 1
        moves += path.moves
        offered += path.offered
        stopped[path.outcome] += 1
        emails.update(path.emails)
        webhooks.update(path.webhooks)
        tags.update(path.tags)
    return {
        "entered": entered,
        "moves": moves,
        "offered": offered,
        "stopped": dict(sorted(stopped.items())),
        "emails": dict(sorted(emails.items())),
        "webhooks": dict(sorted(webhooks.items())),
        "tags": dict(sorted(tags.items())),
    }


def read(path, rows=None):
    """The CSV's rows, or the first so many."""
    with open(path, encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))[:rows]


class Differences:
    def __init__(self):
        self.lines = []

    def equal(self, what, wanted, found):
        if wanted != found:
            self.lines.append(f"{what}: expected {wanted}, found {found}")

    def same_counts(self, what, wanted, found):
        for name in sorted(set(wanted) | set(found)):
            self.equal(f"{what} '{name}'", wanted.get(name, 0), found.get(name, 0))


STATES = ("waiting", "sending", "sent", "failed", "uncertain")


def actions_of(report):
    """The actions as [{"kind", "name", "asked", and a number for each state}]."""
    return [
        {"kind": a["kind"], "name": a["name"], "asked": a["total"], **{s: a["states"].get(s, 0) for s in STATES}}
        for a in report["actions"]
    ]


def compare_report(want, report, may_be_uncertain, differences):
    """Compares and returns the actions {(kind, name): asked} and how many deliveries are uncertain."""
    differences.equal("contacts that entered", want["entered"], report["entered"])
    differences.equal("moves", want["moves"], report["moves"])
    differences.same_counts("contacts stopped as", want["stopped"], report["stopped"])
    if "tags" in report:
        differences.same_counts("contacts with tag", want["tags"], report["tags"])
    for step, number in report.get("waiting", {}).items():
        differences.equal(f"contacts still waiting on '{step}'", 0, number)

    asked = collections.Counter()
    uncertain = 0
    for action in actions_of(report):
        name = f"{action['kind']} '{action['name']}'"
        asked[action["kind"], action["name"]] += action["asked"]
        uncertain += action["uncertain"]
        differences.equal(f"{name} sent", action["asked"], action["sent"] + action["uncertain"])
        for state in ("failed", "waiting", "sending"):
            differences.equal(f"{name} {state}", 0, action[state])
    if uncertain > may_be_uncertain:
        differences.lines.append(
            f"deliveries of which nobody knows whether they were made: {uncertain}, "
            f"at most {may_be_uncertain} can come from the server that was killed"
        )

    arms = {name: asked.get(("email", name), 0) for name in ARMS}
    everybody = want["offered"]
    quiet = everybody - sum(arms.values())
    shares = {**ARMS, "(no e-mail)": 1 - sum(ARMS.values())}
    for name, number in {**arms, "(no e-mail)": quiet}.items():
        share = shares[name]
        slack = 4 * math.sqrt(everybody * share * (1 - share))
        if abs(number - everybody * share) > slack:
            differences.lines.append(
                f"arm '{name}': {number} of {everybody} contacts are not {share:.0%} (give or take {slack:.0f})"
            )

    found = {kind: {} for kind in ("email", "webhook")}
    for (kind, name), number in asked.items():
        found.setdefault(kind, {})[name] = number
    differences.same_counts("e-mails asked", {**want["emails"], **arms}, found.pop("email"))
    differences.same_counts("webhooks asked", want["webhooks"], found.pop("webhook"))
    for kind, names in found.items():
        differences.lines.append(f"actions of kind '{kind}', which the track does not have: {names}")
    return asked, uncertain


def compare_sink(asked, report, sink, differences):
    """What the mail server and the webhook receiver got, against what was asked. What was being sent by a server
    when it was killed may have arrived or not; everything else has arrived."""
    for kind, label in (("email", "mails"), ("webhook", "webhooks")):
        most = sum(n for (k, _), n in asked.items() if k == kind)
        least = most - sum(a["uncertain"] for a in actions_of(report) if a["kind"] == kind)
        received = sink[label]["received"]
        if not least <= received <= most:
            wanted = str(most) if least == most else f"{least} to {most}"
            differences.lines.append(f"{label} received: expected {wanted}, found {received}")
        differences.equal(f"{label} received more than once", 0, sink[label]["duplicates"])
        differences.equal(f"{label} received without an id", 0, sink[label]["without_id"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", default=DEFAULT_CSV)
    parser.add_argument("--rows", type=int, default=None, help="the first N contacts only")
    parser.add_argument("--report", help="what `turnout report TRACK --json` printed")
    parser.add_argument("--sink", help="what scripts/sink.py counted")
    parser.add_argument("--uncertain", type=int, default=0, metavar="N",
                        help="how many deliveries a killed server may have left uncertain")
    args = parser.parse_args()

    want = expected(read(args.csv, args.rows))
    if not args.report:
        print(json.dumps(want, indent=2))
        return 0

    differences = Differences()
    with open(args.report, encoding="utf-8") as file:
        report = json.load(file)
    asked, uncertain = compare_report(want, report, args.uncertain, differences)
    if args.sink:
        with open(args.sink, encoding="utf-8") as file:
            compare_sink(asked, report, json.load(file), differences)
    if differences.lines:
        print("The totals are not what the CSV gives:")
        for line in differences.lines:
            print(f"  {line}")
        return 1
    emails = sum(n for (kind, _), n in asked.items() if kind == "email")
    webhooks = sum(n for (kind, _), n in asked.items() if kind == "webhook")
    print(f"{want['entered']:,} contacts, {want['moves']:,} moves, {emails:,} e-mails and {webhooks:,} webhooks, "
          "as computed from the CSV.")
    if uncertain:
        print(f"{uncertain} deliveries were on their way in the server that was killed: they are kept as uncertain, "
              "not sent again.")
    if "tags" not in report:
        print("(Tags were not compared: the report has none.)")
    print("every contact accounted for, nothing twice")
    return 0


if __name__ == "__main__":
    sys.exit(main())
