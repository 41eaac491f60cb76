#!/usr/bin/python3
"""Draws the scenarios of tests/group that docs/group.md shows, as docs/group/NAME.svg.

    draw_scenarios.py [--check] [--root FOLDER]

A picture is drawn for every `![Title](group/NAME.svg)` of docs/group.md, from tests/group/NAME.txt, with that title;
for the name `legend` the legend is. --check writes nothing: it exits with 1 and names each picture that is not what its
transcript gives.
"""

import argparse
import pathlib
import re
import sys

from scenario_legend import Legend
from scenario_picture import Picture
from scenario_story import Story

REFERENCE = re.compile(r"!\[([^\]]*)\]\(group/([\w-]+)\.svg\)")
ROOT = pathlib.Path(__file__).resolve().parent.parent

# (begin, end or None) in ms, where the story is not what follows the first command to a running group.
WINDOWS = {"block-handed-again": (6500, None)}


def picture(root, name, title):
    if name == "legend":
        return Legend().draw(title)
    source = f"tests/group/{name}.txt"
    try:
        text = (root / source).read_text(encoding="utf-8")
        return Picture(Story(text, WINDOWS.get(name)), title, source).draw()
    except (OSError, ValueError) as error:
        raise SystemExit(f"{source}: {error}") from error


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, say what differs")
    parser.add_argument("--root", type=pathlib.Path, default=ROOT)
    args = parser.parse_args()

    folder = args.root / "docs" / "group"
    page = (args.root / "docs" / "group.md").read_text(encoding="utf-8")
    wanted = {name: picture(args.root, name, title) for title, name in REFERENCE.findall(page)}
    found = {path.stem: path.read_text(encoding="utf-8") for path in folder.glob("*.svg")}
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    for name in wrong:
        path = folder / f"{name}.svg"
        if args.check:
            print(f"docs/group/{name}.svg is not what tests/group/{name}.txt and docs/group.md give: "
                  "run scripts/draw_scenarios.py and look at it")
        elif name in wanted:
            folder.mkdir(exist_ok=True)
            path.write_text(wanted[name], encoding="utf-8")
            print(f"drew docs/group/{name}.svg")
        else:
            path.unlink()
            print(f"removed docs/group/{name}.svg: docs/group.md does not show it")
    return 1 if args.check and wrong else 0


if __name__ == "__main__":
    sys.exit(main())
