#pragma once

// The inside of the parser; included by parser.cc and parse_*.cc only.
//
// After a mistake the parser is in *panic*: it sees the end of the file everywhere, so that every
// function falls through to the loop over statements, which calls recover() and goes on where the
// next statement begins. So one statement reports at most one mistake, and no function needs to
// hand failures up.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lang/codes.h"
#include "lang/lexer.h"
#include "lang/parser.h"
#include "track/track.h"

namespace turnout::lang {

class Parser {
 public:
  Parser(std::string_view text, Tokens tokens);

  Parsed run();

 private:
  // What recover() looks for.
  enum class Context { kClauses, kStep, kTest };

  // --- Tokens (parser.cc)
  const Token& peek(std::size_t ahead = 0) const;
  std::string_view source(const Token& token) const;
  bool at(TokenKind kind, std::size_t ahead = 0) const { return peek(ahead).kind == kind; }
  bool at_word(std::string_view word, std::size_t ahead = 0) const;
  bool at_any(std::initializer_list<std::string_view> words, std::size_t ahead = 0) const;
  bool at_symbol(char symbol, std::size_t ahead = 0) const;
  bool accept(std::string_view word);
  bool accept_symbol(char symbol);
  void next();
  track::Span place(const Token& token) const;
  track::Span behind_previous() const;
  track::Span span_from(std::size_t first) const;
  track::Span end_of(const Token& token) const;

  // --- Mistakes (parser.cc)
  std::string found() const;
  void add(Diagnostic diagnostic);
  void fail(CodeId code, std::string expected, std::string hint = {});
  void fail_at(track::Span span, CodeId code, std::string message, std::string hint = {});
  void expect(std::string_view word, std::string_view after_what);
  void recover(Context context, std::size_t first);
  void recover_head(std::size_t first);
  bool boundary(Context context, std::size_t index, std::uint32_t column) const;
  bool line_ends_with_colon() const;
  void too_many(std::string_view what, std::size_t limit);
  void attach(track::Comments& comments, std::size_t first);

  // --- Leaves (parse_values.cc)
  track::Name name(std::string_view what);
  track::Name text_block(std::string_view what);
  std::string plain_text(std::string_view what);
  track::FieldRef field();
  track::Operand operand();
  bool at_value(std::size_t ahead = 0) const;
  bool at_duration(std::size_t ahead = 0) const;
  bool at_days(std::size_t ahead = 0) const;
  track::DurationSpec duration();
  std::optional<track::Unit> unit(std::string_view word) const;
  void unit_missing();
  double number(std::string_view what);
  double percent();
  track::TimeOfDay time_of_day();
  track::DateTime date_time();
  track::Days days();
  std::uint8_t weekday(std::size_t ahead) const;
  track::Json json();
  track::Json json_value();
  std::optional<track::Json> with_json();
  bool too_deep();

  // --- Conditions (parse_conditions.cc)
  track::Condition condition();
  track::Condition conjunction();
  track::Condition unary();
  track::Condition test();
  track::Condition did();
  track::Condition predicate(track::Operand left);
  track::Condition after_is(track::Operand left);
  track::Condition more_or_less(track::Operand left, bool negated);
  track::Condition does_not(track::Operand left);
  std::vector<track::Operand> one_of();
  bool at_symbol_comparison() const;
  bool at_predicate(std::size_t ahead) const;
  std::size_t value_length(std::size_t ahead) const;
  std::optional<track::Condition> where();

  // --- Clauses (parse_clauses.cc)
  bool at_clause() const;
  void clause();
  void track_head();
  track::About about();
  track::TimeZone time_zone();
  track::Gather gather();
  track::Schedule schedule();
  track::Schedule every();
  track::Enter enter();
  track::Leave leave();
  track::HoldOut hold_out();
  track::Cap cap();
  track::Quiet quiet();
  void unknown_clause();

  // --- Steps (parse_steps.cc)
  bool at_part() const;
  bool at_head() const;
  bool at_action() const;
  bool at_move() const;
  void step();
  void step_about(track::Step& step);
  void step_look_up(track::Step& step);
  void step_check(track::Step& step);
  void step_body(track::Step& step);
  track::Rule rule();
  track::Head head();
  void rule_body(track::Rule& rule);
  void colon();
  // --- Actions and moves (parse_actions.cc)
  track::Action action();
  void action_body(track::Action& action);
  void change_action(track::Action& action);
  track::Move move();
  std::optional<track::Due> due();
  std::optional<track::Clock> clock();
  bool after_is_a_head() const;
  void misplaced_clause();
  void unknown_in_step(track::Step* step);

  // --- Tests in a track (parse_tests.cc)
  void test_case();
  track::TestCase::Line test_line();
  void expect_line(track::TestCase::Line& line);

  std::string_view text_;
  Tokens tokens_;
  Token end_;
  std::size_t index_ = 0;
  std::size_t next_comment_ = 0;
  std::size_t depth_ = 0;
  std::size_t misspelt_step_ = SIZE_MAX;  // index of a word that was meant as `step`
  bool panic_ = false;
  bool full_ = false;  // a limit was passed: nothing more is read or reported
  std::size_t steps_ = 0;
  std::size_t tests_ = 0;
  Parsed out_;
};

}  // namespace turnout::lang
