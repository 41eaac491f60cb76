"""scripts/check_rules.py: every ban finds what it is for, says what to use, and leaves the rest alone."""

import pathlib
import tempfile
import unittest

import check_rules

# (file, line of code, name of the ban that must find it)
BANNED = [
    ("src/decide/a.cc", "const auto t = std::chrono::system_clock::now();", "clock"),
    ("src/group/a.cc", "clock_gettime(CLOCK_MONOTONIC, &ts);", "clock"),
    ("src/group/a.cc", "std::mt19937 engine(seed);", "random"),
    ("tests/group/a.cc", "if (rand() % 2) return;", "random"),
    ("src/lang/a.h", "#include <thread>", "thread"),
    ("src/track/a.cc", "#include <iostream>", "io"),
    ("src/lang/a.cc", "#include <sqlite3.h>", "io"),
    ("src/store/a.cc", 'std::printf("%d", n);', "print"),
    ("src/web/a.cc", "char b[9]; sprintf(b, f);", "format"),
    ("tests/link/a.cc", "std::this_thread::sleep_for(10ms);", "sleep"),
    ("tests/link/a.cc", "usleep(10);", "sleep"),
    ("src/web/a.cc", "sleep(1);", "sleep"),
    ("src/store/a.cc", 'std::getenv("HOME");', "environment"),
    ("src/deliver/a.cc", 'std::system("ls");', "process"),
    ("src/web/a.cc", "std::exit(1);", "exit"),
    ("src/base/a.cc", "assert(x > 0);", "assert"),
    ("src/link/a.cc", "auto f = [this](int n) -> asio::awaitable<void> { co_return; };", "coroutine-lambda"),
]
ALLOWED = [
    ("src/store/a.cc", "const auto t = std::chrono::steady_clock::now();"),
    ("src/web/a.cc", "#include <thread>"),
    ("src/cli/a.cc", 'std::printf("%d", n);'),
    ("src/decide/a.cc", "// std::chrono::system_clock::now() would not do here"),
    ("src/lang/a.cc", 'return "assert(x)";'),
    ("src/base/a.cc", "static_assert(sizeof(int) == 4);"),
    ("src/web/a.cc", "timer.sleep(1);"),
    ("tests/link/a.cc", "std::this_thread::sleep_for(10ms);  // rules: allow(sleep) it measures the sleep itself"),
    ("src/base/a.cc", "// TODO(perf): one pass would do"),
]
WORDS = [
    ("src/base/a.cc", "// FI" + "XME later"),
    ("scripts/a.sh", "# TO" + "DO: something"),
    ("tests/base/a.cc", "TEST(A, DIS" + "ABLED_B) {}"),
]


def findings(name, text):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder).resolve()
        path = root / name
        path.parent.mkdir(parents=True)
        if path.suffix == ".h":
            text = "#pragma once\n" + text
        path.write_text(text + "\n", encoding="utf-8")
        return check_rules.check_file(root, path)


class HouseRules(unittest.TestCase):
    def test_banned_calls_are_found(self):
        for name, line, ban in BANNED:
            with self.subTest(file=name, line=line):
                found = findings(name, line)
                self.assertTrue(any(f"'{ban}' is banned here; use instead:" in f for f in found), found)

    def test_what_is_allowed_is_left_alone(self):
        for name, line in ALLOWED:
            with self.subTest(file=name, line=line):
                self.assertEqual(findings(name, line), [])

    def test_every_ban_has_a_case(self):
        self.assertLessEqual({ban.name for ban in check_rules.BANS} - {ban for _, _, ban in BANNED}, {"log"})

    def test_words_that_may_not_stay(self):
        for name, line in WORDS:
            with self.subTest(file=name, line=line):
                self.assertEqual(len(findings(name, line)), 1)

    def test_long_files_and_headers_without_guard(self):
        self.assertEqual(findings("src/base/a.cc", "\n" * (check_rules.MAX_LINES - 1)), [])
        self.assertEqual(len(findings("src/base/a.cc", "\n" * check_rules.MAX_LINES)), 1)
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder).resolve()
            (root / "a.h").write_text("int a();\n", encoding="utf-8")
            self.assertIn("#pragma once", check_rules.check_file(root, root / "a.h")[0])


if __name__ == "__main__":
    unittest.main()
