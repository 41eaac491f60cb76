"""scripts/sink.py: speaks real SMTP and HTTP, counts by id, and finds what comes twice."""

import json
import os
import pathlib
import smtplib
import subprocess
import tempfile
import unittest
import urllib.request

import demo_group

SINK = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts" / "sink.py"


def mail(identity):
    header = f"Message-ID: <{identity}>\r\n" if identity else ""
    return f"From: a@example.com\r\nTo: b@example.com\r\n{header}Subject: x\r\n\r\nmessage-id: <no@header>\r\n"


class SinkTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        # The sink says its ports on standard output once it listens, so nothing has to be polled.
        self.process = subprocess.Popen(
            [str(SINK), "--ids", str(self.folder / "ids"), "--summary", str(self.folder / "summary")],
            stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(demo_group.stop_process, self.process, 10)
        ports = json.loads(self.process.stdout.readline())
        self.smtp, self.url = ports["smtp"], f"http://127.0.0.1:{ports['http']}"

    def send(self, *identities):
        with smtplib.SMTP("127.0.0.1", self.smtp, timeout=10) as smtp:
            for identity in identities:
                smtp.sendmail("a@example.com", ["b@example.com"], mail(identity))

    def post(self, identity):
        headers = {"webhook-id": identity} if identity else {}
        request = urllib.request.Request(self.url + "/call", data=b"{}", headers=headers, method="POST")
        with urllib.request.urlopen(request, timeout=10) as answer:
            self.assertEqual(answer.status, 204)

    def summary(self):
        with urllib.request.urlopen(self.url + "/summary", timeout=10) as answer:
            return json.load(answer)

    def test_counts_mails_and_webhooks_by_id(self):
        self.send("1@x", "2@x", "1@x", "")
        for identity in ("w1", "w1", "w2", ""):
            self.post(identity)
        counts = {"received": 4, "distinct": 2, "duplicates": 1, "without_id": 1}
        self.assertEqual(self.summary(),
                         {"mails": counts, "webhooks": counts, "duplicate_ids": ["<1@x>", "w1"]})

    def test_an_id_is_in_the_file_before_its_sender_is_answered(self):
        self.send("1@x")
        self.assertEqual((self.folder / "ids").read_text(), "mail <1@x> b@example.com\n")
        self.post("w1")
        self.assertEqual((self.folder / "ids").read_text().splitlines()[1], "webhook w1 /call")

    def test_writes_its_summary_when_told_to_end(self):
        self.send("1@x")
        os.kill(self.process.pid, 15)
        self.assertEqual(self.process.wait(10), 0)
        self.assertEqual(json.loads((self.folder / "summary").read_text())["mails"]["received"], 1)


if __name__ == "__main__":
    unittest.main()
