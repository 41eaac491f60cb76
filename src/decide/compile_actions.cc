#include "decide/compile_actions.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "track/sql_text.h"

namespace turnout::decide {
namespace {

using base::Result;
using track::ActionKind;

class ActionCompiler {
 public:
  ActionCompiler(Columns& columns, const track::Numbering& numbering,
                 std::vector<std::size_t>& written)
      : columns_(columns), numbering_(numbering), written_(written) {}

  Result<CompiledAction> compile(const track::SendEmail& email) {
    TRY(CompiledAction action, send(ActionKind::kEmail, email.email));
    if (email.to) {
      TRY(Term to, compile_operand(*email.to, columns_));
      carry(action, single("to", std::move(to)));
    }
    return action;
  }
  Result<CompiledAction> compile(const track::CallWebhook& call) {
    return send(ActionKind::kWebhook, call.webhook, call.with);
  }
  Result<CompiledAction> compile(const track::Show& show) {
    return send(ActionKind::kShow, show.what, show.with);
  }
  Result<CompiledAction> compile(const track::RecordEvent& record) {
    return send(ActionKind::kEvent, record.event, record.with);
  }
  Result<CompiledAction> compile(const track::PutOnTrack& put) {
    TRY(CompiledAction action, send(ActionKind::kPutOn, put.track));
    if (put.at) {
      Term at;
      at.constant = put.at->text;
      carry(action, single("at", std::move(at)));
    }
    return action;
  }
  Result<CompiledAction> compile(const track::TakeOffTrack& take) {
    return send(ActionKind::kTakeOff, take.track);
  }
  // The statement goes as it stands, with the values that are to be bound in it.
  Result<CompiledAction> compile(const track::RunSql& run) {
    TRY(CompiledAction action, send(ActionKind::kSql, run.database));
    Term sql;
    sql.constant = run.statement.text;
    JsonTemplate payload = single("sql", std::move(sql));
    JsonTemplate values;
    values.kind = JsonTemplate::Kind::kObject;
    for (const track::BoundName& bound : track::bound_names(run.statement.text)) {
      if (std::ranges::find(values.names, bound.name) == values.names.end()) {
        TRY(values.items.emplace_back().term,
            compile_operand({track::FieldRef{bound.name, run.statement.span}, run.statement.span},
                            columns_));
        values.names.push_back(bound.name);
      }
    }
    payload.names.emplace_back("values");
    payload.items.push_back(std::move(values));
    carry(action, std::move(payload));
    return action;
  }

  Result<CompiledAction> compile(const track::TagAction& tag) {
    CompiledAction action;
    action.kind = CompiledAction::Kind::kTag;
    action.tag = {tag.tag.text, !tag.remove};
    return action;
  }
  Result<CompiledAction> compile(const track::ClearField& clear) {
    CompiledAction action;
    action.kind = CompiledAction::Kind::kClear;
    TRYV(target(clear.field, action));
    return action;
  }
  Result<CompiledAction> compile(const track::SetField& set) {
    CompiledAction action;
    action.kind = CompiledAction::Kind::kSet;
    TRYV(target(set.field, action));
    TRY(action.value, compile_operand(set.to, columns_));
    return action;
  }
  Result<CompiledAction> compile(const track::IncreaseField& add) {
    CompiledAction action;
    action.kind = CompiledAction::Kind::kAdd;
    TRYV(target(add.field, action));
    action.sign = add.decrease ? -1 : 1;
    if (const auto* const delay = std::get_if<track::DurationSpec>(&add.by)) {
      action.delay = to_calendar(*delay);
    } else {
      TRY(action.value, compile_operand(std::get<track::Operand>(add.by), columns_));
    }
    return action;
  }

 private:
  Result<CompiledAction> send(ActionKind kind, const track::Name& name) {
    const auto number = numbering_.actions.find({kind, name.text});
    if (number == numbering_.actions.end()) {
      return invalid(name.span, fmt::format("{} \"{}\" has no number",
                                            track::action_kind_name(kind), name.text));
    }
    CompiledAction action;
    action.act.kind = kind;
    action.act.name = number->second;
    return action;
  }
  Result<CompiledAction> send(ActionKind kind, const track::Name& name,
                              const std::optional<track::Json>& with) {
    TRY(CompiledAction action, send(kind, name));
    if (with) {
      TRY(JsonTemplate payload, json(*with));
      carry(action, std::move(payload));
    }
    return action;
  }
  static void carry(CompiledAction& action, JsonTemplate payload) {
    action.payload = std::move(payload);
    action.act.has_payload = true;
  }
  static JsonTemplate single(const char* name, Term term) {
    JsonTemplate payload;
    payload.kind = JsonTemplate::Kind::kObject;
    payload.names.emplace_back(name);
    payload.items.emplace_back().term = std::move(term);
    return payload;
  }

  // A field, or entry.NAME.
  Result<void> target(const track::FieldRef& ref, CompiledAction& action) {
    if (const auto scoped = scoped_name(ref.name)) {
      if (scoped->scope != Scope::kEntry) {
        return invalid(ref.span, fmt::format("{} cannot be set", ref.name));
      }
      columns_.scopes = true;
      action.entry = scoped->name;
      return base::ok();
    }
    auto field = columns_.field(ref.name);
    if (!field) {
      return invalid(ref.span, field.error().message);
    }
    written_.push_back(field.value());
    action.field = field.value();
    return base::ok();
  }

  Result<JsonTemplate> json(const track::Json& source) {
    JsonTemplate made;
    if (const auto* const object = std::get_if<track::Json::Object>(&source.value)) {
      made.kind = JsonTemplate::Kind::kObject;
      for (const auto& [name, value] : object->members) {
        TRY(JsonTemplate member, json(value));
        made.names.push_back(name);
        made.items.push_back(std::move(member));
      }
    } else if (const auto* const items = std::get_if<track::Json::List>(&source.value)) {
      made.kind = JsonTemplate::Kind::kList;
      for (const track::Json& item : items->items) {
        TRY(JsonTemplate member, json(item));
        made.items.push_back(std::move(member));
      }
    } else {
      TRY(made.term, compile_operand(std::get<track::Operand>(source.value), columns_));
    }
    return made;
  }

  Columns& columns_;
  const track::Numbering& numbering_;
  std::vector<std::size_t>& written_;
};

}  // namespace

Result<CompiledAction> compile_action(const track::Action& source, Columns& columns,
                                      const track::Numbering& numbering,
                                      std::vector<std::size_t>& written) {
  ActionCompiler compiler(columns, numbering, written);
  return std::visit([&](const auto& what) { return compiler.compile(what); }, source.what);
}

}  // namespace turnout::decide
