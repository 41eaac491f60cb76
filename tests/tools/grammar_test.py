"""editors/: the grammar for editors names the words of the language, and all of it can be read.

How the grammar reads tracks is tested in tests/edit/client, with the engine that editors have."""

import json
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
EDITORS = ROOT / "editors"


def words_of(path, pattern):
    """The words that a table in a source file has."""
    return set(re.findall(pattern, (ROOT / path).read_text(encoding="utf-8")))


def rules(node):
    """Every rule of a grammar that has expressions, however deep."""
    if isinstance(node, dict):
        if "match" in node or "begin" in node:
            yield node
        for value in node.values():
            yield from rules(value)
    elif isinstance(node, list):
        for value in node:
            yield from rules(value)


def expressions(grammar):
    return [rule[key] for rule in rules(grammar) for key in ("match", "begin", "end") if key in rule]


def named_words(expression):
    """The words that an expression spells out; `days?` is `day` and `days`."""
    plain = re.sub(r"\\.|\(\?<?[=!:i]", " ", expression)
    found = set()
    for word, optional in re.findall(r"([a-z]+)(\??)", plain):
        found |= {word, word[:-1]} if optional else {word}
    return found


class EditorFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.grammar = json.loads((EDITORS / "track.tmLanguage.json").read_text(encoding="utf-8"))
        cls.reserved = words_of("src/lang/words.cc", r'"([a-z]+)"sv')
        cls.keywords = words_of("src/edit/keywords.cc", r'Keyword\{"([a-z]+)"')

    def test_every_expression_compiles(self):
        self.assertGreater(len(expressions(self.grammar)), 50)
        for expression in expressions(self.grammar):
            with self.subTest(expression=expression):
                re.compile(expression)

    def test_every_include_leads_somewhere(self):
        for item in self.grammar["patterns"]:
            self.assertIn(item["include"].removeprefix("#"), self.grammar["repository"])
        self.assertEqual(len(self.grammar["patterns"]), len(self.grammar["repository"]))

    def test_reserved_words_are_keywords_wherever_they_stand(self):
        self.assertGreater(len(self.reserved), 50)
        coloured = [
            rule["match"]
            for rule in rules(self.grammar)
            if re.match(r"keyword|constant\.language", rule.get("name", ""))
        ]
        for word in self.reserved:
            with self.subTest(word=word):
                self.assertTrue(any(re.fullmatch(expression, word) for expression in coloured))

    def test_every_word_that_the_server_explains_is_named(self):
        self.assertGreater(len(self.keywords), len(self.reserved))
        named = set().union(*(named_words(expression) for expression in expressions(self.grammar)))
        self.assertEqual(self.keywords - named, set())

    def test_the_extension_has_its_parts(self):
        package = json.loads((EDITORS / "vscode" / "package.json").read_text(encoding="utf-8"))
        language = package["contributes"]["languages"][0]
        grammar = package["contributes"]["grammars"][0]
        self.assertEqual(language["extensions"], [".track"])
        self.assertEqual(grammar["language"], language["id"])
        self.assertEqual(grammar["scopeName"], self.grammar["scopeName"])
        self.assertEqual(
            (EDITORS / "vscode" / grammar["path"]).resolve(), EDITORS / "track.tmLanguage.json"
        )
        configuration = json.loads((EDITORS / "vscode" / language["configuration"]).read_text(encoding="utf-8"))
        for expression in [configuration["wordPattern"], *configuration["indentationRules"].values()]:
            re.compile(expression)


if __name__ == "__main__":
    unittest.main()
