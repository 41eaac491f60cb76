#!/usr/bin/python3
"""Checks the house rules that are a matter of words: calls that are banned (with what to use instead),
words that may not stay in the tree, and the length of files.

    check_rules.py [ROOT]

A line may be excused with a comment `rules: allow(NAME)` that a reviewer can judge. Exits with 1 if there is
any finding.
"""

import pathlib
import re
import sys
from typing import NamedTuple

PURE = ("track", "lang", "edit", "graph", "decide", "group", "template")
MAX_LINES = 700


class Ban(NamedTuple):
    name: str
    pattern: str
    where: str  # a regular expression over the path from the root
    instead: str


_PURE = r"^src/(" + "|".join(PURE) + r")/"
_SRC = r"^src/"
_TESTS = r"^tests/.*\.(cc|h)$"

BANS = [
    Ban("clock", r"\b(system_clock|steady_clock|high_resolution_clock)\s*::\s*now\b", _PURE,
        "take the instant as an argument: pure rooms read no clock"),
    Ban("clock", r"\b(clock_gettime|gettimeofday|localtime|gmtime|std::time)\s*\(", _PURE,
        "take the instant as an argument: pure rooms read no clock"),
    Ban("random", r"\b(std::random_device|std::mt19937(_64)?|random_device)\b", _PURE,
        "take the draw as an argument, or hash ids with base/hash.h"),
    Ban("random", r"(?<![\w:.>])(std::)?(s?rand|rand_r|drand48)\s*\(", r"^(src|tests|bench)/",
        "base/hash.h with a seed that is printed"),
    Ban("thread", r"#\s*include\s*<(thread|mutex|condition_variable|future|atomic|shared_mutex|semaphore)>",
        _PURE, "pure rooms start no threads and share nothing"),
    Ban("io", r"#\s*include\s*<(iostream|fstream|filesystem|sys/\w+\.h|unistd\.h|fcntl\.h|boost/asio\S*|"
        r"boost/beast\S*|libpq-fe\.h|sqlite3\.h|curl/\S+|spdlog/\S+)>", _PURE,
        "pure rooms do no I/O and keep no log: return what you want done"),
    Ban("log", r"#\s*include\s*\"base/log\.h\"", _PURE, "return it: pure rooms keep no log"),
    Ban("print", r"(?<![\w:.>])(std::)?(printf|puts|putchar)\s*\(|\bstd::cout\b", r"^src/(?!cli/)",
        "the log (base/log.h) or a return value; only cli prints"),
    Ban("format", r"(?<![\w:.>])(std::)?(sprintf|vsprintf|strcpy|strcat|strtok|gets|atoi|atol|atof)\s*\(",
        r"^(src|tests|bench)/", "fmt::format, base/text.h"),
    Ban("sleep", r"\b(this_thread::sleep_(for|until)|usleep|nanosleep)\b|(?<![\w:.>])sleep\s*\(", _TESTS,
        "wait for the event itself: no test sleeps to wait"),
    Ban("sleep", r"\b(this_thread::sleep_(for|until)|usleep|nanosleep)\b|(?<![\w:.>])sleep\s*\(",
        r"^src/(?!cli/)", "a timer, or a condition variable with a deadline"),
    Ban("environment", r"(?<![\w:.>])(std::)?(getenv|setenv|putenv)\s*\(", r"^src/(?!cli/|base/)",
        "configuration, as an argument of the constructor; only cli reads the environment"),
    Ban("process", r"(?<![\w:.>])(std::)?(system|popen)\s*\(", _SRC, "posix_spawn with an argument list"),
    Ban("exit", r"(?<![\w:.>])(std::)?(exit|quick_exit)\s*\(", r"^src/(?!cli/)",
        "return a Result; only main ends the program"),
    Ban("assert", r"(?<![\w:.>_])assert\s*\(", r"^(src|tests)/", "CHECK (base/check.h), which stays on"),
    Ban("coroutine-lambda", r"\[[^\]]+\]\s*(\([^)]*\))?\s*(mutable\s*)?->\s*(boost::asio::|asio::|net::)?awaitable\b",
        r"^(src|tests|bench)/", "a named function that takes its arguments by value (GCC 12)"),
]

WORDS = [
    (re.compile(r"\b(FIXME|XXX|HACK)\b"), "finish it, or write TODO(perf|cleanup|security): with what and why"),
    (re.compile(r"\bTODO\b(?!\((perf|cleanup|security)\))"), "write TODO(perf), TODO(cleanup) or TODO(security)"),
    (re.compile(r"\b(GTEST_SKIP\(\)(?!\s*<<\s*\S)|DISABLED_)"),
     "a test that does not run is no test: make it run, or say on this line why it cannot (GTEST_SKIP() << reason)"),
]
WORD_SUFFIXES = (".h", ".cc", ".py", ".sh", ".cmake", ".sql", ".proto", ".track")

ALLOW = re.compile(r"rules: allow\(([\w, -]+)\)")
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')


def code_of(line):
    """The line without its strings and its // comment, so that only code is matched."""
    if "#include" not in line.replace(" ", ""):
        line = STRING.sub('""', line)
    return line.split("//", 1)[0]


def check_file(root, path):
    relative = path.relative_to(root).as_posix()
    text = path.read_text(encoding="utf-8", errors="replace")
    lines = text.splitlines()
    findings = []
    is_code = path.suffix in (".h", ".cc")
    bans = [(ban, re.compile(ban.pattern)) for ban in BANS if re.search(ban.where, relative)] if is_code else []
    for number, line in enumerate(lines, 1):
        allowed = {a.strip() for m in ALLOW.finditer(line) for a in m.group(1).split(",")}
        code = code_of(line)
        for ban, pattern in bans:
            if ban.name not in allowed and pattern.search(code):
                findings.append(f"{relative}:{number}: '{ban.name}' is banned here; use instead: {ban.instead}")
        if "words" not in allowed and relative not in ("scripts/check_rules.py", "tests/tools/rules_test.py"):
            for pattern, advice in WORDS:
                if pattern.search(line):
                    findings.append(f"{relative}:{number}: {advice}")
    if is_code and relative.startswith("src/") and len(lines) > MAX_LINES:
        findings.append(f"{relative}:{len(lines)}: over {MAX_LINES} lines: is it still one thing?")
    if path.suffix == ".h" and is_code and "#pragma once" not in text:
        findings.append(f"{relative}:1: a header starts with #pragma once")
    return findings


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    findings = []
    for folder in ("src", "tests", "bench", "scripts", "examples", "cmake"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in WORD_SUFFIXES and path.is_file():
                findings += check_file(root, path)
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
