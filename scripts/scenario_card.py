"""What pictures of scenarios are drawn on: an SVG with its own light card, so that it can be read on a dark page, and
with nothing from outside; and the signs that the pictures and their legend share."""

from html import escape

WIDTH = 800
FONT = 12.5
LIFE = 9  # width of the band that says whether a peer runs
BAR = 19  # a bar of a track, with the gap after it
CELL = 29  # a column of the ledger

INK, DIM, FAULT, MEND, RULE = "#1d2730", "#5a6874", "#b3261e", "#176a3a", "#e3e8ec"
PEERS = ["#2563a8", "#2f7a3d", "#b3541e", "#6f4aa0", "#12737a", "#8c3b62", "#5c6b1f", "#4b5563"]
GOLD = "#a87900"

STYLE = f"""\
text{{font-family:system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif;font-size:{FONT}px;fill:{INK}}}
.h{{font-size:16px;font-weight:600}}.p{{font-size:14px;font-weight:600}}.d{{fill:{DIM}}}
.m{{text-anchor:middle}}.e{{text-anchor:end}}.b{{font-weight:600}}.w{{fill:#fff;font-weight:600}}
.f{{fill:{FAULT};font-weight:600}}.g{{fill:{MEND};font-weight:600}}.s{{fill:#8a5a00;font-weight:600}}
.x{{font-size:11px}}.r{{stroke:{RULE};stroke-width:1}}"""

# Widths of characters in em, a little generous, as the reader's font is not known.
NARROW, WIDE = set("ijl.,:;'’|!ftrI()[] -"), set("mwMWQ@%&")


def width_of(text, bold=False):
    ems = sum(0.37 if c in NARROW else 0.94 if c in WIDE else 0.72 if c.isupper() else 0.6 for c in text)
    return ems * FONT * (1.12 if bold else 1)


def wrapped(text, width, bold=False):
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, bold) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def short(value):
    """A coordinate without digits that nobody sees."""
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


class Card:
    def __init__(self):
        self.out = []

    def add(self, tag, body=None, **attributes):
        text = "".join(f' {k.rstrip("_").replace("_", "-")}="{short(v)}"' for k, v in attributes.items())
        self.out.append(f"<{tag}{text}/>" if body is None else f"<{tag}{text}>{body}</{tag}>")

    def text(self, x, y, body, class_=""):
        self.add("text", escape(body), x=float(x), y=float(y), **({"class_": class_} if class_ else {}))

    def svg(self, title, description, height):
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            'role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(description)}</desc>',
            f"<style>\n{STYLE}\n</style>",
            "<defs>", *self._patterns(), "</defs>",
            f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="8" fill="#fff" stroke="#cfd6dc"/>',
            *self.out, "</svg>", ""])

    @staticmethod
    def _patterns():
        for name, back, line in (("still", "#eceff2", "#97a3ad"), ("mute", "#fff0c9", "#e0a100")):
            yield (f'<pattern id="{name}" width="6" height="6" patternUnits="userSpaceOnUse" '
                   f'patternTransform="rotate(45)"><rect width="6" height="6" fill="{back}"/>'
                   f'<rect width="2" height="6" fill="{line}"/></pattern>')

    # --- signs -------------------------------------------------------------------------------------------

    def life(self, x, top, bottom, color, phase, stop=""):
        """The band of a peer's process: `stop` is "still" or "mute" while it does not run or does not write."""
        box = {"x": float(x), "y": float(top), "width": LIFE, "height": float(bottom - top)}
        if not phase:
            middle = float(x + LIFE / 2)
            self.add("line", x1=middle, x2=middle, y1=float(top), y2=float(bottom), stroke="#aab4bc",
                     stroke_dasharray="1 4")
        elif stop:
            self.add("rect", **box, fill=f"url(#{stop})", stroke="#97a3ad" if stop == "still" else "#c98f00")
        elif phase == "joining":
            self.add("rect", **box, fill="#fff", stroke=color, stroke_dasharray="3 2")
        else:
            self.add("rect", **box, fill=color, fill_opacity="0.35" if phase == "leaving" else "1")

    def bar(self, x, top, bottom, color, idle=False, width=BAR - 3):
        self.add("rect", x=float(x), y=top + 0.5, width=width, height=float(bottom - top) - 1, rx=2, fill=color,
                 fill_opacity="0.22" if idle else "1")

    def claim(self, x, top, bottom, color):
        self.add("rect", x=float(x), y=top + 0.5, width=BAR - 3, height=float(bottom - top) - 1, rx=2, fill="#fff",
                 stroke=color, stroke_width="1.3", stroke_dasharray="3 2")

    def label(self, x, y, text, idle=False, width=BAR - 3):
        self.text(x + width / 2, y, text, "m b" if idle else "w m")

    def counter(self, x, y, color, value):
        self.add("circle", cx=float(x), cy=float(y), r=7.5, fill="#fff", stroke=color, stroke_width="1.5")
        self.text(x, y + 4, f"{value}", "m b x")

    def cross(self, x, y, color, size, width):
        both = 2 * size
        self.add("path", d=f"M{short(x - size)} {short(y - size)}l{both} {both}m0 {-both}l{-both} {both}", stroke=color,
                 stroke_width=str(width), fill="none")

    def arrow(self, start, end, y, color, dashed=False, refused=False):
        way = 1 if end > start else -1
        dash = {"stroke_dasharray": "5 3"} if dashed or refused else {}
        self.add("line", x1=float(start), x2=float(end - 5 * way), y1=float(y), y2=float(y), stroke=color,
                 stroke_width="1.6", **dash)
        if refused:
            self.add("path", d=f"M{short(end - 5 * way)} {short(y - 5)}v10", stroke=color, stroke_width="3")
        else:
            self.add("path", d=f"M{short(end)} {short(y)}l{-8 * way} -4v8z", fill=color)

    def wall(self, x, top, bottom):
        self.add("line", x1=float(x), x2=float(x), y1=float(top), y2=float(bottom), stroke=FAULT, stroke_width="2.5",
                 stroke_dasharray="2 5", stroke_linecap="round")

    def tear(self, left, right, y):
        zigzag = "".join(f"l8 {5 if i % 2 else -5}" for i in range(int(right - left) // 8))
        for shift, color, width in ((0, "#fff", 8), (-4, "#c3ccd3", 1), (4, "#c3ccd3", 1)):
            self.add("path", d=f"M{short(left)} {short(y + shift)}{zigzag}", fill="none", stroke=color,
                     stroke_width=str(width))
