"""scripts/count_tests.py: cases are counted singly, and nothing that failed or crashed is lost."""

import json
import pathlib
import tempfile
import unittest

import count_tests


def gtest(*results):
    """GoogleTest's JSON for cases that passed (True), failed (False) or were skipped (None)."""
    cases = [
        {"classname": "Suite", "name": f"Case{n}", "result": "SKIPPED" if r is None else "COMPLETED",
         **({"failures": [{"failure": "file.cc:7\nExpected: x"}]} if r is False else {})}
        for n, r in enumerate(results)
    ]
    return json.dumps({"tests": len(cases), "failures": results.count(False), "testsuites": [{"testsuite": cases}]})


class Counting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def stage(self, name, status=0, ctest=None, **files):
        folder = self.folder / name
        folder.mkdir()
        (folder / "status").write_text(f"{status}\n")
        if ctest:
            cases = "".join(f'<testcase name="{n}" status="{s}"/>' for n, s in ctest.items())
            (folder / "ctest.xml").write_text(f"<testsuite>{cases}</testsuite>")
        for file, text in files.items():
            (folder / file.replace("__", ".")).write_text(text)
        return count_tests.count_stage(folder)[:2]

    def test_cases_of_all_programs_are_added(self):
        self.assertEqual(self.stage("unit", 0, {"a": "run", "b": "run"}, a_test__json=gtest(True, True, None),
                                    b_test__json=gtest(True)), (3, 0))

    def test_failing_cases_are_counted(self):
        self.assertEqual(self.stage("unit", 8, {"a": "fail"}, a_test__json=gtest(True, False, False)), (1, 2))

    def test_a_program_that_crashed_is_a_failure(self):
        self.assertEqual(self.stage("no-json", 8, {"a": "fail"}), (0, 1))
        self.assertEqual(self.stage("old-json", 8, {"a": "fail"}, a_test__json=gtest(True)), (1, 1))
        self.assertEqual(self.stage("cut-json", 8, {"a": "fail"}, a_test__json='{"failures": 0, '), (0, 1))

    def test_a_test_that_did_not_run_is_a_failure(self):
        self.assertEqual(self.stage("unit", 8, {"a": "notrun"}), (0, 1))

    def test_other_stages_count_by_their_file_or_their_status(self):
        self.assertEqual(self.stage("tools", 0, count="7 0\n"), (7, 0))
        self.assertEqual(self.stage("tools-bad", 1, count="7 2\n"), (7, 2))
        self.assertEqual(self.stage("demo", 0), (1, 0))
        self.assertEqual(self.stage("demo-bad", 1), (0, 1))

    def test_builds_count_only_when_they_fail(self):
        self.assertEqual(self.stage("build-dev", 0), (0, 0))
        self.assertEqual(self.stage("build-asan", 1), (0, 1))

    def test_a_stage_that_failed_without_a_failing_case_is_a_failure(self):
        self.assertEqual(self.stage("tools", 1, count="7 0\n"), (7, 1))
        (self.folder / "never").mkdir()
        self.assertEqual(count_tests.count_stage(self.folder / "never")[:2], (0, 1))

    def test_a_failure_says_why(self):
        self.stage("unit", 8, {"a": "fail"}, a_test__json=gtest(True, False), log="the whole log\n")
        self.assertEqual(count_tests.why(self.folder / "unit"), ["Suite.Case1:", "file.cc:7", "Expected: x"])
        self.stage("faults", 1, log="".join(f"line {n}\n" for n in range(100)))
        self.assertEqual(count_tests.why(self.folder / "faults")[-1], "line 99")
        self.assertLess(len(count_tests.why(self.folder / "faults")), 60)


if __name__ == "__main__":
    unittest.main()
