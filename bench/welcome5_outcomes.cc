#include "bench/welcome5_outcomes.h"

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::bench {

namespace {

using track::ActionKind;
using track::BlockOutcome;
using track::PositionState;
using track::Shape;

constexpr std::array<const char*, 5> kSteps = {"Welcome", "Local", "Sales", "Tips", "Pro"};

// One firing of a rule.
struct Fired {
  std::size_t step = 0;
  std::int32_t rule = 0;
  const char* email = nullptr;
  const char* webhook = nullptr;
  const char* stop = nullptr;
  bool tag = false;
};

bool in_local_country(const welcome5::Contact& contact) {
  for (const char* country : {"DE", "AT", "CH", "FR", "NL", "BE", "LU", "IT"}) {
    if (std::string_view(contact.country) == country) {
      return true;
    }
  }
  return false;
}

Fired fire(const welcome5::Contact& contact, std::size_t step) {
  Fired fired;
  fired.step = step;
  switch (step) {
    case 0:
      fired.rule = !contact.email ? 0 : contact.opted_out ? 1 : 2;
      fired.stop = fired.rule == 0 ? "no address" : fired.rule == 1 ? "opted out" : nullptr;
      fired.email = fired.rule == 2 ? "welcome" : nullptr;
      break;
    case 1:
      fired.rule = in_local_country(contact) ? 0 : 1;
      fired.email = fired.rule == 0 ? "local" : nullptr;
      break;
    case 2:
      fired.rule = std::string_view(contact.plan) == "trial" && contact.score >= 40 ? 0 : 1;
      fired.webhook = fired.rule == 0 ? "sales" : nullptr;
      break;
    case 3:
      fired.rule = contact.score < 10 ? 0 : 1;
      fired.stop = fired.rule == 0 ? "low score" : nullptr;
      fired.email = fired.rule == 1 ? "tips" : nullptr;
      break;
    default:
      fired.rule = std::string_view(contact.plan) == "pro" ? 0 : 1;
      fired.tag = fired.rule == 0;
      fired.stop = track::kCompleted;
      break;
  }
  return fired;
}

// The fields that the rules tested up to the one that fired have read.
void append_seen(const welcome5::Contact& contact, const Fired& fired, std::string& out) {
  const auto field = [&](std::string_view name, std::string_view value) {
    const std::string key = "\"" + std::string(name) + "\":";
    if (out.find(key) == std::string::npos) {
      out += (out.size() > 1 ? "," : "") + key + std::string(value);
    }
  };
  const auto text = [](std::string_view value) { return "\"" + std::string(value) + "\""; };
  switch (fired.step) {
    case 0:
      field("email", contact.email ? text(*contact.email) : "null");
      if (fired.rule > 0) {
        field("opted_out", contact.opted_out ? "true" : "false");
      }
      break;
    case 1:
      field("country", text(contact.country));
      break;
    case 2:
      field("plan", text(contact.plan));
      field("score", std::to_string(contact.score));
      break;
    case 3:
      field("score", std::to_string(contact.score));
      break;
    default:
      field("plan", text(contact.plan));
      break;
  }
}

class Maker {
 public:
  Maker(const track::Numbering& numbering, Form form) : numbering_(numbering), form_(form) {}

  void add(const track::ContactBlock& block, std::size_t row) {
    const welcome5::Contact contact =
        welcome5::contact(static_cast<std::uint32_t>(block.contact[row].get()));
    std::size_t step = 0;
    while (numbering_.steps.at(kSteps[step]) != block.step[row]) {
      ++step;
    }
    std::string seen = "{";
    std::vector<Fired> passage;
    for (bool on = true; on; ++step) {
      passage.push_back(fire(contact, step));
      append_seen(contact, passage.back(), seen);
      on = passage.back().stop == nullptr && form_ == Form::kWhole;
    }
    seen += "}";
    const std::int32_t shape = shape_of(passage);
    const bool stopped = passage.back().stop != nullptr;
    out.shape.push_back(shape);
    out.step_at.push_back(block.now);
    out.due_at.push_back(stopped ? track::kNever : block.now);
    out.stayed.push_back(0);
    out.seen.append(seen);
    out.payload.append("");
  }

  BlockOutcome out;

 private:
  std::int32_t shape_of(const std::vector<Fired>& passage) {
    std::string key;
    for (const Fired& fired : passage) {
      key += static_cast<char>('a' + fired.step);
      key += static_cast<char>('0' + fired.rule);
    }
    const auto [found, fresh] = shapes_.emplace(key, static_cast<std::int32_t>(out.shapes.size()));
    if (fresh) {
      out.shapes.push_back(make(passage));
    }
    return found->second;
  }

  Shape make(const std::vector<Fired>& passage) const {
    Shape shape;
    shape.moves = static_cast<std::int32_t>(passage.size());
    std::int32_t move = 0;
    for (const Fired& fired : passage) {
      ++move;
      const std::int32_t step = numbering_.steps.at(kSteps[fired.step]);
      shape.path.push_back(step);
      shape.path.push_back(fired.rule);
      shape.counts.push_back({step, fired.rule, 1});
      if (fired.email != nullptr) {
        shape.acts.push_back({move, 1, ActionKind::kEmail,
                              numbering_.actions.at({ActionKind::kEmail, fired.email}), false});
      }
      if (fired.webhook != nullptr) {
        shape.acts.push_back({move, 1, ActionKind::kWebhook,
                              numbering_.actions.at({ActionKind::kWebhook, fired.webhook}), false});
      }
      if (fired.tag) {
        shape.tags.push_back({"pro", true});
      }
    }
    const Fired& last = passage.back();
    shape.step = last.stop != nullptr ? numbering_.outcomes.at(last.stop)
                                      : numbering_.steps.at(kSteps[last.step + 1]);
    shape.state = last.stop != nullptr ? PositionState::kStopped : PositionState::kOpen;
    shape.path.push_back(shape.step);
    shape.path_json = "[";
    for (const std::int32_t number : shape.path) {
      shape.path_json += (shape.path_json.size() > 1 ? "," : "") + std::to_string(number);
    }
    shape.path_json += "]";
    return shape;
  }

  const track::Numbering& numbering_;
  const Form form_;
  std::map<std::string, std::int32_t> shapes_;
};

}  // namespace

BlockOutcome welcome5_outcome(const track::Numbering& numbering, Form form,
                              const track::ContactBlock& block) {
  Maker maker(numbering, form);
  for (std::size_t row = 0; row < block.rows(); ++row) {
    maker.add(block, row);
  }
  return std::move(maker.out);
}

}  // namespace turnout::bench
