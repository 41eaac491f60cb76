"""What the demo shows: a picture that is drawn over and over on a terminal, plain lines elsewhere."""

import shutil
import time

BAR = 24
# In the order of examples/term-deposit.track.
STEPS = ("Triage", "Segment", "Offer", "Answer", "Reminder", "Banker", "Last word")


class View:
    def __init__(self, on_terminal):
        self._live = on_terminal
        self.pause = 0.4 if on_terminal else 0.5
        self._height = 0
        self._notes = []
        self._began = None
        self._samples = []
        self._last_line = 0.0

    def say(self, text):
        """A line that stays."""
        print(text, flush=True)

    def note(self, text):
        """Something that happened during the run."""
        stamp = f"{time.monotonic() - (self._began or time.monotonic()):6.1f} s  {text}"
        if self._live:
            self._notes.append(stamp)
        else:
            print(stamp, flush=True)

    def _rate(self, moves):
        """Moves a second over the last three seconds."""
        now = time.monotonic()
        self._samples = [s for s in self._samples if now - s[0] <= 3] + [(now, moves)]
        seconds = now - self._samples[0][0]
        return (moves - self._samples[0][1]) / seconds if seconds > 0.2 else 0.0

    def show(self, now, want):
        if self._began is None:
            self._began = time.monotonic()
        rate = self._rate(now.moves)
        if self._live:
            self._draw(self._picture(now, want, rate))
        elif time.monotonic() - self._last_line >= 2:
            self._last_line = time.monotonic()
            print(self._line(now, want, rate), flush=True)

    def _line(self, now, want, rate):
        blocks = " ".join(f"{name}:{number}" for name, number in sorted(now.blocks.items()))
        steps = ", ".join(f"{s} {n:,}" for s, n in sorted(now.waiting.items(), key=_place) if n)
        return (
            f"{time.monotonic() - self._began:6.1f} s  master {now.master or '-'}  owner {now.owner or '-'}  "
            f"blocks {blocks or '-'}  {now.moves:,}/{want['moves']:,} moves  {rate:,.0f}/s  "
            f"stopped {now.stopped:,}  delivered {now.delivered:,}/{now.asked:,}  waiting: {steps or 'nobody'}"
        )

    def _picture(self, now, want, rate):
        lines = ["", f"  {'peer':6}{'state':14}{'role':18}{'blocks handed to it':>20}"]
        for peer in sorted(now.peers, key=lambda p: p["name"]):
            name = peer["name"]
            alive = name in now.living
            roles = [r for r, holder in (("master", now.master), ("owner", now.owner)) if holder == name and alive]
            state = peer["state"] if alive else "killed"
            lines.append(f"  {name:6}{state:14}{', '.join(roles):18}{now.blocks.get(name, 0):>20,}")
        lines += ["", f"  {'step':14}{'waiting':>9}"]
        for step in STEPS:
            number = now.waiting.get(step, 0)
            lines.append(f"  {step:14}{number:>9,}  {_bar(number, want['entered'])}")
        lines.append(f"  {'(stopped)':14}{now.stopped:>9,}  {_bar(now.stopped, want['entered'])}")
        lines += [
            "",
            f"  moves      {now.moves:>9,} of {want['moves']:,}   {rate:,.0f} a second",
            f"  delivered  {now.delivered:>9,} of {now.asked:,} e-mails and webhooks asked for so far",
            "",
        ]
        return lines + [f"  {note}" for note in self._notes]

    def _draw(self, lines):
        width = shutil.get_terminal_size().columns
        up = f"\x1b[{self._height}A" if self._height else ""
        print(up + "".join(f"\x1b[2K{line[: width - 1]}\n" for line in lines), end="", flush=True)
        self._height = len(lines)

    def end(self):
        self._height = 0


def _place(item):
    return STEPS.index(item[0]) if item[0] in STEPS else len(STEPS)


def _bar(number, most):
    full = round(BAR * number / most) if most else 0
    return "█" * max(full, 1 if number else 0)
