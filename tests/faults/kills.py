#!/usr/bin/env python3
"""Kills peers with `kill -9` while contacts run through a track, then proves that nothing was lost or done twice.

    kills.py --turnout PROGRAM --database sqlite|postgresql [--kills 50] [--seed N] [--contacts-per-kill 300]

Three real servers on one database, a real mail server and a webhook receiver. Each turn: new contacts come in, a random
moment passes, a peer (the owner, the master, or any) is killed and started again. In the end every contact must have
made exactly the moves that its fields ask for; the outbox must hold exactly the actions of the journal's moves; the
mail server and the webhook receiver must have got each sent one once, each uncertain one at most once, and nothing else.
With --database postgresql the server named by TURNOUT_TEST_PG is used (see scripts/with-postgres.sh).
"""

import argparse
import pathlib
import random
import sys
import tempfile
import time

from accounts import Contacts, check, wait_for_the_end
from pings import Pings
from servers import Database, Group, end_of_run, start_sink

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ["a", "b", "c"]
TRACK = "Kills"


def pick_victim(dice, group):
    choice = dice.choice([group.owner(TRACK), group.master(), dice.choice(NAMES)])
    return choice if choice in NAMES else dice.choice(NAMES)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--contacts-per-kill", type=int, default=300)
    options = parser.parse_args()
    repro = f"kills.py --database {options.database} --kills {options.kills} --seed {options.seed}"
    dice = random.Random(options.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-kills-"))
    database = Database(options.database, folder, "kills")
    sink_process, sink = start_sink(folder)
    group = Group(options.turnout, folder, database, NAMES, sink, templates=("greet", "again", "bye"))
    failed = True
    try:
        for name in NAMES:
            group.start(name)
            time.sleep(0.3)
        group.wait_ready()
        contacts = Contacts(dice)
        batch = folder / "batch.csv"
        contacts.more(options.contacts_per_kill, batch)
        group.declare([{"name": "seen", "type": "boolean"}])
        group.command("import", str(batch), "--type", "score=number")
        group.command("apply", str(HERE / "kills.track"))
        group.command("apply", str(HERE / "pings.track"))
        pings = Pings(random.Random(options.seed + 1), group)
        pings.start()
        for turn in range(options.kills):
            contacts.more(options.contacts_per_kill, batch)
            group.command("import", str(batch))
            time.sleep(dice.uniform(0.0, 1.5))
            victim = pick_victim(dice, group)
            group.kill(victim)
            time.sleep(dice.uniform(0.0, 1.0))
            group.start(victim)
            if (turn + 1) % 10 == 0:
                print(f"{turn + 1} kills, {len(contacts.all)} contacts", flush=True)
        pings.finish()
        wait_for_the_end(database, contacts)
        problems = pings.check(database, folder / "ids")
        for problem in problems:
            print("wrong:", problem)
        failed = not check(database, contacts, folder / "ids", f"{options.kills} kills") or bool(problems)
        # Each server has lived through some of the kills since it was last killed itself.
        for kind in ("joined", "track_gained", "peer_gone"):
            if group.transitions(kind) == 0:
                print(f"wrong: no metric tells of {kind}")
                failed = True
    finally:
        status = end_of_run(group, sink_process, database, folder, repro if failed else None)
    sys.exit(status)


if __name__ == "__main__":
    main()
