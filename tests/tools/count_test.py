"""scripts/count_tests.py: cases are counted singly, and nothing that failed or crashed is lost."""

import json
import pathlib
import tempfile
import unittest

import count_tests


def gtest(*results):
    """GoogleTest's JSON for cases that passed (True), failed (False) or were skipped (None)."""
    cases = [
        {"result": "SKIPPED" if r is None else "COMPLETED", **({"failures": [{"failure": "x"}]} if r is False else {})}
        for r in results
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


if __name__ == "__main__":
    unittest.main()
