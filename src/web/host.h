#pragma once

// What the HTTP interface asks of the server around it: the state of the peer group, and what needs
// the track language. The server implements it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "store/store.h"

namespace turnout::web {

struct PeerView {
  std::string name;
  std::int64_t incarnation = 0;
  std::string address;
  std::string state;  // "joining", "living", "suspect", "unavailable", "gone", "leaving", "left"
  bool self = false;
  bool fit = false;
  bool master = false;
  std::optional<std::int64_t>
      heard_ms;  // since its last advertisement; none for oneself and if never
  std::optional<std::int64_t> cycle_ms;  // that it advertises in; none if never heard
  std::int64_t catalogue = 0;            // version of the track catalogue that it holds
  std::int32_t owned = 0;                // tracks
  std::int32_t slots = 0;                // free now
  std::int32_t backlog = 0;              // blocks ready and not handed out
  std::int64_t blocks = 0;               // handed to it by this peer since this peer started
  std::int32_t deliveries = 0;           // deliveries that it would take now
};

// A track as the group sees it.
struct TrackView {
  base::TrackId id;
  std::string owner;  // "" for none
  std::int64_t epoch = 0;
  std::int64_t ready = 0;  // contacts cut and not handed out, if this peer owns it
  std::int64_t out = 0;    // contacts in blocks that are out
  std::map<std::string, std::int64_t>
      blocks_to;  // blocks of it handed to each peer, if this peer owns it
};

struct GroupView {
  std::string self;
  std::string master;  // "" for nobody
  std::int64_t master_epoch = 0;
  std::vector<PeerView> peers;
  std::vector<TrackView> tracks;
};

struct Readiness {
  bool ready = false;
  std::string reason;  // why not, one sentence
};

struct PublishRequest {
  std::string text;
  std::string file;  // name for diagnostics
  std::map<std::string, std::optional<std::string>> map;
  bool plan = false;        // only say what would be done
  bool reschedule = false;  // as in store::Publish
};

struct PublishAnswer {
  std::string diagnostics = "[]";  // JSON array, as lang::to_json gives it
  bool accepted = false;           // false: the diagnostics have errors and nothing was published
  std::string track;
  store::Published published;  // when accepted
  bool plan = false;           // as asked
};

// A draft played over some of the contacts.
struct BacktestRequest {
  std::string text;
  std::string file;          // name for diagnostics
  base::ContactId after{0};  // contacts above this one
  int limit = 1000;          // look at so many of them at most
  std::string now;           // when it begins, ISO 8601; "": now
  std::string length;        // how long it goes on: "30 days"
};

struct BacktestAnswer {
  std::string diagnostics = "[]";  // as above
  bool accepted = false;
  base::Instant now;        // when it began
  base::ContactId last{0};  // highest contact looked at
  bool done = false;        // no contact is above it
  std::string figures;      // a JSON object: what came of it, see docs/api.md
};

// Every call is thread-safe. Those without a session return at once (they read a copy of the
// state); the others may wait for the database.
class Host {
 public:
  virtual ~Host() = default;

  virtual GroupView group() const = 0;
  virtual Readiness readiness() const = 0;
  // Names of the e-mail templates and webhooks that this peer knows, for checking tracks.
  virtual std::vector<std::string> templates() const = 0;
  virtual std::vector<std::string> webhooks() const = 0;

  // Parses, checks and publishes a track, or says what that would do.
  virtual base::Result<PublishAnswer> publish(store::Session& session,
                                              const PublishRequest& request) = 0;
  // Plays a draft over contacts, without writing anything. kInvalid: a time or length that is none.
  virtual base::Result<BacktestAnswer> backtest(store::Session& session,
                                                const BacktestRequest& request) = 0;
  // The head of a rule as written ("when age is at least 60"), or "" when it is not known. `step`
  // is the step's name.
  virtual std::string rule_text(store::Session& session, const std::string& track,
                                base::Version version, const std::string& step,
                                std::int32_t rule) = 0;

  // Something was changed through this peer that its loop should look at now rather than at its
  // next turn.
  virtual void tracks_changed() = 0;    // published, paused, resumed
  virtual void contacts_changed() = 0;  // imported
};

}  // namespace turnout::web
