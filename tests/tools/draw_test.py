"""scripts/draw_scenarios.py: the committed pictures are what the transcripts give; the check finds one that is not."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

import scenario_story

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAME = "owner-killed"


def draw(*arguments):
    return subprocess.run([sys.executable, ROOT / "scripts" / "draw_scenarios.py", *arguments], check=False,
                          capture_output=True, text=True)


class Committed(unittest.TestCase):
    def test_the_pictures_are_what_the_transcripts_give(self):
        done = draw("--check")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


class Drawn(unittest.TestCase):
    """On a page of its own that shows one scenario."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.transcript = self.root / "tests" / "group" / f"{NAME}.txt"
        self.transcript.parent.mkdir(parents=True)
        shutil.copy(ROOT / "tests" / "group" / f"{NAME}.txt", self.transcript)
        self.page = self.root / "docs" / "group.md"
        self.page.parent.mkdir()
        self.page.write_text(f"![One < two](group/{NAME}.svg)\n![Legend](group/legend.svg)\n", encoding="utf-8")
        self.picture = self.root / "docs" / "group" / f"{NAME}.svg"
        self.assertEqual(self.run_on(), 0)
        self.assertEqual(self.run_on("--check"), 0)

    def run_on(self, *arguments):
        done = draw("--root", self.root, *arguments)
        self.said = done.stdout + done.stderr
        return done.returncode

    def replace(self, old, new):
        text = self.transcript.read_text(encoding="utf-8")
        self.assertIn(old, text)
        self.transcript.write_text(text.replace(old, new), encoding="utf-8")

    def test_a_transcript_that_has_changed_is_found(self):
        self.replace(" 240011  b  gained", " 240012  b  gained")
        self.assertEqual(self.run_on("--check"), 1)
        self.assertIn(f"docs/group/{NAME}.svg is not what", self.said)
        self.assertEqual(self.run_on(), 0)
        self.assertEqual(self.run_on("--check"), 0)

    def test_a_picture_that_is_missing_changed_or_shown_nowhere_is_found(self):
        drawn = self.picture.read_text(encoding="utf-8")
        for text in (None, drawn.replace("killed", "alive")):
            self.picture.unlink()
            if text:
                self.picture.write_text(text, encoding="utf-8")
            self.assertEqual(self.run_on("--check"), 1)
            self.assertEqual(self.run_on(), 0)
            self.assertEqual(self.picture.read_text(encoding="utf-8"), drawn)
        self.page.write_text("no picture\n", encoding="utf-8")
        self.assertEqual(self.run_on("--check"), 1)
        self.assertEqual(self.run_on(), 0)
        self.assertFalse(self.picture.exists())

    def test_a_ledger_that_the_lines_do_not_lead_to_is_an_error(self):
        self.replace("track 3: a/1 at epoch 3", "track 3: b/2 at epoch 3")
        self.assertEqual(self.run_on("--check"), 1)
        self.assertIn("the transcript's ledger says b at epoch 3 for track 3", self.said)

    def test_a_page_that_names_no_transcript_is_an_error(self):
        self.transcript.unlink()
        self.assertEqual(self.run_on("--check"), 1)
        self.assertIn(f"tests/group/{NAME}.txt", self.said)

    def test_a_picture_is_xml_with_title_and_description(self):
        root = xml.etree.ElementTree.parse(self.picture).getroot()
        title, description = (root.find(f"{{http://www.w3.org/2000/svg}}{tag}").text for tag in ("title", "desc"))
        self.assertEqual(title, "One < two")
        self.assertIn("0 s: c: killed. 9 ms: a: finds c gone; b: finds c gone.", description)


class Told(unittest.TestCase):
    """What the story adds to the lines of a transcript."""

    @staticmethod
    def notes(name):
        text = (ROOT / "tests" / "group" / f"{name}.txt").read_text(encoding="utf-8")
        return [(who, said) for m in scenario_story.Story(text).moments for who, _, said in m.notes]

    def test_every_transcript_can_be_told(self):
        for path in (ROOT / "tests" / "group").glob("*.txt"):
            with self.subTest(transcript=path.stem):
                self.assertTrue(self.notes(path.stem))

    def test_why_a_claim_is_withdrawn(self):
        self.assertIn(("a", "withdraws from 3: b owns fewer (1 to 2)"), self.notes("claim-challenged-by-count"))
        self.assertIn(("c", "withdraws from 1: a is the lower name"), self.notes("claim-challenged-by-name"))
        self.assertIn(("b", "withdraws from 2: c has it"), self.notes("master-death"))

    def test_a_peer_that_cannot_be_heard_lives_by_its_stamp(self):
        self.assertIn(("b", "sees the stamp of c move"), self.notes("owner-silent-stamps-move"))
        self.assertIn(("b", "hears a again"), self.notes("master-silent"))


if __name__ == "__main__":
    unittest.main()
