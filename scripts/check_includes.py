#!/usr/bin/python3
"""Checks every #include "room/file.h" in src/ against the rooms' declared dependencies.

The turnout_room(... DEPS ...) lines of src/CMakeLists.txt are the layering: a room may include its own
headers and those of the rooms it reaches through DEPS. The build alone does not catch a wrong edge, because
all rooms share one include folder.

    check_includes.py [SOURCE_FOLDER]

Prints one line per wrong include and exits with 1 if there is any, with 2 if the declarations themselves are
wrong (an unknown room, a cycle).
"""

import pathlib
import re
import sys

ROOM = re.compile(r"^\s*turnout_room\(\s*(\w+)([^)]*)\)", re.MULTILINE)
INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')


def declared_rooms(cmake_text):
    """{room: set of the rooms named in its DEPS}."""
    rooms = {}
    for name, rest in ROOM.findall(cmake_text):
        words = rest.split()
        deps = set()
        if "DEPS" in words:
            for word in words[words.index("DEPS") + 1 :]:
                if word in ("LIBS", "HEADERS"):
                    break
                deps.add(word)
        rooms[name] = deps
    return rooms


def closure(rooms):
    """{room: all rooms it may include}; raises ValueError where the declarations are wrong."""
    reach = {}

    def visit(room, path):
        if room in path:
            raise ValueError("the rooms depend on each other in a circle: " + " -> ".join([*path, room]))
        if room not in rooms:
            raise ValueError(f"room '{path[-1]}' depends on '{room}', which is not declared")
        if room not in reach:
            found = {room}
            for dep in rooms[room]:
                found |= visit(dep, [*path, room])
            reach[room] = found
        return reach[room]

    for room in rooms:
        visit(room, [])
    return reach


def wrong_includes(source, reach):
    """Lines `file:line: why` for every include that its room may not make."""
    problems = []
    for path in sorted(source.rglob("*")):
        if path.suffix not in (".h", ".cc"):
            continue
        relative = path.relative_to(source)
        room = relative.parts[0]
        if room not in reach:
            problems.append(f"{path}:1: the folder '{room}' is not declared with turnout_room()")
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            target = match.group(1)
            parts = target.split("/")
            if len(parts) < 2:
                if target.endswith((".pb.h",)):
                    continue
                problems.append(f'{path}:{number}: write "{room}/{target}": includes start with the room')
            elif parts[0] not in reach:
                problems.append(f"{path}:{number}: there is no room '{parts[0]}'")
            elif parts[0] not in reach[room]:
                problems.append(
                    f"{path}:{number}: '{room}' may not include '{target}': "
                    f"its DEPS reach only {', '.join(sorted(reach[room] - {room})) or 'nothing'}"
                )
    return problems


def main():
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "src")
    try:
        reach = closure(declared_rooms((source / "CMakeLists.txt").read_text(encoding="utf-8")))
    except ValueError as error:
        print(f"{source}/CMakeLists.txt: {error}")
        return 2
    problems = wrong_includes(source, reach)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
