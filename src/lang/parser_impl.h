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
#include "lang/foreign.h"
#include "lang/lexer.h"
#include "lang/parser.h"
#include "track/track.h"

namespace turnout::lang {

// As messages call it. Another text may stand behind it.
inline constexpr std::string_view kDatabase = "the name of a database";

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
  std::string found(std::size_t words = 1) const;
  void add(Diagnostic diagnostic);
  bool told() const;
  bool reported_already() const;
  static std::string expected_here(const std::string& what);
  void fail(CodeId code, const std::string& expected, std::string hint = {}, std::size_t words = 1);
  void fail_at(track::Span span, CodeId code, std::string message, std::string hint = {});
  void expect(std::string_view word, std::string_view after_what);
  void recover(Context context, std::size_t first);
  void recover_head(std::size_t first);
  bool boundary(Context context, std::size_t index, std::uint32_t column) const;
  bool line_ends_with_colon() const;
  void too_many(std::string_view what, std::size_t limit);
  void stop_reading();
  // --- What other languages write (parser.cc)
  const Habit* habit(Place place, std::size_t ahead = 0) const;
  std::string hint_for(Place place) const;
  std::string hint_for_word(std::string_view word) const;
  std::string hint_for_call() const;
  void fail_by(const Habit& other, CodeId code, const std::string& expected);
  void fail_at_place(Place place, CodeId code, const std::string& expected);
  void needless(std::string message);
  void colon_behind_word();
  void block_mark(std::string_view of);
  bool close_brace();
  void count_braces(std::size_t first);
  track::Span span_of(std::size_t words) const;
  bool second_track(CodeId code);
  void attach(track::Comments& comments, std::size_t first);

  // --- Leaves (parse_values.cc)
  track::Name name(std::string_view what, std::string_view hint = {});
  track::Name text_block(std::string_view what, std::string_view hint = {});
  track::Name sql(std::string_view what);
  track::Name unquoted(std::string_view what, std::string_view hint);
  std::size_t words_of_text(bool before_text) const;
  std::string plain_text(std::string_view what, std::string_view hint = {});
  bool behind_comma() const;
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
  std::string hint_for_day() const;
  std::uint8_t weekday(std::size_t ahead) const;
  track::Json json();
  track::Json json_value();
  std::string json_key();
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
  bool foreign_condition();
  bool foreign_predicate();
  track::Condition uncompared(const track::Operand& left);
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
  bool foreign_clause();

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
  void rule_line(track::Rule& rule, bool& move_told);
  void colon();
  void fail_behind_head();
  std::string hint_behind_on() const;
  bool behind_action() const;
  bool at_foreign_head() const;
  void wait_in_rule();
  // --- Actions and moves (parse_actions.cc)
  track::Action action();
  void action_body(track::Action& action);
  void change_action(track::Action& action);
  track::Move move();
  std::string hint_behind_go_to() const;
  std::optional<track::Due> due();
  std::optional<track::Clock> clock();
  bool after_is_a_head() const;
  void misplaced_clause();
  void unknown_in_step(track::Step* step);
  void go_on_behind_unknown(track::Step* step, std::size_t first, bool misspelt,
                            const Habit* other);
  void foreign_when(track::Step& step, std::size_t first, const Habit& other);

  // --- Tests in a track (parse_tests.cc)
  void test_case();
  track::TestCase::Line test_line();
  void given_line(track::TestCase::Line& line);
  void expect_line(track::TestCase::Line& line);

  std::string_view text_;
  Tokens tokens_;
  Token end_;
  std::size_t index_ = 0;
  std::size_t next_comment_ = 0;
  std::size_t depth_ = 0;
  std::size_t misspelt_step_ = SIZE_MAX;  // index of a word that was meant as `step`
  std::size_t open_braces_ = 0;           // reported, and not closed yet
  bool panic_ = false;
  bool full_ = false;  // a limit was passed: nothing more is read or reported
  std::size_t steps_ = 0;
  std::size_t tests_ = 0;
  Parsed out_;
};

}  // namespace turnout::lang
