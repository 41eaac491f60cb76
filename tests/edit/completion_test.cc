// What is offered, and where.

#include "edit/completion.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "edit/follow.h"
#include "edit/keywords.h"
#include "texts.h"

namespace turnout::edit {
namespace {

Completions at_mark(const std::string& text) {
  const auto [reading, at] = read_marked(text);
  return complete(reading, lang::sample_catalogue(), at);
}

std::set<std::string> texts(const Completions& completions) {
  std::set<std::string> out;
  for (const Completion& item : completions.items) {
    out.insert(item.text);
  }
  return out;
}

struct Case {
  const char* text;  // with the cursor at "|"
  std::vector<std::string> offered;
  std::vector<std::string> not_offered;
};

// A step's rule that is being written, in front of two more steps.
std::string in_step(const std::string& line) {
  return "track \"T\"\n  gather contacts where has tag \"old\" continuously\nstep \"One\"\n" +
         line +
         "\nstep \"Two\"\n  for 50% as \"left\":\n    send email \"seen\"\n    stop as \"done\"\n";
}

TEST(Completion, OffersWhatTheWordsBeforeTell) {
  const Case cases[] = {
      {"  otherwise:\n    go to |", {"\"One\"", "\"Two\""}, {"\"done\"", "plan", "when"}},
      {"  otherwise:\n    go to \"T|", {"\"Two\""}, {"stop"}},
      {"  otherwise:\n    go to \"T|\"", {"\"Two\""}, {"stop"}},
      {"  otherwise:\n    go to \"Two\" |", {"after", "at"}, {"\"Two\"", "and"}},
      {"  otherwise:\n    go |", {"to"}, {"when", "plan"}},
      {"  otherwise:\n    add tag |", {"\"old\""}, {"\"One\""}},
      {"  otherwise:\n    send email \"|\"", {"\"welcome\"", "\"seen\""}, {"\"sales\""}},
      {"  otherwise:\n    call webhook |", {"\"sales\"", "\"support\""}, {"\"welcome\""}},
      {"  otherwise:\n    stop as \"|\"", {"\"done\""}, {"\"left\""}},
      {"  when in arm |", {"\"left\""}, {"\"done\""}},
      {"  when |", {"plan", "score", "has tag", "in arm", "visit.times"}, {"go to", "\"One\""}},
      {"  when p|", {"plan", "has tag"}, {"go to"}},
      {"  when plan |", {"is", "is one of", "contains"}, {"plan", "has tag"}},
      {"  when email |", {"is", "contains"}, {"\"welcome\"", "plan"}},
      {"  otherwise:\n    send email |", {"\"welcome\""}, {"is", "plan"}},
      {"  when plan is |", {"not", "one of", "country"}, {"is", "go to"}},
      {"  when plan is \"x\" |", {"and", "or"}, {"is"}},
      {"  when visit.step is |", {"\"Two\"", "not"}, {}},
      {"  when score is more than 3 |", {"days", "and"}, {"plan"}},
      {"  when signed_up_at is more than 3 days |", {"ago"}, {"seconds"}},
      {"  on \"form.submitted\" |", {"where"}, {"with"}},
      {"  when did \"form.submitted\" |", {"since entering", "at least"}, {"with"}},
      {"  otherwise:\n    set |", {"plan", "score"}, {"to", "true"}},
      {"  otherwise:\n    set plan |", {"to"}, {"is"}},
      {"  otherwise:\n    call webhook \"sales\" with { \"a\": |", {"plan", "now"}, {"go to"}},
      {"  otherwise:\n    call webhook \"sales\" with { |", {}, {"plan"}},
      {"  otherwise:\n    |", {"send email", "go to", "when", "step"}, {"gather contacts"}},
      {"  |", {"when", "about", "look up from"}, {"send email", "quiet from"}},
      {"  # when |", {}, {"plan"}},
      {"  about \"the |", {}, {"plan", "when"}},
      {"  for 50% |", {"as"}, {"plan"}},
      {"  for 50% as |", {}, {"\"left\"", "\"done\""}}};
  for (const Case& c : cases) {
    SCOPED_TRACE(c.text);
    const auto found = texts(at_mark(in_step(c.text)));
    for (const std::string& text : c.offered) {
      EXPECT_TRUE(found.contains(text)) << text;
    }
    for (const std::string& text : c.not_offered) {
      EXPECT_FALSE(found.contains(text)) << text;
    }
  }
}

TEST(Completion, KnowsThePartsOfAFile) {
  EXPECT_EQ(texts(at_mark("|")), (std::set<std::string>{"track"}));
  EXPECT_TRUE(texts(at_mark("track \"T\"\n  |")).contains("gather contacts"));
  EXPECT_FALSE(texts(at_mark("track \"T\"\n  |")).contains("continuously"));
  EXPECT_TRUE(texts(at_mark("track \"T\"\n  gather contacts\n    |")).contains("continuously"));
  EXPECT_TRUE(texts(at_mark("track \"T\"\n  gather contacts continuously\n    start at |\nstep "
                            "\"A\"\n  after 1 day:\n"))
                  .contains("\"A\""));
  EXPECT_TRUE(texts(at_mark("track \"T\"\ntest \"t\"\n  |")).contains("expect stopped"));
  EXPECT_TRUE(texts(at_mark("track \"T\"\nstep \"A\"\n  otherwise:\n    put on track \"T\" at |"))
                  .contains("\"A\""));
  EXPECT_FALSE(texts(at_mark("track \"T\"\nstep \"A\"\n  otherwise:\n    put on track \"U\" at |"))
                   .contains("\"A\""));
}

TEST(Completion, OffersStepsThatAreNamedAndMissing) {
  const auto found = texts(
      at_mark("track \"T\"\nstep \"A\"\n  otherwise:\n    go to \"B\"\nstep |\n  otherwise:\n"));
  EXPECT_EQ(found, (std::set<std::string>{"\"B\""}));
}

TEST(Completion, ReplacesWhatIsBeingWritten) {
  struct Place {
    const char* text;
    const char* replaced;
  };
  for (const Place& c :
       {Place{"    go to \"Tw|o\" after 1 day", "\"Two\""}, Place{"    go to \"Tw|", "\"Tw"},
        Place{"    go to \"|", "\""}, Place{"    go to \"T|w after 1 day", "\"T"},
        Place{"    go to |", ""}, Place{"    se|nd email \"x\"", "send"},
        Place{"    send| email \"x\"", "send"}}) {
    const auto [reading, at] = read_marked(in_step("  otherwise:\n" + std::string(c.text)));
    const auto completions = complete(reading, lang::sample_catalogue(), at);
    EXPECT_EQ(slice(reading, completions.place), c.replaced) << c.text;
    EXPECT_FALSE(completions.items.empty()) << c.text;
  }
}

TEST(Completion, HandsOutNoMoreThanAnybodyReads) {
  std::string text = "track \"T\"\nstep \"first\"\n  otherwise:\n    go to \"|\"\n";
  for (std::size_t i = 0; i < kMaxCompletions; ++i) {
    text += "step \"s" + std::to_string(i) + "\"\n  after 1 day:\n";
  }
  const Completions many = at_mark(text);
  EXPECT_FALSE(many.complete);
  EXPECT_EQ(many.items.size(), kMaxCompletions);
  text.replace(text.find('|'), 1, "s99|");
  const Completions few = at_mark(text);
  EXPECT_FALSE(few.complete);
  EXPECT_TRUE(texts(few).contains("\"s999\""));
  EXPECT_FALSE(texts(few).contains("\"s1\""));
}

// Whoever writes a sample track from the first word to the last finds each keyword offered, but for
// the few that follow something longer than completion looks back.
TEST(Completion, OffersNearlyEveryWordOfTheSampleTracks) {
  std::size_t words = 0;
  std::string missed;
  std::size_t misses = 0;
  for (const char* name : {"trial-welcome", "overdue-invoices", "welcome-5"}) {
    const Reading whole = read_text(sample(name));
    for (std::size_t i = 0; i < whole.tokens.tokens.size(); ++i) {
      if (whole.kind(i) != lang::TokenKind::kWord) {
        continue;
      }
      const std::string word(whole.source(i));
      const std::size_t begin = whole.tokens.tokens[i].span.begin;
      // As it is while the line is being written: nothing stands behind the cursor.
      const Reading reading = read_text(whole.text.substr(0, begin));
      const auto offered = complete(reading, lang::sample_catalogue(), begin).items;
      const bool found = std::any_of(offered.begin(), offered.end(), [&](const Completion& item) {
        return item.text == word || item.text.starts_with(word + " ") ||
               (item.kind == CompletionKind::kKeyword && item.text.ends_with(" " + word));
      });
      ++words;
      if (!found && field_at(whole, begin) == nullptr) {
        ++misses;
        missed += whole.text.substr(whole.text.rfind('\n', begin) + 1,
                                    begin - whole.text.rfind('\n', begin) - 1) +
                  "[" + word + "]\n";
      }
    }
  }
  EXPECT_GT(words, 200U);
  EXPECT_LE(misses * 20, words) << missed;
}

TEST(Completion, IsTriedAtEveryPlaceOfBrokenTexts) {
  const std::string text = sample("trial-welcome");
  for (std::size_t i = 0; i < text.size(); i += 7) {
    std::string broken = text;
    broken.erase(i, 5);
    const Reading reading = read_text(broken);
    for (std::size_t at = i < 50 ? 0 : i - 50; at < std::min(broken.size(), i + 50); at += 3) {
      const Completions found = complete(reading, lang::sample_catalogue(), at);
      ASSERT_LE(found.place.begin, at);
      ASSERT_GE(found.place.end, at);
    }
  }
}

TEST(Follow, NamesOnlyWordsOfTheLanguage) {
  const auto known = [](std::string_view words) {
    while (!words.empty()) {
      const std::size_t end = std::min(words.find_first_of(" |"), words.size());
      EXPECT_NE(find_keyword(words.substr(0, end)), nullptr) << words;
      words.remove_prefix(std::min(end + 1, words.size()));
    }
  };
  for (const Follow& entry : all_follows()) {
    known(entry.before);
    known(entry.words);
    EXPECT_EQ(follow(entry.before.substr(0, entry.before.find(' ')),
                     entry.before.substr(entry.before.find(' ') + 1)),
              &entry)
        << entry.before;
  }
  for (const std::string_view list : {kJoins, kPredicates, kValues, kUnits, kClauseHeads,
                                      kGatherParts, kStepParts, kRuleHeads, kActions, kTestLines}) {
    known(list);
  }
}

}  // namespace
}  // namespace turnout::edit
