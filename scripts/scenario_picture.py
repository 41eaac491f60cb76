"""Draws a story (scenario_story.py) as an SVG: time runs downward, one lane for each peer, one for the ledger.

Every moment has its own line, however short after the last: what happens within milliseconds is what a scenario is
about. Idle time is cut out with a visible tear.
"""

from dataclasses import dataclass, field

from scenario_card import BAR, CELL, DIM, FAULT, GOLD, LIFE, PEERS, WIDTH, Card, wrapped
from scenario_story import MASTER, words

GUTTER = 72  # the times
TOP = 84  # title and heads of the lanes
LINE = 15
STEP = 5  # between arrows of one moment
MOST_ROWS = 5  # of the ledger: beyond that, only those in which something happens
CLASSES = {"fault": "f", "mend": "g", "told": "b", "stop": "s"}  # of notes
STRIPES = {"fault": "#fdecea", "mend": "#e5f4ea", "told": "#edf1f5"}  # behind what is done to peers
QUIET_CYCLES = 3  # without an event at the end: worth a line of its own


def time_of(ms):
    return f"{ms} ms" if 0 < ms < 1000 else f"{ms / 1000:.3f}".rstrip("0").rstrip(".") + " s"


def idle(peer):
    """Whether a peer does not work, and how that looks."""
    return "still" if peer.paused else "mute" if peer.mute not in ("", "starting") else ""


@dataclass
class Lane:
    name: str
    color: str
    spans: list = field(default_factory=list)  # (row, first line, line after the last, column): it owns or claims
    columns: int = 0
    left: float = 0
    right: float = 0

    def column(self, row, line):
        """Where a row's bar is at a line, or None."""
        at = [c for r, first, after, c in self.spans if r == row and first <= line <= after]
        return self.life + LIFE + 5 + BAR * at[0] if at else None

    @property
    def life(self):
        return self.left + 12

    @property
    def text(self):
        return self.life + LIFE + 6 + BAR * self.columns + 4


@dataclass
class Line:
    """One moment on the page."""
    at: int
    state: object
    moment: object = None
    y: float = 0
    shift: float = 0  # of what is written, below the arrows
    torn: bool = False  # idle time is left out before it
    claims: bool = False  # a claim begins, which takes two lines
    texts: dict = field(default_factory=dict)  # lane's name or "" -> [(class, line)]


class Picture(Card):
    def __init__(self, story, title, source):
        super().__init__()
        self.story, self.title, self.source = story, title, source
        self.rows, self.left_out = self._rows()
        self.colors = {name: PEERS[i % len(PEERS)] for i, name in enumerate(story.peers)}
        self.ledger_left = WIDTH - 12 - CELL * max(len(self.rows), 2)
        self.lines = self._lines()
        self.lanes = {name: self._lane(name) for name in story.peers}
        self._share_width()
        self.bottom = self._place()

    # --- what is shown, and where ------------------------------------------------------------------------

    def _rows(self):
        """The ledger's rows that are shown, and the tracks that are left out as nothing happens to them."""
        states = [self.story.first] + [m.state for m in self.story.moments]
        everything = sorted({row for state in states for row in state.ledger})
        if len(everything) <= MOST_ROWS:
            return everything, []
        changed = {row for row in everything if len({str(s.ledger.get(row)) for s in states}) > 1}
        claimed = {row for s in states for p in s.peers.values() for row in p.claims}
        shown = sorted(changed | claimed | {MASTER})
        return shown, [row for row in everything if row not in shown]

    def _seen(self, state):
        """What of a state can be seen."""
        peers = [(p.phase, idle(p), [p.owned.get(r) for r in self.rows], [r in p.claims for r in self.rows])
                 for p in state.peers.values()]
        return peers, {r: state.ledger.get(r) for r in self.rows}, state.cut

    def _lines(self):
        story = self.story
        lines = [Line(story.begin, story.first)]
        for moment in story.moments:
            drawn = any((moment.notes, moment.takes, moment.messages, moment.counters, moment.withdrawn, moment.killed))
            if drawn or self._seen(moment.state) != self._seen(lines[-1].state):
                lines.append(Line(moment.at, moment.state, moment))
        if story.end - lines[-1].at > QUIET_CYCLES * story.cycle:
            lines.append(Line(story.end, lines[-1].state))
        return lines

    def _spans(self, of):
        """[first line, line after the last, value] while a function of the state keeps its value."""
        spans = []
        for index, line in enumerate(self.lines):
            value = of(line.state)
            if spans and spans[-1][2] == value:
                spans[-1][1] = index + 1
            else:
                spans.append([index, index + 1, value])
        return spans

    def _runs(self, of):
        """The same with places on the page, and the first line."""
        end = [line.y for line in self.lines] + [self.bottom]
        return [(end[first], end[after], value, self.lines[first]) for first, after, value in self._spans(of)]

    def _lane(self, name):
        """Bars that are never there at once share a column."""
        lane = Lane(name, self.colors[name])
        spans = []
        for row in self.rows:
            for first, after, there in self._spans(
                    lambda s: row in s.peers[name].owned or row in s.peers[name].claims):
                if there:
                    spans.append((row != MASTER, first, row, after))
        used = []  # line after the last bar of each column
        for _, first, row, after in sorted(spans):
            column = next((i for i, end in enumerate(used) if end < first), len(used))
            used[column:column + 1] = [after]
            lane.spans.append((row, first, after, column))
        lane.columns = len(used)
        return lane

    def _share_width(self):
        spare = self.ledger_left - 10 - GUTTER - sum(BAR * lane.columns for lane in self.lanes.values())
        left = GUTTER
        for lane in self.lanes.values():
            lane.left = left
            left = lane.right = left + spare / len(self.lanes) + BAR * lane.columns

    def _place(self):
        y = TOP + (0 if self.story.begin == 0 else 26)
        self.lines[0].y = TOP
        for index, (before, line) in enumerate(zip(self.lines, self.lines[1:])):
            gap = line.at - before.at
            if before.moment:
                line.torn = gap > 1.5 * self.story.cycle
                y += 28 if line.torn else 8 * min(1, gap / self.story.cycle)
            line.y = y
            if line.moment:
                self._write(line)
                line.claims = any(track not in before.state.peers[who].claims for who, track, _ in line.moment.counters
                                  if self.lanes[who].column(track, index + 1) is not None)
            most = max([len(t) for t in line.texts.values()] + [2 if line.claims else 1])
            y += line.shift + max(24, 8 + LINE * most)
        return y + 12

    def _write(self, line):
        moment = line.moment
        arrows = len(moment.takes) + sum(a != b for a, b in moment.messages)
        line.shift = STEP * max(0, arrows - 1)
        for who, kind, text in moment.notes:
            lane = self.lanes.get(who)
            room = lane.right - lane.text - 2 if lane else self.ledger_left - GUTTER - 30
            class_ = CLASSES.get(kind, "")
            line.texts.setdefault(who, []).extend((class_, part) for part in wrapped(text, room, class_ != ""))

    # --- drawing -----------------------------------------------------------------------------------------

    def draw(self):
        self._stripes()
        self._rules()
        for lane in self.lanes.values():
            self._peer(lane)
        self._ledger()
        self._walls()
        for index, line in enumerate(self.lines):
            if line.moment:
                self._marks(index, line)
            if line.torn:
                self.tear(GUTTER, WIDTH - 14, line.y - 14)
        self._words()
        self._heads()
        return self.svg(self.title, self.description(), int(self.bottom + 28))

    def description(self):
        """The picture in words: what the scenario is, then what happens when."""
        told = [self.story.about]
        for line in self.lines:
            if line.moment and line.moment.notes:
                said = "; ".join((f"{who}: " if who else "") + text for who, _, text in line.moment.notes)
                told.append(f"{time_of(line.at - self.story.begin)}: {said}.")
        return " ".join(told)

    def _heads(self):
        self.text(16, 29, self.title, "h")
        self.text(GUTTER - 14, TOP - 20, "time", "d e")
        for lane in self.lanes.values():
            self.add("circle", cx=float(lane.life + 9), cy=TOP - 24.5, r=11, fill=lane.color)
            self.text(lane.life + 9, TOP - 20, lane.name, "w m")
            self.text(lane.life + 25, TOP - 20, f"peer {lane.name}", "p")
        self.text(self.ledger_left, TOP - 33, "ledger", "p")
        for index, row in enumerate(self.rows):
            x = self.ledger_left + CELL * index + CELL / 2 - 2
            self.text(x, TOP - 14, "M" if row == MASTER else f"{row}", "m d")
        left_out = ""
        if self.left_out:
            left_out = f" · left out, as they stay with their owners: tracks {words(self.left_out)}"
        self.text(16, self.bottom + 16, f"{self.source} · cycle {self.story.cycle // 1000} s{left_out}", "d x")

    def _rules(self):
        for x in [lane.left for lane in self.lanes.values()][1:] + [self.ledger_left - 10]:
            self.add("line", x1=float(x), x2=float(x), y1=TOP - 40, y2=float(self.bottom), class_="r")
        self.add("line", x1=16, x2=WIDTH - 16, y1=TOP - 6, y2=TOP - 6, stroke="#9aa6b0")
        for line in self.lines[1:]:
            self.add("line", x1=GUTTER - 8, x2=WIDTH - 16, y1=float(line.y), y2=float(line.y), class_="r")
            self.text(GUTTER - 14, line.y + line.shift + 14, time_of(line.at - self.story.begin), "d e")

    @staticmethod
    def _stripe(line):
        """The color behind a moment in which something is done to peers."""
        kinds = {kind for _, kind, _ in line.moment.notes} if line.moment else set()
        return next((color for kind, color in STRIPES.items() if kind in kinds), None)

    def _stripes(self):
        for line in self.lines:
            if color := self._stripe(line):
                self.add("rect", x=12, y=float(line.y), width=WIDTH - 24, height=line.shift + 20.0, fill=color)

    def _walls(self):
        """A wall between lanes while none on the one side hears any on the other."""
        names = list(self.lanes)
        for index, name in enumerate(names[1:], 1):
            pairs = {pair for a in names[:index] for b in names[index:] for pair in ((a, b), (b, a))}
            for top, bottom, walled, _ in self._runs(lambda s: pairs <= s.cut):
                if walled:
                    self.wall(self.lanes[name].left, top, bottom)

    def _peer(self, lane):
        for top, bottom, (phase, stop), _ in self._runs(
                lambda s: (s.peers[lane.name].phase, idle(s.peers[lane.name]))):
            self.life(lane.life, top, bottom, lane.color, phase, stop)
        for row in self.rows:
            self._bars(lane, row)

    def _bars(self, lane, row):
        def held(state):
            peer = state.peers[lane.name]
            return peer.owned.get(row), row in peer.claims, bool(idle(peer))

        color = GOLD if row == MASTER else lane.color
        name = "M" if row == MASTER else f"{row}"
        before = None, False
        for top, bottom, (epoch, claimed, stopped), line in self._runs(held):
            x = lane.column(row, self.lines.index(line))
            y = top + (line.shift if line.moment else 0) + 15
            if epoch is not None:
                self.bar(x, top, bottom, color, stopped)
                if before[0] != epoch:
                    self.label(x, y, name, stopped)
            elif claimed:
                self.claim(x, top, bottom, color)
                if not before[1]:
                    self.text(x + BAR / 2 - 1.5, y, name, "m b")
            before = epoch, claimed

    def _ledger(self):
        for index, row in enumerate(self.rows):
            x = self.ledger_left + CELL * index
            before = None
            for top, bottom, (entry, works), line in self._runs(
                    lambda s: (s.ledger.get(row), row in s.ledger and s.works(row))):
                if entry:
                    self.bar(x, top, bottom, self.colors[entry[0]], not works, CELL - 4)
                    if before != entry:
                        self.label(x, top + line.shift + 15, f"{entry[0]} {entry[1]}", not works, CELL - 4)
                before = entry

    def _marks(self, index, line):
        moment, y = line.moment, line.y
        for name, row, known, refused in moment.takes:
            if row in self.rows:
                end = self.ledger_left + CELL * self.rows.index(row) - 1
                color = FAULT if refused or not known else self.colors[name]
                self.arrow(self.lanes[name].text - 6, end, y, color, dashed=not known, refused=refused)
                y += STEP
        for sender, to in moment.messages:
            if sender != to:
                a, b = self.lanes[sender], self.lanes[to]
                ends = (a.text - 6, b.life - 2) if a.left < b.left else (a.life - 1, b.text - 5)
                self.arrow(*ends, y, DIM)
                y += STEP
        before = self.lines[index - 1].state
        for name, track, value in moment.counters:
            if (x := self.lanes[name].column(track, index)) is not None:
                begins = track not in before.peers[name].claims
                self.counter(x + BAR / 2 - 1.5, line.y + line.shift + (28 if begins else 11), self.colors[name], value)
        for name, track in moment.withdrawn:
            if (x := self.lanes[name].column(track, index)) is not None:
                self.cross(x + BAR / 2 - 1.5, line.y, self.colors[name], 4, 2)
        for name in moment.killed:
            self.cross(self.lanes[name].life + LIFE / 2, line.y, FAULT, 6, 3)

    def _words(self):
        for line in self.lines:
            for who, texts in line.texts.items():
                if not who:  # concerns all peers: across their lanes
                    self.add("rect", x=GUTTER - 8, y=float(line.y), width=float(self.ledger_left - GUTTER - 2),
                             height=20, fill=self._stripe(line))
                x = self.lanes[who].text if who else GUTTER + 12
                for index, (class_, text) in enumerate(texts):
                    self.text(x, line.y + line.shift + 14 + LINE * index, text, class_)
