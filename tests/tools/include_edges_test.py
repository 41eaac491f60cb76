"""scripts/check_includes.py: the layering in src/CMakeLists.txt is enforced on every include."""

import pathlib
import tempfile
import unittest

import check_includes

ROOMS = """
turnout_room(base LIBS fmt::fmt)
turnout_room(track DEPS base LIBS nlohmann_json::nlohmann_json)
turnout_room(lang DEPS track)
turnout_room(group DEPS base)
turnout_room(work DEPS lang
  group LIBS x)
"""


class IncludeEdges(unittest.TestCase):
    def reach(self):
        return check_includes.closure(check_includes.declared_rooms(ROOMS))

    def test_dependencies_reach_through_others_and_libraries_do_not_count(self):
        reach = self.reach()
        self.assertEqual(reach["base"], {"base"})
        self.assertEqual(reach["lang"], {"lang", "track", "base"})
        self.assertEqual(reach["work"], {"work", "lang", "group", "track", "base"})

    def problems(self, name, text):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder)
            path = source / name
            path.parent.mkdir(parents=True)
            path.write_text(text, encoding="utf-8")
            return check_includes.wrong_includes(source, self.reach())

    def test_what_is_declared_is_allowed(self):
        text = '#include "work/a.h"\n#include <vector>\n#include "base/x.h"\n#  include "group/y.h"\n'
        self.assertEqual(self.problems("work/a.cc", text), [])

    def test_an_undeclared_edge_is_found_with_its_line(self):
        found = self.problems("group/sub/a.h", '#pragma once\n#include "track/track.h"\n')
        self.assertEqual(len(found), 1)
        self.assertIn("a.h:2: 'group' may not include 'track/track.h'", found[0])

    def test_unknown_rooms_and_bare_names_are_found(self):
        self.assertIn("there is no room 'nowhere'", self.problems("base/a.cc", '#include "nowhere/a.h"\n')[0])
        self.assertIn("includes start with the room", self.problems("base/a.cc", '#include "text.h"\n')[0])
        self.assertIn("is not declared", self.problems("other/a.cc", "")[0])

    def test_circles_and_unknown_dependencies_are_refused(self):
        with self.assertRaisesRegex(ValueError, "circle"):
            check_includes.closure({"a": {"b"}, "b": {"a"}})
        with self.assertRaisesRegex(ValueError, "not declared"):
            check_includes.closure({"a": {"b"}})


if __name__ == "__main__":
    unittest.main()
