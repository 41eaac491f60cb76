#include "names_oracle.h"

#include <algorithm>

#include "track/json_tree.h"

namespace turnout::edit {
namespace {

namespace json = track::json;
using track::Name;
using track::Operand;

template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;

class Names {
 public:
  explicit Names(const track::Track& track) : track_(track) { visit(track); }
  std::vector<NameUse> take() && { return std::move(out_); }

 private:
  void add(NameKind kind, const Name& name, bool declares = false) {
    out_.push_back({kind, declares, name.text, 0, stretch(name.span)});
  }
  void add(NameKind kind, const std::optional<Name>& name, bool declares = false) {
    if (name) {
      add(kind, *name, declares);
    }
  }
  void step_of(const Name& track, const std::optional<Name>& step) {
    add(NameKind::kTrack, track);
    if (track.text == track_.name.text) {
      add(NameKind::kStep, step);
    }
  }
  // A value that `visit.step` is compared with.
  void value(const std::string* field, const Operand& operand) {
    const auto* text = std::get_if<std::string>(&operand.value);
    if (field != nullptr && *field == "visit.step" && text != nullptr) {
      add(NameKind::kStep, Name{*text, operand.span});
    }
  }
  static const std::string* field_of(const Operand& operand) {
    const auto* field = std::get_if<track::FieldRef>(&operand.value);
    return field == nullptr ? nullptr : &field->name;
  }

  void own(const track::Track& n) { add(NameKind::kTrack, n.name, true); }
  void own(const track::Step& n) { add(NameKind::kStep, n.name, true); }
  void own(const track::TestCase& n) { add(NameKind::kTest, n.name, true); }
  void own(const track::GoTo& n) { add(NameKind::kStep, n.step); }
  void own(const track::Gather& n) { add(NameKind::kStep, n.start_at); }
  void own(const track::TestCase::ExpectOnStep& n) { add(NameKind::kStep, n.step); }
  void own(const track::OnTrack& n) { step_of(n.track, n.step); }
  void own(const track::PutOnTrack& n) { step_of(n.track, n.at); }
  void own(const track::TakeOffTrack& n) { add(NameKind::kTrack, n.track); }
  void own(const track::Share& n) { add(NameKind::kArm, n.as, true); }
  void own(const track::InArm& n) { add(NameKind::kArm, n.arm); }
  void own(const track::Stop& n) { add(NameKind::kOutcome, n.as); }
  void own(const track::Leave& n) { add(NameKind::kOutcome, n.as); }
  void own(const track::HoldOut& n) { add(NameKind::kOutcome, n.as); }
  void own(const track::TestCase::ExpectStopped& n) { add(NameKind::kOutcome, n.as); }
  void own(const track::HasTag& n) { add(NameKind::kTag, n.tag); }
  void own(const track::TagAction& n) { add(NameKind::kTag, n.tag); }
  void own(const track::TestCase::GivenTag& n) { add(NameKind::kTag, n.tag); }
  void own(const track::TestCase::GivenPlace& n) { step_of(n.track, n.step); }
  void own(const track::SendEmail& n) { add(NameKind::kTemplate, n.email); }
  void own(const track::CallWebhook& n) { add(NameKind::kWebhook, n.webhook); }
  void own(const track::RecordEvent& n) { add(NameKind::kEvent, n.event); }
  void own(const track::OnEvent& n) { add(NameKind::kEvent, n.event); }
  void own(const track::GatherOn& n) { add(NameKind::kEvent, n.event); }
  void own(const track::Leave::On& n) { add(NameKind::kEvent, n.event); }
  void own(const track::DidEvent& n) { add(NameKind::kEvent, n.event); }
  void own(const track::TestCase::Event& n) { add(NameKind::kEvent, n.event); }
  void own(const track::LookUp& n) { add(NameKind::kDatabase, n.database); }
  void own(const track::GatherFrom& n) { add(NameKind::kDatabase, n.database); }
  void own(const track::RunSql& n) { add(NameKind::kDatabase, n.database); }
  void own(const track::Show& n) { add(NameKind::kShown, n.what); }
  void own(const track::TestCase::ExpectThing& n) {
    static constexpr NameKind kKinds[] = {NameKind::kTemplate, NameKind::kWebhook, NameKind::kEvent,
                                          NameKind::kTag};
    add(kKinds[static_cast<std::size_t>(n.kind)], n.name);
  }
  void own(const track::Comparison& n) {
    if (n.op == track::Compare::kIs || n.op == track::Compare::kIsNot) {
      value(field_of(n.left), n.right);
    }
  }
  void own(const track::OneOf& n) {
    for (const Operand& operand : n.values) {
      value(field_of(n.left), operand);
    }
  }
  void own(const json::GivenPair& n) { value(&n.first.name, n.second); }
  void own(const track::TestCase::ExpectField& n) { value(&n.field.name, n.value); }
  template <class T>
  void own(const T& /*other*/) {}

  template <class T>
  void visit(const T& node) {
    if constexpr (is_variant<T>) {
      std::visit([this](const auto& chosen) { visit(chosen); }, node);
    } else if constexpr (json::is_optional<T>) {
      if (node) {
        visit(*node);
      }
    } else if constexpr (json::is_list<T>) {
      for (const auto& item : node) {
        visit(item);
      }
    } else if constexpr (std::is_same_v<T, track::Box<track::Condition>>) {
      visit(*node);
    } else if constexpr (json::HasShape<T>) {
      own(node);
      std::apply([&](const auto&... part) { (visit(node.*part.at), ...); }, json::Shape<T>::parts);
    }
  }

  const track::Track& track_;
  std::vector<NameUse> out_;
};

}  // namespace

std::vector<NameUse> names_in_tree(const track::Track& track) {
  std::vector<NameUse> names = Names(track).take();
  std::sort(names.begin(), names.end(),
            [](const NameUse& a, const NameUse& b) { return a.place.begin < b.place.begin; });
  return names;
}

}  // namespace turnout::edit
