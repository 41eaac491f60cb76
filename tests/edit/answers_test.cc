// Hovers, the outline, the layout, fixes, and the words that they explain.

#include <gtest/gtest.h>

#include <set>
#include <sstream>

#include "edit/fixes.h"
#include "edit/hover.h"
#include "edit/keywords.h"
#include "edit/layout.h"
#include "edit/outline.h"
#include "edit/scopes.h"
#include "lang/formatter.h"
#include "lang/generate.h"
#include "lang/parser.h"
#include "lang/stanzas.h"
#include "lang/words.h"
#include "texts.h"

namespace turnout::edit {
namespace {

// ---- Keywords -----------------------------------------------------------------------------------

TEST(Keywords, EveryReservedWordIsExplained) {
  ASSERT_GT(lang::reserved_words().size(), 50U);
  for (const std::string_view word : lang::reserved_words()) {
    EXPECT_NE(find_keyword(word), nullptr) << word;
  }
  EXPECT_NE(find_keyword("WHEN"), nullptr);
  EXPECT_EQ(find_keyword("banana"), nullptr);
  for (const Keyword& keyword : keywords()) {
    EXPECT_EQ(keyword.meaning.find('\n'), std::string_view::npos) << keyword.word;
    EXPECT_FALSE(keyword.meaning.empty()) << keyword.word;
  }
}

TEST(Scopes, AreThoseOfTheChecker) {
  for (const EngineField& field : kEngineFields) {
    const std::string text = "track \"T\"\n  gather contacts continuously\nstep \"A\"\n  when " +
                             std::string(field.name) +
                             " is present:\n    stop\n  after 1 day:\n    stop\n";
    EXPECT_TRUE(read_text(text).diagnostics.empty()) << field.name;
  }
}

// ---- Hovers -------------------------------------------------------------------------------------

std::string hover_at(const std::string& marked) {
  const auto [reading, at] = read_marked(marked);
  const auto found = hover(reading, lang::sample_catalogue(), at);
  return found ? std::string(slice(reading, found->place)) + " = " + found->text : "";
}

std::string in_rule(const std::string& line) {
  return "track \"T\"\n  gather contacts continuously\nstep \"A\"\n  about \"Where it begins.\"\n "
         " " +
         line + "\n    go to \"B\"\nstep \"B\"\n  for 50% as \"left\":\n    stop\n";
}

TEST(Hover, TellsTypesNamesAndKeywords) {
  EXPECT_EQ(hover_at(in_rule("when sc|ore is at least 3:")),
            "score = score: number; a field of the contact");
  EXPECT_EQ(hover_at(in_rule("when email| is present:")),
            "email = email: text; a field that every contact has");
  EXPECT_EQ(hover_at(in_rule("when visit.times| is 3:")),
            "visit.times = visit.times: number; how often the contact has come to the step");
  EXPECT_EQ(
      hover_at(in_rule("on \"e\" where event.si|ze is 1:")),
      "event.size = event.size: takes the type of what it is compared with; a property of the "
      "last event that gathered or moved this entry");
  EXPECT_EQ(hover_at(in_rule("when nonsense| is 3:")),
            "nonsense = nonsense: a field of the contact; its type is not known here");
  EXPECT_EQ(hover_at(in_rule("when visit.step is \"A|\":")),
            "\"A\" = step \"A\"\nWhere it begins.\n1 rule\nnamed in 1 place");
  EXPECT_EQ(hover_at(in_rule("when in arm \"le|ft\":")),
            "\"left\" = arm \"left\"\n50% of those who come to step \"B\"\nnamed in 1 place");
  EXPECT_EQ(hover_at(in_rule("when has tag \"|x\":")), "\"x\" = tag \"x\"\nnamed in 1 place");
  EXPECT_EQ(hover_at(in_rule("otherwise|:")),
            "otherwise = otherwise: `otherwise:` is met when no rule before it was");
  EXPECT_EQ(hover_at(in_rule("wh|en has tag \"x\":")),
            "when = when: `when CONDITION:` is met when the condition holds");
}

TEST(Hover, SaysNothingOfTheRest) {
  EXPECT_EQ(hover_at(in_rule("when score is |3:")), "");
  EXPECT_EQ(hover_at(in_rule("when plan is \"tr|ial\":")), "");
  EXPECT_EQ(hover_at(in_rule("when has tag \"x\": # when| not")), "");
  EXPECT_EQ(hover_at("|"), "");
}

TEST(Hover, KnowsFieldsOfBrokenStatements) {
  EXPECT_EQ(hover_at(in_rule("when sco|re is at leest 3:")),
            "score = score: number; a field of the contact");
}

// ---- The outline --------------------------------------------------------------------------------

std::string drawn(const Reading& reading, const std::vector<Symbol>& symbols, int depth = 0) {
  std::string out;
  for (const Symbol& symbol : symbols) {
    const std::string_view whole = slice(reading, symbol.whole);
    const std::size_t last = whole.rfind('\n');
    out += std::string(static_cast<std::size_t>(depth) * 2, ' ') + symbol.name +
           (symbol.detail.empty() ? "" : " (" + symbol.detail + ")") + " … " +
           std::string(last == std::string_view::npos
                           ? whole
                           : whole.substr(whole.find_first_not_of(" \n", last))) +
           "\n";
    out += drawn(reading, symbol.children, depth + 1);
  }
  return out;
}

TEST(Outline, ShowsClausesStepsRulesAndTests) {
  const Reading reading = read_text(
      "track \"T\"\n  gather contacts where plan is \"a\"\n    continuously\n\n"
      "# about the first\nstep \"A\"\n  about \"Begins.\"\n  when plan is missing:\n    stop as "
      "\"x\"\n  otherwise:\n    add tag \"y\"\n    go to \"B\" after 1 day\n\n# of B\nstep \"B\"\n"
      "\ntest \"t\"\n  after 1 day\n  expect on step \"B\"\n");
  EXPECT_EQ(drawn(reading, outline(reading)),
            "gather contacts where plan is \"a\" … continuously\n"
            "A (Begins.) … go to \"B\" after 1 day\n"
            "  when plan is missing (stop as \"x\") … stop as \"x\"\n"
            "  otherwise (go to \"B\" after 1 day) … go to \"B\" after 1 day\n"
            "B … step \"B\"\n"
            "t … expect on step \"B\"\n");
}

void expect_nested(const std::vector<Symbol>& symbols, Stretch within) {
  for (const Symbol& symbol : symbols) {
    EXPECT_FALSE(symbol.name.empty());
    EXPECT_LE(within.begin, symbol.whole.begin);
    EXPECT_LE(symbol.whole.end, within.end);
    EXPECT_LE(symbol.whole.begin, symbol.head.begin);
    EXPECT_LE(symbol.head.end, symbol.whole.end);
    expect_nested(symbol.children, symbol.whole);
  }
}

// Editors refuse an outline whose parts do not lie within each other.
TEST(Outline, IsNestedInBrokenTextsToo) {
  const std::string text = sample("trial-welcome");
  for (std::size_t i = 0; i < text.size(); i += 5) {
    std::string broken = text;
    broken.erase(i, 9);
    const Reading reading = read_text(broken);
    expect_nested(outline(reading), {0, broken.size()});
    ASSERT_FALSE(HasFailure()) << broken;
  }
}

// ---- The layout ---------------------------------------------------------------------------------

TEST(Layout, IsThatOfTheFormatter) {
  for (int seed = 1; seed <= 200; ++seed) {
    const std::string laid_out =
        lang::format(lang::random_track(static_cast<std::uint64_t>(seed), 16));
    EXPECT_TRUE(layout(read_text(laid_out)).value().empty());
    std::string text = laid_out;
    for (std::size_t i = text.find("\n  "); i != std::string::npos; i = text.find("\n  ", i + 40)) {
      if (text.find("\"\"\"") == std::string::npos) {
        text.insert(i, "\n\n");
      }
    }
    const Reading reading = read_text(text);
    const auto edits = layout(reading);
    ASSERT_TRUE(edits) << edits.error().message;
    EXPECT_EQ(edited(text, edits.value()), laid_out) << "seed " << seed;
  }
}

TEST(Layout, ChangesOnlyTheLinesThatDiffer) {
  const std::string text =
      "track \"T\"\n  gather contacts continuously\n\nstep \"A\"\n   otherwise  :\n    "
      "stop\n\nstep "
      "\"B\"\n  after 1 day:\n    stop\n";
  const Reading reading = read_text(text);
  const auto edits = layout(reading);
  ASSERT_TRUE(edits);
  ASSERT_EQ(edits.value().size(), 1U);
  EXPECT_EQ(slice(reading, edits.value()[0].place), "   otherwise  :\n");
  EXPECT_EQ(edits.value()[0].text, "  otherwise:\n");
  // A line more at the end, and one less.
  for (const std::string& other : {std::string(text.substr(0, text.size() - 1)), text + "\n\n"}) {
    const auto more = layout(read_text(other));
    ASSERT_TRUE(more);
    EXPECT_EQ(edited(other, more.value()), lang::format(lang::parse(text).track));
  }
}

TEST(Layout, OfATextWithMistakesIsRefused) {
  const auto edits = layout(read_text("track \"T\"\nstep \"A\"\n  otherwise\n    stop\n"));
  ASSERT_FALSE(edits);
  EXPECT_NE(edits.error().message.find("line 3"), std::string::npos) << edits.error().message;
}

// ---- Fixes --------------------------------------------------------------------------------------

std::vector<std::string> tracks_with_mistakes() {
  std::vector<std::string> texts;
  for (const char* folder : {"diagnostics", "mistakes"}) {
    for (const lang::StanzaFile& file : lang::stanza_files(folder)) {
      for (const lang::Stanza& stanza : file.stanzas) {
        texts.push_back(stanza.text);
      }
    }
  }
  return texts;
}

std::size_t count_of(const Reading& reading, const std::string& code) {
  std::size_t count = 0;
  for (const lang::Diagnostic& d : reading.diagnostics) {
    count += d.code == code ? 1 : 0;
  }
  return count;
}

// Every fix that is offered for a mistake of the checker's tests takes that mistake away.
TEST(Fixes, CureWhatTheyAreOfferedFor) {
  std::set<std::string> cured;
  for (const std::string& text : tracks_with_mistakes()) {
    const Reading reading = read_text(text);
    for (const lang::Diagnostic& d : reading.diagnostics) {
      const auto fix = fix_for(reading, d);
      if (!fix) {
        continue;
      }
      const Reading after = read_text(edited(text, {fix->edit}));
      EXPECT_LT(count_of(after, d.code), count_of(reading, d.code))
          << fix->title << "\n"
          << lang::render(d, "T.track", text, false) << after.text;
      cured.insert(d.code);
    }
  }
  EXPECT_GE(cured.size(), 15U);
}

std::string fixed(const std::string& text) {
  const Reading reading = read_text(text);
  for (const lang::Diagnostic& d : reading.diagnostics) {
    if (const auto fix = fix_for(reading, d)) {
      return edited(text, {fix->edit});
    }
  }
  return "";
}

TEST(Fixes, WriteNothingTwice) {
  const std::string head = "track \"T\"\n  gather contacts continuously\nstep \"A\"\n";
  EXPECT_EQ(fixed(head + "  when plan is \"a\":\n    stop\n  else:\n    stop\n"),
            head + "  when plan is \"a\":\n    stop\n  otherwise:\n    stop\n");
  EXPECT_EQ(fixed(head + "  when plan start with \"a\":\n    stop\n"),
            head + "  when plan starts with \"a\":\n    stop\n");
  EXPECT_EQ(fixed(head + "  when evnt.size is 3:\n    stop\n"),
            head + "  when event.size is 3:\n    stop\n");
  EXPECT_EQ(fixed(head + "  when plan is one of \"a\" or \"b\":\n    stop\n"),
            head + "  when plan is one of \"a\", \"b\":\n    stop\n");
  EXPECT_EQ(fixed(head + "  after 1 day\n    stop\n"), head + "  after 1 day:\n    stop\n");
}

TEST(Fixes, KeepWordsApart) {
  const std::string head = "track \"T\"\n  gather contacts continuously\nstep \"A\"\n";
  EXPECT_EQ(fixed(head + "  when score==5:\n    stop\n"), head + "  when score is 5:\n    stop\n");
  EXPECT_EQ(fixed(head + "  when !`x`:\n    stop\n"), head + "  when not`x`:\n    stop\n");
  EXPECT_EQ(fixed(head + "  when !plan:\n    stop\n"), head + "  when not plan:\n    stop\n");
  EXPECT_EQ(fixed(head + "  when plan is 'a':\n    stop\n"),
            head + "  when plan is \"a\":\n    stop\n");
}

}  // namespace
}  // namespace turnout::edit
