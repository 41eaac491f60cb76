#pragma once

// Walks a syntax tree and writes the text.

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "template/evaluator.h"
#include "template/template.h"
#include "template/tree.h"

namespace turnout::tmpl {

// One rendering: run() is called once. What it was made of must outlive it.
class Renderer {
 public:
  Renderer(const Tree& tree, const Lookup& lookup, const RenderOptions& options)
      : tree_(tree), values_(tree, lookup, options) {}

  base::Result<Rendered> run();

 private:
  enum class Flow { kOn, kBreak, kContinue };

  base::Result<Flow> render(const Nodes& nodes);
  base::Result<Flow> render(const Text& text);
  base::Result<Flow> render(const Output& output);
  base::Result<Flow> render(const If& tag);
  base::Result<Flow> render(const Case& tag);
  base::Result<Flow> render(const Loop& tag);
  base::Result<Flow> render(const Cycle& tag);
  base::Result<Flow> render(const Assign& tag);
  base::Result<Flow> render(const Capture& tag);
  base::Result<Flow> render(const Count& tag);
  base::Result<Flow> render(const Leave& tag);

  base::Result<Value::Items> turns_of(const Loop& tag, Value::Items items);
  base::Result<void> open_cell(const LoopState& loop);
  base::Result<void> write(std::string_view text);
  base::Result<void> write_value(const Filtered& filtered);

  const Tree& tree_;
  Evaluator values_;
  std::string text_;  // written so far; of a capture while that is open
  std::map<std::string, std::size_t, std::less<>> cycles_;  // which value comes next
  std::map<std::string, std::size_t, std::less<>> ended_;   // where loops ended, by name
};

}  // namespace turnout::tmpl
