#include "store/plans.h"

#include <map>

namespace turnout::store::test {

Publish make_publish(const std::string& name, const std::vector<std::string>& steps,
                     const std::string& text) {
  Publish publish;
  publish.text = text;
  publish.track.name.text = name;
  for (const std::string& step_name : steps) {
    track::Step step;
    step.name.text = step_name;
    if (publish.track.parts.empty()) {
      track::Rule rule;
      rule.head = track::Otherwise{};
      rule.actions.push_back({track::SendEmail{{"hello", {}}, {}}, {}, {}});
      rule.actions.push_back({track::CallWebhook{{"hook", {}}, {}}, {}, {}});
      rule.move = track::Move{track::Stop{track::Name{"done", {}}}, {}, {}};
      step.rules.push_back(std::move(rule));
    }
    publish.track.parts.emplace_back(std::move(step));
  }
  return publish;
}

Publish asking(const std::string& name, const std::string& text, const std::string& about,
               const std::string& step) {
  Publish publish = make_publish(name, {"A"}, text);
  track::OnTrack on{{about, {}}, {}};
  if (!step.empty()) {
    on.step = track::Name{step, {}};
  }
  track::Leave leave;
  leave.why = track::Leave::When{{std::move(on), {}}};
  publish.track.clauses.emplace_back(std::move(leave));
  return publish;
}

namespace {

track::Shape make_shape(const track::ContactBlock& block, std::size_t row, const Way& way) {
  track::Shape shape;
  shape.path = way.path;
  shape.state = way.state;
  shape.withdraws = way.withdraws;
  shape.acts = way.acts;
  shape.tags = way.tags;
  shape.step = way.path.empty() ? block.step[row] : way.path.back();
  shape.path_json = "[";
  for (std::size_t i = 0; i < way.path.size(); ++i) {
    shape.path_json += (i == 0 ? "" : ",") + std::to_string(way.path[i]);
  }
  shape.path_json += "]";
  std::map<std::pair<std::int32_t, std::int32_t>, std::int32_t> counts;
  for (std::size_t i = 0; i + 2 < way.path.size(); i += 2) {
    ++shape.moves;
    ++counts[{way.path[i], way.path[i + 1]}];
  }
  for (const auto& [at, times] : counts) {
    shape.counts.push_back({at.first, at.second, times});
  }
  return shape;
}

std::string shape_key(const track::Shape& shape) {
  std::string key = shape.path_json + std::to_string(shape.step) + "/" +
                    std::to_string(static_cast<int>(shape.state)) + (shape.withdraws ? "w" : "");
  for (const auto& act : shape.acts) {
    key += "/a" + std::to_string(act.move) + "." + std::to_string(act.action_no) + "." +
           std::to_string(static_cast<int>(act.kind)) + "." + std::to_string(act.name) +
           (act.has_payload ? "p" : "");
  }
  for (const auto& tag : shape.tags) {
    key += (tag.add ? "/+" : "/-") + tag.tag;
  }
  return key;
}

}  // namespace

track::BlockOutcome outcome_of(const track::ContactBlock& block,
                               const std::vector<track::Field>& fields,
                               const std::function<Way(std::size_t row)>& way) {
  track::BlockOutcome out;
  std::map<std::string, std::int32_t> shapes;
  using Written = track::BlockOutcome::Written;
  struct Write {
    Written written = Written::kNot;
    track::Value value;
  };
  std::map<std::size_t, std::map<std::size_t, Write>> writes;  // field → row → what
  for (std::size_t row = 0; row < block.rows(); ++row) {
    const Way w = way(row);
    track::Shape shape = make_shape(block, row, w);
    const auto [place, added] =
        shapes.emplace(shape_key(shape), static_cast<std::int32_t>(out.shapes.size()));
    if (added) {
      out.shapes.push_back(std::move(shape));
    }
    out.shape.push_back(place->second);
    out.step_at.push_back(w.step_at);
    out.due_at.push_back(w.due);
    out.stayed.push_back(w.stayed);
    out.heard.push_back(w.heard.value_or(block.heard[row]));
    if (w.data) {
      out.data.push_back(*w.data);
    }
    out.seen.append(w.path.empty() ? "" : w.seen);
    out.payload.append(w.payload);
    for (const auto& [field, value] : w.writes) {
      writes[field][row] = {Written::kSet, value};
    }
    for (const auto& [field, number] : w.adds) {
      writes[field][row] = {Written::kAdded, number};
    }
  }
  for (const auto& [field, values] : writes) {
    track::BlockOutcome::FieldWrite write;
    write.field = field;
    write.value.type = fields[field].type;
    for (std::size_t row = 0; row < block.rows(); ++row) {
      const auto found = values.find(row);
      const Write what = found != values.end() ? found->second : Write{};
      write.written.push_back(what.written);
      write.value.append(what.value);
    }
    out.writes.push_back(std::move(write));
  }
  return out;
}

ContactBatch make_batch(const std::vector<std::string>& keys,
                        const std::vector<track::Field>& fields,
                        const std::vector<std::vector<track::Value>>& rows) {
  ContactBatch batch;
  batch.key = keys;
  batch.fields = fields;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    track::Column column;
    column.type = fields[i].type;
    for (const std::vector<track::Value>& row : rows) {
      column.append(row[i]);
    }
    batch.columns.push_back(std::move(column));
  }
  return batch;
}

}  // namespace turnout::store::test
