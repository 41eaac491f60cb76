"""What must have happened to contacts that ran through kills.track, whatever was done to the servers meanwhile.

kills.track is the first track that the database is given; whatever else is in it is not looked at.

Every contact must have made exactly the moves that its fields ask for; the outbox must hold exactly the actions of the
journal's moves; the mail server and the webhook receiver must have got each sent one once, each uncertain one at most
once, and nothing else; no timer may be left. Computed here from the contacts alone, and shares no code with the engine.
"""

import collections
import json
import sys
import time

# What each rule of kills.track puts in the outbox: (step, rule) -> kinds in the order of the actions that go there.
ACTIONS = {
    ("Greet", 1): [("email", "greet")],
    ("Wait", 0): [("webhook", "sales")],
    ("Wait", 1): [("email", "again")],
    ("Last", 0): [("webhook", "sales")],
    ("End", 0): [("email", "bye")],
}


def expected_path(score, plan):
    """The steps and rules that a contact with these fields must take, and its outcome."""
    if score < 10:
        return [("Greet", 0)], "refused"
    path = [("Greet", 1), ("Wait", 0 if score >= 90 else 1)]
    if plan == "pro":
        return path + [("Last", 0)], "pro"
    return path + [("Last", 1), ("End", 0)], "completed"


class Contacts:
    """The contacts made so far, by key."""

    def __init__(self, dice):
        self.dice, self.all = dice, {}

    def more(self, count, path):
        with open(path, "w") as file:
            file.write("key,email,score,plan\n")
            for _ in range(count):
                key = f"c{len(self.all) + 1}"
                self.all[key] = (self.dice.randrange(100), self.dice.choice(["pro", "free", "trial"]))
                file.write(f"{key},{key}@example.com,{self.all[key][0]},{self.all[key][1]}\n")


def wait_for_the_end(database, contacts, patience=90):
    """Until every contact has stopped and nothing waits to be delivered; `patience` seconds without progress are too many."""
    seen, deadline = None, time.monotonic() + patience
    while time.monotonic() < deadline:
        stopped = int(database.rows("select count(*) from position where state = 2 and track_id = 1")[0][0])
        busy = int(database.rows("select count(*) from outbox where state in (0, 1) and track_id = 1")[0][0])
        if stopped == len(contacts.all) and busy == 0:
            return
        if (stopped, busy) != seen:
            seen, deadline = (stopped, busy), time.monotonic() + patience
        time.sleep(0.5)
    states = database.rows("select state, count(*) from outbox where track_id = 1 group by state")
    positions = database.rows("select step, state, count(*) from position where track_id = 1 group by step, state")
    sys.exit(f"not everything came to its end: outbox {states}, positions {positions}")


def read_names(database):
    return {int(number): (kind, name) for number, kind, name in
            database.rows("select number, kind, name from track_name where track_id = 1")}


def check_moves(database, contacts, names):
    """Every contact made exactly its moves. Returns the outbox rows that the journal asks for."""
    problems, asked = [], collections.Counter()
    journal = collections.defaultdict(list)
    for key, contact, first, last, path in database.rows(
            "select c.key, j.contact_id, j.from_move, j.to_move, j.path from journal j "
            "join contact c on c.id = j.contact_id where j.track_id = 1 order by j.contact_id, j.from_move"):
        journal[key].append((int(contact), int(first), int(last), json.loads(path)))
    ends = {key: (int(step), int(move)) for key, step, move in database.rows(
        "select c.key, p.step, p.move_no from position p join contact c on c.id = p.contact_id "
        "where p.track_id = 1")}
    for key, (score, plan) in contacts.all.items():
        want, outcome = expected_path(score, plan)
        got, next_move = [], 1
        for contact, first, last, path in journal[key]:
            if first != next_move or (last - first + 1) * 2 + 1 != len(path):
                problems.append(f"{key}: moves {first}–{last} follow {next_move - 1}")
            next_move = last + 1
            for i in range(0, len(path) - 1, 2):
                rule = (names[path[i]][1], path[i + 1])
                for n, (kind, name) in enumerate(ACTIONS.get(rule, []), 1):
                    asked[(contact, first + i // 2, kind, name)] += 1
                got.append(rule)
        if got != want or ends.get(key) is None or names[ends[key][0]][1] != outcome or ends[key][1] != len(want):
            problems.append(f"{key}: went {got}, must go {want} to {outcome}; stands at {ends.get(key)}")
    return problems, asked


def check_outbox(database, names, asked, ids_path):
    problems, rows = [], {}
    states = {0: "waiting", 1: "sending", 2: "sent", 3: "failed", 4: "uncertain"}
    in_outbox, counts = collections.Counter(), collections.Counter()
    for track, contact, entry, move, action, name, state in database.rows(
            "select track_id, contact_id, entry, move_no, action_no, name, state from outbox where track_id = 1"):
        in_outbox[(int(contact), int(move), *names[int(name)])] += 1
        rows[f"{track}.{contact}.{entry}.{move}.{action}"] = states[int(state)]
        counts[states[int(state)]] += 1
    for key in (asked - in_outbox):
        problems.append(f"asked for by a move but not in the outbox: {key}")
    for key in (in_outbox - asked):
        problems.append(f"in the outbox but asked for by no move: {key}")
    got = collections.Counter()
    for line in open(ids_path, encoding="utf-8"):
        identity = line.split(" ")[1].strip("<>")
        if identity.split(".")[0] == "1":
            got[identity.split("@")[0]] += 1
    for key, state in rows.items():
        allowed = {"sent": (1,), "uncertain": (0, 1)}.get(state, (0,))
        if got[key] not in allowed:
            problems.append(f"{key} is {state} and was received {got[key]} times")
    for key in got:
        if key not in rows:
            problems.append(f"received but not in the outbox: {key}")
    timers = database.rows("select count(*) from timer where track_id = 1")[0][0]
    if timers != "0":
        problems.append(f"{timers} timers are left though every contact has stopped")
    return problems, counts


def check(database, contacts, ids_path, what):
    """Prints what is wrong, and one line that sums up; True when all is right. `what` says what was done to the servers."""
    names = read_names(database)
    problems, asked = check_moves(database, contacts, names)
    more, counts = check_outbox(database, names, asked, ids_path)
    problems += more
    for problem in problems[:20]:
        print("wrong:", problem)
    print(f"{database.kind}: {what}, {len(contacts.all)} contacts, {sum(asked.values())} actions "
          f"({', '.join(f'{n} {s}' for s, n in sorted(counts.items()))}): "
          + (f"{len(problems)} problems" if problems else "no move lost, none twice"))
    return not problems
