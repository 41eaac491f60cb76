#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/peer.h"
#include "lang/checker.h"
#include "web/host.h"

namespace turnout::cli {

// What the HTTP interface is told about this peer, and the publishing of tracks, which needs the
// track language. Thread-safe.
class PeerHost : public web::Host {
 public:
  // The peer must outlive the host; `templates` and `webhooks` are the names that this peer knows.
  PeerHost(Peer& peer, std::vector<std::string> templates, std::vector<std::string> webhooks)
      : peer_(peer), templates_(std::move(templates)), webhooks_(std::move(webhooks)) {}

  web::GroupView group() const override { return peer_.snapshot()->group; }
  web::Readiness readiness() const override { return peer_.snapshot()->readiness; }
  std::vector<std::string> templates() const override { return templates_; }
  std::vector<std::string> webhooks() const override { return webhooks_; }
  base::Result<web::PublishAnswer> publish(store::Session& session,
                                           const web::PublishRequest& request) override;
  base::Result<web::BacktestAnswer> backtest(store::Session& session,
                                             const web::BacktestRequest& request) override;
  std::string rule_text(store::Session& session, const std::string& track, base::Version version,
                        const std::string& step, std::int32_t rule) override;
  void tracks_changed() override { peer_.catalogue_changed(); }
  void contacts_changed() override { peer_.contacts_changed(); }

 private:
  // The track parsed and checked against what there is; `by` servers or in a dry run.
  base::Result<lang::Analysis> analyse(store::Session& session, const std::string& text,
                                       lang::RunBy by, track::Catalogue& catalogue) const;

  Peer& peer_;
  const std::vector<std::string> templates_;
  const std::vector<std::string> webhooks_;
};

// The syntax tree of a published track's text. kInvalid with the first diagnostic when this program
// cannot read it.
base::Result<track::Track> parse_published(const std::string& text);

}  // namespace turnout::cli
