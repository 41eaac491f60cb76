#pragma once

// The part of the server behind the HTTP interface that knows the track language: publishing, and
// rules as written.

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "web/host.h"

namespace turnout::cli {

// Thread-safe. The server derives from it and adds what it knows of the group.
class TrackDesk : public web::Host {
 public:
  TrackDesk();
  ~TrackDesk() override;

  // Refuses, by diagnostics, what has mistakes and what this version does not run yet; kInvalid
  // when the track cannot be compiled for another reason (an unknown time zone, a regular
  // expression).
  base::Result<web::PublishAnswer> publish(store::Session& session,
                                           const web::PublishRequest& request) override;
  std::string rule_text(store::Session& session, const std::string& track, base::Version version,
                        const std::string& step, std::int32_t rule) override;

 private:
  struct Known;
  std::shared_ptr<const Known> find(store::Session& session, const std::string& track,
                                    base::Version version);

  std::mutex mutex_;
  std::list<std::shared_ptr<const Known>> known_;  // the latest used first
};

}  // namespace turnout::cli
