// Tests beside a track.

#include <utility>

#include "base/text.h"
#include "lang/parser_impl.h"
#include "lang/words.h"

namespace turnout::lang {

using track::TestCase;

void Parser::test_case() {
  const std::size_t first = index_;
  if (++tests_ > kMaxTests) {
    too_many("tests", kMaxTests);
    return;
  }
  next();
  TestCase test;
  test.name = name("the name of the test");
  test.span = panic_ ? tokens_.tokens[first].span : span_from(first);
  attach(test.comments, first);
  recover(Context::kTest, first);
  while (!at(TokenKind::kEnd) && !at_part()) {
    if (test.lines.size() == kMaxLinesPerTest) {
      too_many("lines in one test", kMaxLinesPerTest);
      break;
    }
    if (second_track("expected-step")) {
      break;
    }
    if (at_clause()) {
      misplaced_clause();
      continue;
    }
    colon_behind_word();
    const std::size_t line_first = index_;
    TestCase::Line line = test_line();
    attach(line.comments, line_first);
    if (!panic_) {
      line.span = span_from(line_first);
      test.lines.push_back(std::move(line));
    }
    recover(Context::kTest, line_first);
  }
  out_.track.parts.emplace_back(std::move(test));
}

TestCase::Line Parser::test_line() {
  TestCase::Line line;
  if (accept("given")) {
    given_line(line);
  } else if (accept("event")) {
    TestCase::Event event;
    event.event = name("the name of an event");
    event.with = with_json();
    line.what = std::move(event);
  } else if (accept("after")) {
    line.what = TestCase::Pass{duration()};
  } else if (accept("expect")) {
    expect_line(line);
  } else if (reported_already()) {
    panic_ = true;
  } else {
    const Habit* other = habit(Place::kTest);
    const std::size_t words = other != nullptr && other->two_words() ? 2 : 1;
    std::string hint(other != nullptr ? other->hint : std::string_view());
    if (at(TokenKind::kWord) && other == nullptr) {
      static const std::vector<std::string> kWords = {"given",  "event", "after",
                                                      "expect", "step",  "test"};
      const std::string_view meant = base::closest(shorten(source(peek())), kWords);
      hint = meant.empty() ? "" : "did you mean `" + std::string(meant) + "`?";
    }
    fail_at(span_of(words), "expected-test-line",
            "expected `given`, `event`, `after` or `expect` here, found " + found(words), hint);
  }
  return line;
}

// Behind `given`. A field may have the name of a word that begins the other forms.
void Parser::given_line(TestCase::Line& line) {
  const std::size_t word = at_any({"no", "not"}) ? 1 : 0;
  const bool no = word == 1 && !at_word("is", 1);
  if (no || !at_word("is", 1)) {
    if (at_word("tag", word) && !at_word("not")) {
      index_ += word + 1;
      line.what = TestCase::GivenTag{no, name("the name of a tag")};
      return;
    }
    if (at_word("on", word) && !at_word("no")) {
      index_ += word + 1;
      expect("track", "`given on track`");
      TestCase::GivenPlace place{no, name("the name of a track"), {}};
      if (accept("at")) {
        place.step = name("the name of a step");
      }
      line.what = std::move(place);
      return;
    }
    if (no) {
      next();
      fail("expected-word", "`tag` behind `given no`, or `on track` behind `given not`");
      return;
    }
  }
  TestCase::Given given;
  do {
    track::FieldRef ref = field();
    expect("is", "`given … is`");
    given.fields.emplace_back(std::move(ref), operand());
    if (given.fields.size() > kMaxListItems) {
      too_many("fields of one `given`", kMaxListItems);
    }
  } while (accept_symbol(','));
  line.what = std::move(given);
}

// Behind `expect`.
void Parser::expect_line(TestCase::Line& line) {
  using Kind = TestCase::ExpectThing::Kind;
  struct Thing {
    std::string_view word;
    Kind kind;
    std::string_view what;
  };
  static constexpr Thing kThings[] = {{"email", Kind::kEmail, "the name of a template"},
                                      {"webhook", Kind::kWebhook, "the name of a webhook"},
                                      {"event", Kind::kEvent, "the name of an event"},
                                      {"tag", Kind::kTag, "the name of a tag"}};
  const bool no = at_word("no") && !at_word("is", 1);
  for (const Thing& thing : kThings) {
    if (at_word(thing.word, no ? 1 : 0) && (no || !at_word("is", 1))) {
      index_ += no ? 2 : 1;
      line.what = TestCase::ExpectThing{no, thing.kind, name(thing.what)};
      return;
    }
  }
  if (no) {
    next();
    fail("expected-word", "`email`, `webhook`, `event` or `tag` behind `no`");
  } else if (at_word("not") && at_any({"email", "webhook", "event", "tag"}, 1)) {
    fail("expected-word", "`no` before what is not expected", "write `no`");
  } else if (accept("on")) {
    expect("step", "`expect on step`");
    line.what = TestCase::ExpectOnStep{name("the name of a step")};
  } else if (at_word("stopped") && !at_word("is", 1)) {
    next();
    TestCase::ExpectStopped stopped;
    if (accept("as")) {
      stopped.as = name("the name of an outcome");
    }
    line.what = std::move(stopped);
  } else {
    track::FieldRef ref = field();
    expect("is", "`expect … is`");
    line.what = TestCase::ExpectField{std::move(ref), operand()};
  }
}

}  // namespace turnout::lang
