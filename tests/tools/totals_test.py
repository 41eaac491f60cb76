"""scripts/expected_totals.py: right totals pass, and every kind of wrong one is found."""

import copy
import unittest

import expected_totals

ROWS = 3000


def action(kind, name, asked):
    return {"kind": kind, "name": name, "total": asked, "states": {"sent": asked}}


class Totals(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.want = expected_totals.expected(expected_totals.read(expected_totals.DEFAULT_CSV, ROWS))

    def setUp(self):
        want = self.want
        plain = round(want["offered"] * 0.3)
        self.report = {
            "entered": want["entered"],
            "moves": want["moves"],
            "stopped": dict(want["stopped"]),
            "waiting": {},
            "tags": dict(want["tags"]),
            "actions": [action("email", n, c) for n, c in want["emails"].items()]
            + [action("email", "offer-plain", plain), action("email", "offer-rate", plain)]
            + [action("webhook", n, c) for n, c in want["webhooks"].items()],
        }
        mails = sum(a["total"] for a in self.report["actions"] if a["kind"] == "email")
        hooks = sum(a["total"] for a in self.report["actions"] if a["kind"] == "webhook")
        self.sink = {
            kind: {"received": n, "distinct": n, "duplicates": 0, "without_id": 0}
            for kind, n in (("mails", mails), ("webhooks", hooks))
        }

    def differences(self, uncertain=0):
        found = expected_totals.Differences()
        asked, _ = expected_totals.compare_report(self.want, self.report, uncertain, found)
        expected_totals.compare_sink(asked, self.report, self.sink, found)
        return found.lines

    def email(self, name):
        return next(a for a in self.report["actions"] if a["name"] == name)

    def test_right_totals_pass(self):
        self.assertEqual(self.differences(), [])

    def test_the_hand_written_track_accounts_for_everybody(self):
        self.assertEqual(sum(self.want["stopped"].values()), ROWS)

    def test_the_first_contacts_by_hand(self):
        # Worked out with pencil and paper from the first lines of the CSV: 58 years, balance 2143, no loan, last call
        # of 261 s, one call: triage, segment (wealthy), offer, answer, reminder, last word (tertiary: a banker calls).
        first = expected_totals.run(expected_totals.read(expected_totals.DEFAULT_CSV, 1)[0])
        self.assertEqual((first.moves, first.outcome, first.emails, first.webhooks, first.tags),
                         (6, "handed to a banker", ["reminder"], ["call-centre"], ["wealthy"]))
        # 44 years, balance 29: triage, segment (nothing to save).
        second = expected_totals.run(expected_totals.read(expected_totals.DEFAULT_CSV, 2)[1])
        self.assertEqual((second.moves, second.outcome, second.emails), (2, "no savings", []))

    def test_a_lost_or_extra_move_is_found(self):
        for by in (-1, 1):
            self.report["moves"] = self.want["moves"] + by
            self.assertEqual(len(self.differences()), 1)

    def test_a_contact_that_stopped_elsewhere_is_found(self):
        self.report["stopped"]["cold"] -= 1
        self.report["stopped"]["no savings"] += 1
        self.assertEqual(len(self.differences()), 2)

    def test_a_contact_still_waiting_is_found(self):
        self.report["waiting"] = {"Answer": 1}
        self.assertEqual(len(self.differences()), 1)

    def test_tags_are_compared(self):
        self.report["tags"]["saver"] += 1
        self.assertEqual(len(self.differences()), 1)

    def test_a_message_asked_for_twice_is_found(self):
        self.email("reminder")["total"] += 1
        self.email("reminder")["states"]["sent"] += 1
        self.sink["mails"]["received"] += 1
        self.sink["mails"]["distinct"] += 1
        self.assertEqual(len(self.differences()), 1)

    def test_a_message_not_sent_is_found(self):
        for state in ("failed", "waiting", "sending"):
            with self.subTest(state=state):
                saved = copy.deepcopy(self.report)
                self.email("reminder")["states"]["sent"] -= 1
                self.email("reminder")["states"][state] = 1
                self.assertTrue(self.differences())
                self.report = saved

    def test_a_message_received_twice_or_not_at_all_is_found(self):
        self.sink["mails"].update(received=self.sink["mails"]["received"] + 1, duplicates=1)
        self.assertEqual(len(self.differences()), 2)
        self.sink["mails"].update(received=self.sink["mails"]["received"] - 2, duplicates=0)
        self.assertEqual(len(self.differences()), 1)

    def test_what_a_killed_server_left_uncertain_is_allowed_up_to_the_limit(self):
        self.email("reminder")["states"]["sent"] -= 3
        self.email("reminder")["states"]["uncertain"] = 3
        self.sink["mails"]["received"] -= 2
        self.assertEqual(self.differences(uncertain=3), [])
        self.assertEqual(len(self.differences(uncertain=2)), 1)
        self.sink["mails"]["received"] -= 2
        self.assertEqual(len(self.differences(uncertain=3)), 1)

    def test_a_lopsided_draw_is_found(self):
        everybody = self.want["offered"]
        self.email("offer-plain").update(total=everybody // 2, states={"sent": everybody // 2})
        self.assertTrue(any("arm 'offer-plain'" in line for line in self.differences()))


if __name__ == "__main__":
    unittest.main()
