#pragma once

// A group of one that is ready, for tests of the HTTP interface.

#include <atomic>
#include <string>
#include <vector>

#include "web/host.h"

namespace turnout::web {

class FakeHost : public Host {
 public:
  GroupView group() const override {
    GroupView view;
    view.self = "a";
    view.master = "a";
    view.master_epoch = 9;
    PeerView self;
    self.name = "a";
    self.self = true;
    PeerView other;
    other.name = "b";
    other.heard_ms = 40;
    other.cycle_ms = 250;
    view.peers = {self, other};
    view.tracks = {{base::TrackId(1), "b", 7, 0, 0, {{"b", 3}}}};
    return view;
  }
  Readiness readiness() const override { return {ready, ready ? "" : "no master yet"}; }
  std::vector<std::string> templates() const override { return {"welcome"}; }
  std::vector<std::string> webhooks() const override { return {"sales"}; }
  base::Result<PublishAnswer> publish(store::Session& session,
                                      const PublishRequest& request) override {
    PublishAnswer answer;
    answer.track = "T";
    if (request.text == "wrong") {
      answer.diagnostics = R"([{"line":1,"message":"no"}])";
      return answer;
    }
    store::Publish publish;
    publish.track.name.text = "T";
    publish.track.parts.emplace_back(track::Step{});
    std::get<track::Step>(publish.track.parts[0]).name.text = "S";
    publish.text = request.text;
    publish.map = request.map;
    answer.plan = request.plan;
    TRY(answer.published, request.plan ? session.plan(publish) : session.publish(publish));
    answer.accepted = true;
    return answer;
  }
  base::Result<BacktestAnswer> backtest(store::Session&, const BacktestRequest& request) override {
    BacktestAnswer answer;
    answer.accepted = request.text != "wrong";
    answer.now = base::Instant{0};
    answer.last = base::ContactId(request.after.get() + request.limit);
    answer.figures = R"({"length":")" + request.length + "\"}";
    return answer;
  }
  std::string rule_text(store::Session&, const std::string&, base::Version, const std::string&,
                        std::int32_t) override {
    return "otherwise";
  }
  void tracks_changed() override { ++tracks; }
  void contacts_changed() override { ++contacts; }

  std::atomic<bool> ready = true;
  std::atomic<int> tracks = 0;
  std::atomic<int> contacts = 0;
};

}  // namespace turnout::web
