#pragma once

// Reads what stands inside the braces: operands, conditions, filters.

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "template/tree.h"

namespace turnout::tmpl {

// Notes which variables a template takes from outside. A name belongs to the template itself while
// a loop over it is open, and from where the template gives it a value.
class Names {
 public:
  explicit Names(Tree& tree) : tree_(tree) {}

  void use(const std::string& dotted);
  void give(const std::string& name) { tree_.own.insert(name); }
  void enter(const std::string& name) { open_.push_back(name); }
  void leave() { open_.pop_back(); }

 private:
  Tree& tree_;
  std::vector<std::string> open_;
  std::set<std::string, std::less<>> used_;
};

class ExpressionParser {
 public:
  // `part` is a part of `source`; both outlive the parser. `close` is what ends the part, for
  // messages.
  ExpressionParser(std::string_view source, std::string_view part, Names& names,
                   std::string_view close);

  // An expression with its filters, up to a comma or the end.
  base::Result<Filtered> filtered();
  base::Result<Operand> operand();
  // A name without dots, as assign and for take it; empty if there is none here.
  std::string name();
  // A name or a quoted text.
  base::Result<std::string> name_or_text();
  // Takes the word or the sign if it comes next.
  bool take_word(std::string_view word);
  bool take(char sign);
  bool at_end();
  char next();  // 0 at the end

  std::size_t offset() const;
  std::string_view rest();
  base::Result<void> expect_end();
  base::Error wrong(const std::string& what) { return wrong_at(offset(), what); }
  base::Error wrong_at(std::size_t offset, const std::string& what) const;

 private:
  base::Result<Expression> expression();
  base::Result<bool> take_operator(Operator& found);
  base::Result<Operand> plain_operand(bool& variable);
  base::Result<std::string> quoted();
  base::Result<Operand> range();
  base::Result<void> members(Path& path, std::string_view from);
  base::Result<void> fix_name(Path& path) const;
  base::Result<FilterCall> filter();
  base::Result<void> arguments(FilterCall& call);
  base::Result<void> check_arguments(const FilterCall& call, std::size_t offset) const;
  base::Result<void> read_question(FilterCall& call, std::size_t offset);
  std::string_view peek_name() const;
  bool number_ahead(double& value, std::size_t& length) const;
  void skip_space();

  std::string_view source_;
  std::string_view part_;
  Names& names_;
  std::string_view close_;
  std::size_t at_ = 0;  // in part_
  std::size_t depth_ = 0;
  // The expression that a filter takes as a text: all its mistakes are where that text is.
  std::size_t fixed_offset_ = std::string_view::npos;
};

}  // namespace turnout::tmpl
