#include "group/transcript.h"

#include <fstream>
#include <iomanip>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "sim/describe.h"
#include "sim/world.h"

namespace turnout::group {
namespace {

using sim::describe;
using sim::Host;
using sim::name_of;
using sim::World;

class Player : public sim::Observer {
 public:
  std::string run(const std::string& commands) {
    out_.str("");
    std::istringstream lines(commands);
    for (std::string line; std::getline(lines, line);) {
      line = line.substr(0, line.find('#'));
      std::istringstream words(line);
      std::vector<std::string> args;
      for (std::string word; words >> word;) {
        args.push_back(word);
      }
      if (!args.empty()) {
        command(args);
      }
    }
    return out_.str();
  }

  void on_notice(const Host& host, const Notice& notice) override {
    say(host.name(), describe(notice));
  }

  void on_ask(const Host& host, const std::string& what) override {
    if (watched_.contains("ledger")) {
      say(host.name(), "asks to " + what);
    }
  }

  void on_send(const Host& host, const PeerName& to, const Message& message) override {
    if (const auto* const a = std::get_if<Advertisement>(&message)) {
      advertised(host, *a);
    } else if (const auto* const assign = std::get_if<Assign>(&message)) {
      say(host.name(), "assigns track " + std::to_string(assign->track.get()) + " to " + to.get());
    } else if (const auto* const cede = std::get_if<Cede>(&message)) {
      say(host.name(), "offers track " + std::to_string(cede->track.get()) + " of epoch " +
                           std::to_string(cede->epoch.get()) + " to " + to.get());
    } else if (const auto* const request = std::get_if<OwnedRequest>(&message);
               request != nullptr && watched_.contains("owners")) {
      say(host.name(), "asks " + to.get() + " for its owned list");
    } else if (const auto* const list = std::get_if<OwnedList>(&message);
               list != nullptr && watched_.contains("owners")) {
      std::string text = "sends its owned list to " + (to.empty() ? "all" : to.get()) + ":";
      for (const OwnedTrack& owned : list->tracks) {
        text += " " + std::to_string(owned.track.get()) + "@" + std::to_string(owned.epoch.get());
      }
      say(host.name(), text);
    } else {
      exchanged(host, to, message);
    }
  }

 private:
  void say(const PeerName& who, const std::string& what) {
    const auto ms = world_->now().us / 1000;
    out_ << std::setw(7) << ms << "  " << who.get() << "  " << what << '\n';
  }

  void advertised(const Host& host, const Advertisement& a) {
    std::ostringstream text;
    text << "advertises " << name_of(a.phase) << (a.fit ? "" : ", unfit")
         << (a.master ? ", master" : "") << ", owns " << a.owned;
    if (!a.claims.empty()) {
      text << ", claims";
      for (const Claim& claim : a.claims) {
        text << " " << claim.track.get() << ":" << claim.counter << "(" << claim.owned_at_claim
             << ")";
      }
    }
    if (watched_.contains("credit")) {
      text << ", slots " << a.slots.bulk << "/" << a.slots.single;
      for (const Backlog& backlog : a.backlog) {
        text << ", backlog " << backlog.track.get() << ":" << backlog.bulk << "/" << backlog.single;
      }
    }
    std::string& last = last_[host.name()];
    const bool claims = !a.claims.empty() && watched_.contains("claims");
    if (text.str() != last || claims) {
      last = text.str();
      say(host.name(), last);
    }
  }

  void exchanged(const Host& host, const PeerName& to, const Message& message) {
    if (const auto* const m = std::get_if<BlockMessage>(&message);
        m != nullptr && watched_.contains("blocks")) {
      std::ostringstream text;
      text << "hands block " << m->block->id << " of track " << m->block->track.get() << " ("
           << m->block->items.size() << " contacts"
           << (m->block->kind == BlockKind::kSingle ? ", single" : "") << ") to " << to.get();
      if (m->attempt > 1) {
        text << ", attempt " << m->attempt;
      }
      say(host.name(), text.str());
    } else if (const auto* const r = std::get_if<BlockReport>(&message);
               r != nullptr && watched_.contains("blocks")) {
      std::ostringstream text;
      text << "reports block " << r->block << " to " << to.get() << ": "
           << (r->outcome == BlockOutcome::kDone     ? "done"
               : r->outcome == BlockOutcome::kFailed ? "failed"
                                                     : "returned")
           << ", " << r->moved << " moved";
      if (!r->not_where_said.empty()) {
        text << ", " << r->not_where_said.size() << " not where it said";
      }
      say(host.name(), text.str());
    } else if (const auto* const f = std::get_if<Refusal>(&message);
               f != nullptr && watched_.contains("blocks")) {
      say(host.name(), "refuses block " + std::to_string(f->block) + " of " + to.get() +
                           ": epoch " + std::to_string(f->epoch.get()) + " of " + f->owner.get() +
                           " holds");
    } else if (const auto* const g = std::get_if<CreditGrant>(&message);
               g != nullptr && watched_.contains("credit")) {
      say(host.name(), "grants " + to.get() + " " + std::to_string(g->credit.window.bulk) + "/" +
                           std::to_string(g->credit.window.single));
    }
  }

  static Duration duration(const std::string& text) {
    std::size_t end = 0;
    const long number = std::stol(text, &end);
    const std::string unit = text.substr(end);
    if (unit == "us") return Duration(number);
    if (unit == "ms") return std::chrono::milliseconds(number);
    if (unit == "s") return std::chrono::seconds(number);
    throw std::runtime_error("no duration: " + text);
  }

  void create(const std::vector<std::string>& args) {
    sim::WorldConfig config;
    for (std::size_t i = 1; i < args.size(); ++i) {
      const auto equals = args[i].find('=');
      const std::string key = args[i].substr(0, equals);
      const std::string value = args[i].substr(equals + 1);
      std::istringstream list(value);
      if (key == "peers") {
        for (std::string name; std::getline(list, name, ',');) {
          config.peers.push_back(name);
        }
      } else if (key == "cycle") {
        config.cycle = duration(value);
      } else if (key == "tracks") {
        config.tracks = std::stoi(value);
      } else if (key == "contacts") {
        config.contacts = std::stoi(value);
      } else if (key == "slots") {
        char slash = 0;
        list >> config.slots.bulk >> slash >> config.slots.single;
      } else if (key == "block") {
        config.block_time = duration(value);
      } else {
        throw std::runtime_error("no such setting: " + key);
      }
    }
    world_ = std::make_unique<World>(config);
    world_->observe(this);
    last_.clear();
    watched_.clear();
  }

  void command(const std::vector<std::string>& args) {
    const std::string& verb = args[0];
    if (verb == "group") {
      create(args);
    } else if (verb == "run") {
      world_->run_for(duration(args.at(1)));
    } else if (verb == "cut" || verb == "cut-one") {
      const Host& a = world_->host(args.at(1));
      const Host& b = world_->host(args.at(2));
      world_->cut(a, b);
      if (verb == "cut") {
        world_->cut(b, a);
      }
    } else if (verb == "heal") {
      world_->heal();
    } else if (verb == "database") {
      world_->host(args.at(1)).database_up = args.at(2) == "up";
    } else if (verb == "value") {
      world_->database().raise_value(base::ContactId(std::stol(args.at(1))), std::stol(args.at(2)));
    } else if (verb == "steal") {
      world_->database().steal(TrackId(std::stoi(args.at(1))), PeerName(args.at(2)),
                               world_->host(args.at(2)).incarnation());
    } else if (verb == "watch") {
      watched_.insert(args.begin() + 1, args.end());
    } else if (verb == "ledger") {
      ledger();
    } else if (verb == "peers") {
      peers(args.at(1));
    } else {
      for (std::size_t i = 1; i < args.size(); ++i) {
        process(verb, world_->host(args[i]));
      }
    }
  }

  static void process(const std::string& verb, Host& host) {
    if (verb == "start") {
      host.start();
    } else if (verb == "kill") {
      host.kill();
    } else if (verb == "pause") {
      host.pause();
    } else if (verb == "resume") {
      host.resume();
    } else if (verb == "leave") {
      host.leave();
    } else {
      throw std::runtime_error("no such command: " + verb);
    }
  }

  void ledger() {
    for (const LedgerRow& row : world_->database().ledger()) {
      out_ << "  "
           << (row.track == kMasterRow ? "master" : "track " + std::to_string(row.track.get()))
           << ": "
           << (row.owner.empty() ? "nobody"
                                 : row.owner.get() + "/" + std::to_string(row.incarnation.get()))
           << " at epoch " << row.fence.epoch.get() << '\n';
    }
  }

  void peers(const std::string& of) {
    const Host& host = world_->host(of);
    for (const PeerInfo& info : host.member().peers()) {
      out_ << "  " << info.name.get() << "/" << info.incarnation.get() << " " << name_of(info.state)
           << (info.self ? " (self)" : "") << (info.fit ? "" : ", unfit")
           << (info.master ? ", master" : "");
      if (info.last_heard) {
        out_ << ", heard " << (host.clock() - *info.last_heard).count() / 1000 << " ms ago";
      }
      out_ << ", owns";
      for (const OwnedTrack& owned : info.tracks) {
        out_ << " " << owned.track.get() << "@" << owned.epoch.get();
      }
      out_ << (info.tracks.empty() ? " nothing" : "") << '\n';
    }
  }

  std::unique_ptr<World> world_;
  std::ostringstream out_;
  std::map<PeerName, std::string> last_;  // what each peer advertised last
  std::set<std::string> watched_;
};

}  // namespace

std::string play_transcript(const std::string& text) {
  Player player;
  std::istringstream lines(text);
  std::ostringstream played;
  std::string commands;
  bool expected = false;
  for (std::string line; std::getline(lines, line);) {
    if (expected) {
      expected = !line.empty();  // the old output is left out
      continue;
    }
    if (line == "----") {
      played << commands << "----\n" << player.run(commands) << '\n';
      commands.clear();
      expected = true;
    } else {
      commands += line + '\n';
    }
  }
  played << commands;
  std::string result = played.str();
  while (result.ends_with("\n\n")) {
    result.pop_back();
  }
  return result;
}

}  // namespace turnout::group
