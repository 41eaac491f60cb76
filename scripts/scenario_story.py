"""Reads a transcript of tests/group as a story: moments, what each peer does and believes then, what the ledger says.

A transcript says what peers advertise and notice; the story adds only what follows from it (who is cut off from whom,
which claim beat which, whose row a track is), and compares its ledger with every one that the transcript prints. What
it does not know it leaves out, so that a new kind of line makes no picture wrong.
"""

import copy
import re
from dataclasses import dataclass, field

LINE = re.compile(r"\s*(\d+)  (\S+)  (.*)")
ROW = re.compile(r"  (?:master|track (\d+)): (\S+?)(?:/\d+)? at epoch (\d+)$")
CLAIM = re.compile(r"(\d+):(\d+)\((\d+)\)")
BLOCK = re.compile(r"(?:hands|reports) block (\d+) (?:of track .* to (\w+)(, attempt \d+)?$|to (\w+): (.*))")
MASTER = 0  # the ledger's row of the master, beside the tracks'
SOON_MS = 100  # an answer of the ledger comes within this time
QUIET = ("run", "watch", "ledger", "peers", "tracks", "value", "group")


@dataclass
class Claim:
    counter: int
    owned: int  # tracks that the claimant counted as its own
    since: int  # ms
    marked: int  # ms of the last advertisement that is drawn


@dataclass
class Peer:
    """What a peer is (by the commands) and believes (by what it says)."""
    phase: str = ""  # joining, member, leaving; empty: its process does not run
    life: int = 0  # incarnation
    paused: bool = False
    mute: str = ""  # why it writes nothing
    owned: dict = field(default_factory=dict)  # track or MASTER -> epoch
    claims: dict = field(default_factory=dict)  # track -> Claim
    finds: dict = field(default_factory=dict)  # peer -> state


@dataclass
class State:
    peers: dict  # name -> Peer
    ledger: dict = field(default_factory=dict)  # track or MASTER -> (owner, epoch)
    cut: set = field(default_factory=set)  # (from, to)

    def works(self, row):
        """Whether the owner in the ledger runs what the row is for."""
        owner, epoch = self.ledger[row]
        peer = self.peers[owner]
        return bool(peer.phase) and not peer.paused and not peer.mute and peer.owned.get(row) == epoch


@dataclass
class Moment:
    """All that happens in one millisecond. Notes are of a kind: what is done to peers (fault, mend, told), what a peer
    does (act), that it stops writing (stop), and what it sees of others (view)."""
    at: int
    state: State = None  # after it
    notes: list = field(default_factory=list)  # (peer or "", kind, text)
    takes: list = field(default_factory=list)  # (peer, row, whether the peer learns of it, whether it is refused)
    messages: list = field(default_factory=list)  # (from, to)
    counters: list = field(default_factory=list)  # (peer, track, counter)
    withdrawn: list = field(default_factory=list)  # (peer, track)
    killed: list = field(default_factory=list)  # peers
    cuts: list = field(default_factory=list)  # (peer, peer, whether both ways)


def words(items):
    items = [str(i) for i in items]
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def duration_us(text):
    number, unit = re.fullmatch(r"(\d+)(us|ms|s)", text).groups()
    return int(number) * {"us": 1, "ms": 1000, "s": 1_000_000}[unit]


class Story:
    """`moments` from `begin` on (ms), `first` the state before them, `end` (ms), `cycle` (ms), `about` the transcript's
    first comment. `begin` is the first command to a running group, as all before it only makes the group; give `window`
    (begin, end or None) where that does not fit."""

    def __init__(self, text, window=None):
        self._events, self.end, self.about = [], 0, ""
        self.peers, self.cycle = [], 1000
        self._read(text)
        acts = [at for at, _, said in self._events if isinstance(said, list) and said[0] not in QUIET]
        self.begin = next((at for at in acts if at > 0), 0)
        if window:
            self.begin, self.end = window[0], window[1] or self.end
        self.first, self.moments = None, []
        self._state = State({name: Peer() for name in self.peers})
        self._lives = 0
        self._handed = {}  # (owner, block) -> whom it was handed to
        for _, who, said in self._events:
            if not isinstance(said, list) and (m := BLOCK.match(said)) and m[2]:
                self._handed.setdefault((who, m[1]), []).append(m[2])
        self._now = Moment(-1)
        self._tell()

    # --- reading -----------------------------------------------------------------------------------------

    def _read(self, text):
        clock, commands, outputs, expected = 0, [], None, False
        for line in text.splitlines() + [""]:
            if line == "----":
                outputs = []
            elif outputs is not None and line:
                outputs.append(line)
            elif outputs is not None:
                clock = self._stanza(clock, commands, outputs)
                commands, outputs = [], None
            elif line.startswith("#"):
                if not commands and not self._events:
                    self.about += line.lstrip("# ").rstrip() + " "
            elif said := line.split("#")[0].split():
                commands.append(said)
        self.end = clock // 1000
        self.about = re.sub(r"^(?:Rule \d+|[RG]\d+(?:, [RG]\d+)*): ", "", self.about.strip())

    def _stanza(self, clock, commands, outputs):
        events = []  # (ms, who, words of a command or text of a line)
        rows = [m.groups() for m in map(ROW.match, outputs) if m]
        for said in commands:
            if said[0] == "group":
                if self.peers:
                    raise ValueError("a second group in one transcript: there is no picture for that")
                settings = dict(s.split("=") for s in said[1:])
                self.peers = settings["peers"].split(",")
                self.cycle = duration_us(settings.get("cycle", "1s")) // 1000
            elif said[0] == "run":
                clock += duration_us(said[1])
            elif said[0] == "ledger":
                events.append((clock // 1000, "", ["ledger", rows]))
            else:
                events.append((clock // 1000, "", said))
        for m in map(LINE.match, outputs):
            if m and m[2] in self.peers:
                events.append((int(m[1]), m[2], m[3]))
        # A command comes before what it leads to in the same millisecond; a ledger is printed after that.
        order = {"ledger": 2}
        events.sort(key=lambda e: (e[0], order.get(e[2][0], 0) if isinstance(e[2], list) else 1))
        self._events += events
        return clock

    def _says_soon(self, index, who, text):
        """Whether `who` says something that starts with `text` soon after event `index`."""
        at = self._events[index][0]
        later = (e for e in self._events[index:] if e[0] <= at + SOON_MS)
        return any(e[1] == who and not isinstance(e[2], list) and e[2].startswith(text) for e in later)

    # --- telling -----------------------------------------------------------------------------------------

    def _tell(self):
        for index, (at, who, said) in enumerate(self._events):
            if at != self._now.at:
                self._close()
                self._now = Moment(at)
            if isinstance(said, list):
                self._command(said)
            else:
                self._line(index, who, said)
        self._close()
        if self.first is None:
            self.first = copy.deepcopy(self._state)

    def _close(self):
        now = self._now
        now.notes = self._joined(now.notes)
        if now.cuts:
            now.notes.insert(0, ("", "fault", "the network is cut: " + self._parted(now.cuts)))
        if self.begin <= now.at <= self.end:
            now.state = copy.deepcopy(self._state)
            self.moments.append(now)
        elif now.at < self.begin:
            self.first = copy.deepcopy(self._state)

    def _note(self, who, text, kind="act"):
        self._now.notes.append((who, kind, text))

    @staticmethod
    def _joined(notes):
        """Notes with the words for several peers at once where one says the same of each."""
        joined = {}
        for who, kind, text in notes:
            template, about = text if isinstance(text, tuple) else (text, None)
            joined.setdefault((who, kind, template), []).append(about)
        return [(who, kind, template.format(words(about)) if about[0] else template)
                for (who, kind, template), about in joined.items()]

    @staticmethod
    def _parted(cuts):
        """In words what no longer hears what."""
        ones, others = sorted({a for a, _, _ in cuts}), sorted({b for _, b, _ in cuts})
        if len(cuts) == len(ones) * len(others) and all(both for _, _, both in cuts):
            return f"{words(ones)} from {words(others)}"
        return words([f"{a} from {b}" if both else f"{b} hears nothing of {a}" for a, b, both in cuts])

    def _command(self, said):
        verb, args = said[0], said[1:]
        if verb == "ledger":
            self._compare(args[0])
        elif verb in ("start", "kill", "pause", "resume", "leave"):
            for name in args:
                getattr(self, "_" + verb)(name, self._state.peers[name])
        elif verb in ("cut", "cut-one"):
            self._state.cut.add((args[0], args[1]))
            if verb == "cut":
                self._state.cut.add((args[1], args[0]))
            self._now.cuts.append((args[0], args[1], verb == "cut"))
        elif verb == "heal":
            self._state.cut.clear()
            self._note("", "the network is whole again", "mend")
        elif verb == "database":
            fails = args[1] == "down"
            self._note(args[0], "its database " + ("fails" if fails else "answers again"), "fault" if fails else "mend")
        elif verb == "steal":
            row, name = int(args[0]), args[1]
            owner, epoch = self._state.ledger.get(row, ("", 1))
            self._state.ledger[row] = (name, epoch + 1)
            self._now.takes.append((name, row, False, False))
            self._note(name, f"takes {row}, never hears the answer", "fault")
        elif verb not in QUIET:
            self._note("", " ".join(said), "fault")

    def _start(self, name, peer):
        self._lives += 1
        again = peer.life > 0
        self._state.peers[name] = Peer(phase="joining", life=self._lives)
        self._note(name, f"starts again, incarnation {self._lives}" if again else "starts: joining", "told")

    def _kill(self, name, peer):
        self._state.peers[name] = Peer(life=peer.life)
        self._now.killed.append(name)
        self._note(name, "killed", "fault")

    def _pause(self, name, peer):
        peer.paused = True
        self._note(name, "stands still", "fault")

    def _resume(self, name, peer):
        peer.paused = False
        self._note(name, "runs again", "mend")

    def _leave(self, name, peer):
        peer.phase = "leaving"
        self._note(name, "is told to leave", "told")

    def _compare(self, rows):
        for track, owner, epoch in rows:
            row = int(track) if track else MASTER
            told = self._state.ledger.get(row, ("nobody", 1))
            if told != (owner, int(epoch)):
                raise ValueError(f"at {self._now.at} ms the transcript's ledger says {owner} at epoch {epoch} for "
                                 f"{'the master' if row == MASTER else f'track {row}'}, its lines lead to {told}")

    def _line(self, index, who, text):
        peer = self._state.peers[who]
        numbers = [int(n) for n in re.findall(r"\b\d+\b", text)]
        if text.startswith("advertises "):
            self._advertises(index, who, peer, text)
        elif text.startswith("finds "):
            self._finds(who, peer, text)
        elif text.startswith("stops: "):
            self._stops(who, peer, text)
        elif text == "may write":
            if peer.mute not in ("", "starting"):
                self._note(who, "stamped, read the ledger: may write")
            peer.mute = ""
        elif text == "is a member":
            peer.phase = "member"
            self._note(who, "is a member")
        elif text == "has left":
            self._state.peers[who] = Peer(life=peer.life)
            self._note(who, "has left")
        elif text.startswith("sees master") and peer.phase == "joining":
            self._note(who, f"sees master {text.split()[2]}", "view")
        elif text.startswith("is master under"):
            self._gains(who, peer, MASTER, numbers[0], f"is master, epoch\N{NO-BREAK SPACE}{numbers[0]}")
        elif text.startswith("is no longer master"):
            peer.owned.pop(MASTER, None)
            self._note(who, "is master no longer")
        elif text.startswith("gained track"):
            self._gains(who, peer, numbers[0], numbers[1], f"takes {numbers[0]}, epoch\N{NO-BREAK SPACE}{numbers[1]}")
        elif text.startswith("lost track"):
            peer.owned.pop(numbers[0], None)
            if m := re.search(r" to (\w+)$", text):
                self._note(who, f"{numbers[0]} is {m[1]}’s now")
        elif m := re.match(r"(?:offers|assigns) track (\d+) .*to (\w+)$|assigns track (\d+) to (\w+)$", text):
            self._now.messages.append((who, m[2] or m[4]))
            self._note(who, f"{text.split()[0]} {m[1] or m[3]} to {m[2] or m[4]}")
        elif m := re.match(r"cedes track (\d+) to nobody", text):
            self._note(who, f"gives {m[1]} up")
        elif m := BLOCK.match(text):
            self._block(who, *m.groups())

    def _block(self, who, number, to, again, reported_to, outcome):
        """A block on its way, if it is handed out again: the others are the daily work."""
        owner = reported_to or who
        if len(self._handed.get((owner, number), ())) == 1:
            return
        self._now.messages.append((who, reported_to or to))
        if reported_to:
            self._note(who, f"block {number}: " + outcome.removeprefix("done, "))
        else:
            self._note(who, f"hands block {number} " + ("out again: " if again else "") +
                       ("to itself" if to == who else f"to {to}"))

    def _gains(self, who, peer, row, epoch, note):
        claim = peer.claims.pop(row, None)
        if claim and claim.counter == 0 and claim.marked < self._now.at - self.cycle // 2:
            self._now.counters.append((who, row, 0))
        peer.owned[row] = epoch
        if self._state.ledger.get(row) != (who, epoch):
            self._state.ledger[row] = (who, epoch)
            self._now.takes.append((who, row, True, False))
            self._note(who, note)
        else:
            self._note(who, f"goes on with {row}, epoch\N{NO-BREAK SPACE}{epoch}")

    def _stops(self, who, peer, text):
        peer.mute = text.removeprefix("stops: ")
        if peer.mute != "starting":
            reason = {"its timer ran late": "was held up", "it lost most of the group": "lost most peers",
                      "unfit": "is unfit"}.get(peer.mute, peer.mute)
            self._note(who, f"{reason}: writes nothing", "stop")

    def _finds(self, who, peer, text):
        name, life, state = re.match(r"finds (\w+)/(\d+) (.*)", text).groups()
        before_life, before = peer.finds.get(name, (int(life), ""))
        peer.finds[name] = (int(life), state)
        said = {"suspect": "suspects {}", "unavailable": "finds {} unavailable", "gone": "finds {} gone",
                "leaving": "hears that {} leaves", "living, unfit": "hears that {} is unfit"}.get(state)
        if int(life) > before_life:
            said = "hears {} in its new life"
        elif state == "living" and before in ("suspect", "unavailable"):
            said = "sees the stamp of {} move" if (name, who) in self._state.cut else "hears {} again"
        elif state == before:
            said = None
        if said:
            self._note(who, (said, name), "view")

    # --- claims ------------------------------------------------------------------------------------------

    def _advertises(self, index, who, peer, text):
        at = self._now.at
        claims = {int(t): (int(c), int(o)) for t, c, o in CLAIM.findall(text)}
        begun = [t for t in claims if t not in peer.claims]
        for track, (counter, owned) in claims.items():
            claim = peer.claims.setdefault(track, Claim(-1, owned, at, -self.cycle))
            if counter != claim.counter or at - claim.marked > self.cycle // 2:
                self._now.counters.append((who, track, counter))
                claim.marked = at
            claim.counter = counter
        for track in begun:
            self._note(who, ("claims {}", track))
        for track in [t for t in peer.claims if t not in claims]:
            self._ends(index, who, peer, track)

    def _ends(self, index, who, peer, track):
        claim, at = peer.claims[track], self._now.at
        if self._says_soon(index, who, f"gained track {track} "):
            if at - claim.marked > self.cycle // 2:
                self._now.counters.append((who, track, 0))
            claim.counter, claim.marked = 0, at
            return
        del peer.claims[track]
        if claim.since == at:  # it came and went within the millisecond
            self._now.counters = [c for c in self._now.counters if c[:2] != (who, track)]
            self._now.notes.remove((who, "act", ("claims {}", track)))
            return
        owner, epoch = self._state.ledger.get(track, ("", 0))
        if self._says_soon(index, who, f"asks to take track {track}"):
            self._now.takes.append((who, track, True, True))
            self._now.counters.append((who, track, 0))
            self._note(who, f"is refused {track}: {owner}’s, epoch\N{NO-BREAK SPACE}{epoch}")
            return
        self._now.withdrawn.append((who, track))
        self._now.counters = [c for c in self._now.counters if c[:2] != (who, track)]
        mine = (claim.owned, who)
        rivals = [(p.claims[track].owned, n) for n, p in self._state.peers.items() if n != who and track in p.claims]
        if rivals and min(rivals) < mine:
            owned, name = min(rivals)
            why = f"owns fewer ({owned} to {claim.owned})" if owned < claim.owned else "is the lower name"
            self._note(who, f"withdraws from {track}: {name} {why}")
        elif peer.finds.get(owner, (0, ""))[1] == "living" and owner != who and owner not in ("", "nobody"):
            taken = any(w == owner and r == track for m in self.moments + [self._now] for w, r, _, no in m.takes
                        if not no and m.at >= claim.since - SOON_MS)
            self._note(who, f"withdraws from {track}" + (f": {owner} has it" if taken else ""))
        else:
            self._note(who, f"withdraws from {track}")
