#!/usr/bin/env python3
"""A group of real servers across the Internet: slow lines that stall and are cut, and one server behind NAT.

    wan.py --turnout PROGRAM [--cycle 1s] [--rounds 4 | --minutes N] [--seed N]

Servers a and b can be dialled, by their `advertise` address, which is a proxy's (proxy.py): 150 ms each way. Server n is
behind a router that translates addresses: it dials out through the proxy, and nobody can dial it; it knows the address of
a alone. All are hosts of their own (tests/faults/in-network.sh) on the PostgreSQL of scripts/with-postgres.sh, and speak
TLS with the group's key. While contacts run through a track, the proxy cuts some connections or all, or stalls for up to
twice the miss limit. It is checked that

- one master is elected, every track is owned, and the tracks spread evenly, by a server at a time;
- each pair of servers has one session (two connections), whichever side dialled, and has it again after each fault;
- no track and no master changes hands because of cuts and stalls, since the stamps in the database move on;
- no move is lost or made twice, nor any message (accounts.py);
- the server behind NAT does blocks.

--cycle 15s is the profile for such networks; a shorter one takes less time to show the same.
"""

import argparse
import collections
import pathlib
import random
import sys
import tempfile
import time

import network
from accounts import Contacts, check, wait_for_the_end
from proxy import Proxy
from servers import Database, Group, end_of_run, start_sink

HERE = pathlib.Path(__file__).resolve().parent
DIALLED = ["a", "b"]
HIDDEN = "n"
NAMES = DIALLED + [HIDDEN]
MISS_LIMIT = 4
CONTACTS = 100  # at a time
DELAY = 0.15  # seconds each way
CONNECTIONS = 2 * 3  # two for each of three pairs
IDLE = 2  # tracks that nobody is put on, beside Kills and Crowd

IDLE_TRACK = """track "Idle {0}"
  about "Owned and otherwise at rest."

  gather contacts where score is at least 1000 continuously
    start at "Stop"

step "Stop"
  otherwise:
    stop
"""

CROWD = 20_000  # the first; the next ones are three times as many, until there is work for all
CROWDS = 4
CROWD_TRACK = """track "Crowd"
  about "So many at once that there is work for servers far away, too."

  gather contacts where plan is "crowd" continuously
    start at "First"

step "First"
  when score is less than 10:
    stop as "never"
  otherwise:
    set seen to true
    go to "Second"

step "Second"
  otherwise:
    add tag "counted"
    stop
"""


class WanGroup(Group):
    """`names` are the servers that can be asked from here."""

    def __init__(self, *arguments, proxy, **more):
        super().__init__(*arguments, **more)
        self.lines = {name: proxy.listen(self.host(name), port) for name, (_, port) in self.ports.items()}
        self.ports[HIDDEN] = (7100, 7101)

    def addresses(self, name):
        line = f'listen = ["{self.host(name)}:{self.ports[name][1]}"]\n'
        if name == HIDDEN:
            return line + f'seeds = ["{network.HUB}:{self.lines["a"]}"]'
        other = next(n for n in DIALLED if n != name)
        return (line + f'advertise = "{network.HUB}:{self.lines[name]}"\n'
                f'seeds = ["{network.HUB}:{self.lines[other]}"]')


def wait_for(what, patience, condition):
    """Until the condition gives something true, which is returned."""
    begun = time.monotonic()
    deadline = begun + patience
    while True:
        answer = condition()
        if answer:
            print(f"{time.strftime('%H:%M:%S')} after {time.monotonic() - begun:.1f} s: {what}", flush=True)
            return answer
        if time.monotonic() > deadline:
            sys.exit(f"wrong: not within {patience:.0f} s: {what}")
        time.sleep(0.1)


def states(group):
    """What each server that can be asked thinks of each: {(viewer, name): state}, and the masters that they name."""
    seen, masters = {}, set()
    for viewer in DIALLED:
        view = group.ask("/api/peers", viewer)
        for peer in (view or {}).get("peers", []):
            seen[viewer, peer["name"]] = peer["state"]
            if peer.get("master"):
                masters.add(peer["name"])
    return seen, masters


def together(group):
    seen, masters = states(group)
    return len(masters) == 1 and all(seen.get((viewer, name)) == "living" for viewer in DIALLED for name in NAMES)


def ledger(database):
    return {track: (owner, epoch) for track, owner, epoch in
            database.rows("select track_id, owner, epoch from ledger order by track_id")}


def spread(rows):
    """Whether all tracks are owned and no server has two more than another (row 0 is the master's)."""
    tracks = [owner for track, (owner, _) in rows.items() if track != "0"]
    counts = collections.Counter(tracks)
    numbers = [counts[name] for name in NAMES]
    return len(tracks) == IDLE + 2 and sum(numbers) == len(tracks) and max(numbers) - min(numbers) <= 1


def prepare(group, contacts, batch):
    contacts.more(CONTACTS, batch)
    group.declare([{"name": "seen", "type": "boolean"}])
    group.command("import", str(batch), "--type", "score=number")
    group.command("apply", str(HERE / "kills.track"))
    for number in range(1, IDLE + 1):
        track = batch.parent / f"idle{number}.track"
        track.write_text(IDLE_TRACK.format(number))
        group.command("apply", str(track))


def crowd(group, database, folder, patience):
    """A backlog that lasts longer than messages take, so that every server has a part in it. How many that is depends on
    the machine: one crowd after the other comes, each larger, until it is enough. Returns how many passages each server
    has made."""
    file, track = folder / "crowd.csv", folder / "crowd.track"
    track.write_text(CROWD_TRACK)
    people, passages = 0, {}
    for times in range(CROWDS):
        first, people = people, people + CROWD * 3**times
        file.write_text("key,plan\n" + "".join(f"crowd{n},crowd\n" for n in range(first, people)))
        group.command("import", str(file))
        if not passages:
            group.command("apply", str(track))
        number = database.rows("select id from track where name = 'Crowd'")[0][0]
        of_it = f"where track_id = {number}"
        wait_for(f"{people} of the crowd through their track", patience, lambda: int(
            database.rows(f"select count(*) from position {of_it} and state = 2")[0][0]) == people)
        passages = {peer: int(count) for peer, count in
                    database.rows(f"select peer, count(*) from journal {of_it} group by peer")}
        if sorted(passages) == sorted(NAMES):
            break
    return passages


def fault(dice, proxy, cycle):
    """One fault of the line, from its beginning to its end. Returns what it was."""
    kind = dice.choice(["some", "all", "stall", "stall and cut"])
    if kind in ("some", "all"):
        cut = proxy.cut(dice, 0.4 if kind == "some" else 1.0)
        time.sleep(cycle * dice.uniform(0, 2))
        return f"cut {cut} connections"
    stalled = cycle * dice.uniform(1, 2 * MISS_LIMIT)
    proxy.stall()
    time.sleep(stalled)
    cut = proxy.cut(dice, 0.5) if kind == "stall and cut" else 0
    proxy.go_on()
    return f"stalled {stalled:.1f} s" + (f" and cut {cut} connections" if cut else "")


def steady(proxy, cycle):
    """True after a cycle in which there were always as many connections as there should be."""
    until = time.monotonic() + cycle
    while proxy.open() == CONNECTIONS:
        if time.monotonic() > until:
            return True
        time.sleep(0.02)
    return False


def try_group(group, database, proxy, dice, options, folder, cycle):
    for name in NAMES:
        group.start(name)
    group.wait_ready(10 * cycle + 30)
    wait_for("every server sees every other, and one master", 6 * cycle + 20, lambda: together(group))
    contacts, batch = Contacts(dice), folder / "batch.csv"
    prepare(group, contacts, batch)
    passages = crowd(group, database, folder, 10 * cycle + 60)
    wait_for("every track owned, and spread evenly", 20 * cycle + 20, lambda: spread(ledger(database)))
    time.sleep(2 * cycle)
    owned = ledger(database)
    problems, done = [], 0
    if sorted(passages) != sorted(NAMES):
        problems.append(f"not every server has moved some of the crowd: {passages}")
    until = time.monotonic() + 60 * options.minutes if options.minutes else None
    while (time.monotonic() < until) if until else (done < options.rounds):
        contacts.more(CONTACTS, batch)
        group.command("import", str(batch))
        print(f"{time.strftime('%H:%M:%S')} {fault(dice, proxy, cycle)}", flush=True)
        done += 1
        wait_for("two connections for each pair of servers again", 2 * cycle + 15,
                 lambda: proxy.open() == CONNECTIONS)
        if ledger(database) != owned:
            problems.append(f"owners changed from {owned} to {ledger(database)}")
            owned = ledger(database)
    wait_for_the_end(database, contacts)
    wait_for("every server sees every other, and one master", 6 * cycle + 20, lambda: together(group))
    # What the last stall has ended may be noticed, and made again, only now.
    wait_for("two connections for each pair of servers, for a whole cycle", 4 * cycle + 20, lambda: steady(proxy, cycle))
    if ledger(database) != owned:
        problems.append(f"owners changed from {owned} to {ledger(database)}")
    print(f"owners {dict((t, o) for t, (o, _) in owned.items())}; moved of the crowd: {passages}; "
          f"{proxy.opened()} connections made")
    for problem in problems:
        print("wrong:", problem)
    return check(database, contacts, folder / "ids", f"{done} faults of a slow line") and not problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turnout", required=True)
    parser.add_argument("--cycle", default="1s", help="in seconds: 15s")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    cycle = float(options.cycle.rstrip("s"))
    dice = random.Random(options.seed)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="turnout-wan-"))
    database = Database("postgresql", folder, "wan")
    sink_process, sink = start_sink(folder, network.HUB)
    net = network.Network(DIALLED)
    net.add_behind_nat(HIDDEN)
    proxy = Proxy(network.HUB, DELAY)
    group = WanGroup(options.turnout, folder, database, DIALLED, sink, cycle=options.cycle,
                     templates=("greet", "again", "bye"), network=net, proxy=proxy)
    failed = True
    try:
        failed = not try_group(group, database, proxy, dice, options, folder, cycle)
    finally:
        repro = f"wan.py --cycle {options.cycle} --rounds {options.rounds} --seed {options.seed}"
        status = end_of_run(group, sink_process, database, folder, repro if failed else None, [net])
    sys.exit(status)


if __name__ == "__main__":
    main()
