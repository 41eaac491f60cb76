"""The legend of the pictures of scenarios: each sign once, with what it means."""

from scenario_card import BAR, CELL, DIM, FAULT, GOLD, LIFE, PEERS, Card

STEP = 34
TOP = 76
SIGN = 25  # height of a sign
COLUMNS = (20, 234, 530)
A, B = PEERS[:2]

DESCRIPTION = (
    "Time runs downward; what happens within milliseconds is spread out, idle time is cut out. Each peer has a lane: a "
    "band that says whether it runs, and a bar for each track that it owns or claims. The ledger has a column for each "
    "row: M is the master's, the others are the tracks'. Colors are those of the peers.")


class Legend(Card):
    def draw(self, title):
        self.text(16, 29, title, "h")
        heads = ("the peer’s process", "what the peer believes it has", "the ledger, and between")
        for x, head in zip(COLUMNS, heads):
            self.text(x, 58, head, "p")
        for column, signs in enumerate((self._process(), self._tracks(), self._between())):
            for row, (draw, text) in enumerate(signs):
                x, y = COLUMNS[column], TOP + STEP * row
                draw(x, y)
                self.text(x + (30, 62, 62)[column], y + 17, text)
        return self.svg(title, DESCRIPTION, TOP + STEP * 6 + 8)

    def _process(self):
        def band(phase, stop=""):
            return lambda x, y: self.life(x + 6, y, y + SIGN, A, phase, stop)

        def killed(x, y):
            self.life(x + 6, y, y + 9, A, "member")
            self.life(x + 6, y + 9, y + SIGN, A, "")
            self.cross(x + 6 + LIFE / 2, y + 9, FAULT, 6, 3)

        return [(band("joining"), "joining: it only listens"), (band("member"), "member of the group"),
                (band("member", "mute"), "runs, but writes nothing"),
                (band("member", "still"), "stands still, as if paused"),
                (band("leaving"), "leaving"), (killed, "killed, or has left")]

    def _tracks(self):
        def bar(color, name, idle=False):
            def draw(x, y):
                self.bar(x, y, y + SIGN, color, idle)
                self.label(x, y + 16, name, idle)
            return draw

        def claim(x, y):
            for index, value in enumerate((2, 1, 0)):
                self.counter(x + 8 + BAR * index, y + 12, A, value)

        def claimed(x, y):
            self.claim(x, y, y + SIGN, A)
            self.text(x + BAR / 2 - 1.5, y + 16, "2", "m b")

        def withdrawn(x, y):
            self.claim(x, y, y + SIGN - 7, A)
            self.cross(x + BAR / 2 - 1.5, y + SIGN - 7, A, 4, 2)

        return [(bar(A, "2"), "owns track 2"), (bar(GOLD, "M"), "is master"),
                (bar(A, "2", idle=True), "would own 2, but does nothing"), (claimed, "claims track 2"),
                (claim, "the claim’s counter, advertised"), (withdrawn, "withdraws its claim")]

    def _between(self):
        def row(idle):
            def draw(x, y):
                self.bar(x, y, y + SIGN, B, idle, CELL - 4)
                self.label(x, y + 16, "b 3", idle, CELL - 4)
            return draw

        def arrow(color, **kind):
            return lambda x, y: self.arrow(x, x + 50, y + 13, color, **kind)

        return [(row(False), "the row says: b, at epoch 3"), (row(True), "… but b does no work under it"),
                (arrow(A), "takes a row: compare-and-set"), (arrow(FAULT, refused=True), "is refused it"),
                (arrow(DIM), "a message: an offer, a block"),
                (lambda x, y: (self.wall(x + 8, y, y + SIGN), self.tear(x + 20, x + 56, y + 13)),
                 "network cut · idle time left out")]


