"""Events that go on coming in, whatever is done to the servers meanwhile, and what must have come of them.

Each ping of a contact makes an entry of its own on pings.track, and its pong ends that entry and calls a webhook. The
events are sent in batches to servers picked at random, again and again until one says that it has recorded them, and now
and then once more after that: as clients do. In the end there must be exactly one entry for each ping, moved once by its
pong, and one call of the webhook. The contacts are not those of accounts.py.
"""

import collections
import json
import threading
import time
import urllib.error
import urllib.request

CONTACTS = 40
BATCH = 20
PAUSE = 0.1  # seconds between two batches


class Pings:
    def __init__(self, dice, group):
        self.dice, self.group = dice, group
        self.pings, self.open, self.batches = [], [], []
        self.repeats, self.ending = 0, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self):
        self.thread.start()

    def run(self):
        while not self.ending.is_set():
            self.one_batch(pings=True)
            if self.dice.random() < 0.2:
                self.repeats += self.send(self.dice.choice(self.batches))
            self.ending.wait(PAUSE)

    def one_batch(self, pings):
        """Pings, and pongs for some of those that were sent before."""
        events, new = [], []
        for _ in range(BATCH if pings else 0):
            ping = (f"e{self.dice.randrange(CONTACTS)}", len(self.pings) + len(new))
            new.append(ping)
            events.append(self.event("ping", *ping))
        self.dice.shuffle(self.open)
        answered = [self.open.pop() for _ in range(min(len(self.open), BATCH))]
        events += [self.event("pong", *ping) for ping in answered]
        self.batches.append(events)
        self.send(events)
        self.pings += new
        self.open += new

    @staticmethod
    def event(name, key, n):
        return {"key": key, "event": name, "id": f"{name}-{n}", "properties": {"n": n}}

    def send(self, events):
        """Until a server has recorded them. Returns how many had been recorded before."""
        body = json.dumps({"source": "test", "events": events}).encode()
        while True:
            url = self.group.url(self.dice.choice(self.group.names)) + "/api/events"
            request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
            try:
                with urllib.request.urlopen(request, timeout=3) as answer:
                    return json.load(answer)["repeated"]
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code != 429:
                    raise
            except (OSError, ValueError):
                pass
            time.sleep(0.1)

    def finish(self):
        """Sends the pongs that are left."""
        self.ending.set()
        self.thread.join()
        while self.open:
            self.one_batch(pings=False)

    def check(self, database, ids_path, patience=60):
        """What is wrong; prints a line that sums up."""
        track = database.rows("select id from track where name = 'Pings'")[0][0]
        of_it, deadline = f"where track_id = {track}", time.monotonic() + patience
        while time.monotonic() < deadline:
            stopped = int(database.rows(f"select count(*) from position {of_it} and state = 2")[0][0])
            busy = int(database.rows(f"select count(*) from outbox {of_it} and state in (0, 1)")[0][0])
            if stopped >= len(self.pings) and busy == 0:
                break
            time.sleep(0.5)
        entries = collections.Counter(
            (key, int(n)) for key, n in database.rows(
                "select c.key, p.entry_key from position p join contact c on c.id = p.contact_id "
                f"where p.track_id = {track} and p.state = 2 and p.move_no = 1"))
        want = collections.Counter(self.pings)
        problems = [f"the ping {ping} has made no entry that was answered" for ping in want - entries]
        problems += [f"more entries than pings: {ping}" for ping in entries - want]
        in_all = int(database.rows(f"select count(*) from position {of_it}")[0][0])
        if in_all != len(self.pings):
            problems.append(f"{in_all} entries of {len(self.pings)} pings")
        moves = int(database.rows(f"select count(*) from journal {of_it}")[0][0])
        recorded = int(database.rows("select count(*) from event")[0][0])
        if moves != len(self.pings) or recorded != 2 * len(self.pings):
            problems.append(f"{moves} moves, {recorded} events of {len(self.pings)} pings")
        problems += self.check_calls(database, track, ids_path)
        print(f"{database.kind}: {len(self.pings)} pings and as many pongs, {self.repeats} sent again: "
              + (f"{len(problems)} problems" if problems else "each heard once"))
        return problems[:20]

    @staticmethod
    def check_calls(database, track, ids_path):
        states = {f"{track}.{contact}.{entry}.{move}.{action}": int(state) for contact, entry, move, action, state in
                  database.rows(f"select contact_id, entry, move_no, action_no, state from outbox where track_id = {track}")}
        got = collections.Counter()
        for line in open(ids_path, encoding="utf-8"):
            identity = line.split(" ")[1].strip("<>").split("@")[0]
            if identity.split(".")[0] == track:
                got[identity] += 1
        allowed = {2: (1,), 4: (0, 1)}  # sent, uncertain
        return [f"{key} is in state {state} and was received {got[key]} times" for key, state in states.items()
                if got[key] not in allowed.get(state, (0,))] + [f"received but not asked for: {key}" for key in
                                                                got if key not in states]
