#include "cli/peer.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <boost/asio/post.hpp>

#include "base/overloaded.h"
#include "cli/credentials.h"
#include "cli/notice_text.h"

namespace turnout::cli {
namespace {

// How often what others may know of the peer is renewed.
constexpr base::Duration kSnapshotEvery = std::chrono::milliseconds(100);
constexpr base::Duration kLongestSleep = std::chrono::seconds(1);
// How often somebody is told at most that there is something new in the database.
constexpr base::Duration kHintEvery = std::chrono::milliseconds(10);

// As certificates count it.
base::Instant wall_now() {
  return {std::chrono::duration_cast<base::Duration>(
              std::chrono::system_clock::now().time_since_epoch())
              .count()};
}

group::Config group_config(const Config& config, const store::PeerId& self) {
  group::Config group;
  group.name = self.name;
  group.incarnation = self.incarnation;
  group.group = config.group.name;
  group.address = config.group.advertise;
  if (group.address.empty() && !config.group.listen.empty()) {
    group.address = config.group.listen.front();
  }
  group.cycle = config.group.cycle;
  group.miss_limit = config.group.miss_limit;
  group.claim_counter = config.group.claim_counter;
  return group;
}

}  // namespace

Peer::Peer(boost::asio::io_context& io, const Config& config, store::Store& store,
           work::TrackBook& book, store::PeerId self)
    : io_(io),
      config_(config),
      store_(store),
      book_(book),
      self_(std::move(self)),
      group_config_(group_config(config, self_)),
      timer_(io),
      poke_(kHintEvery),
      hint_contacts_(kHintEvery),
      hint_outbox_(kHintEvery) {}

// Whatever still waits on the loop finds alive_ false. The threads end before what they post to.
Peer::~Peer() {
  *alive_ = false;
  timer_.cancel();
  desk_.reset();
  engine_.reset();
  control_.reset();
  link_.reset();
}

// Wraps a function so that it may be called from any thread and runs on the loop, if the peer still
// is.
template <class F>
auto Peer::on_loop(F then) {
  return [this, alive = alive_, then = std::move(then)](auto... values) {
    boost::asio::post(io_, [this, alive, then, ... values = std::move(values)]() mutable {
      if (*alive) {
        then(std::move(values)...);
        after_input();
      }
    });
  };
}

work::Control::Callbacks Peer::control_callbacks() {
  work::Control::Callbacks callbacks;
  callbacks.stamped = on_loop([this](const group::StampResult& result, std::int64_t catalogue) {
    member_->stamped(result, base::boot_now());
    if (result.outcome == group::Attempt::kDone) {
      take_catalogue(catalogue);
    }
  });
  callbacks.stamps = on_loop([this](const group::StampReadResult& result) {
    member_->peer_stamps(result, base::boot_now());
  });
  callbacks.ledger = on_loop([this](const group::LedgerResult& result) {
    member_->ledger_read(result, base::boot_now());
  });
  callbacks.taken = on_loop(
      [this](const group::TakeResult& result) { member_->granted(result, base::boot_now()); });
  callbacks.life = on_loop(
      [this](const group::LifeResult& result) { member_->life_lock(result, base::boot_now()); });
  return callbacks;
}

base::Result<void> Peer::start_link() {
  if (config_.group.listen.empty()) {
    return base::ok();
  }
  link::Options options;
  options.group = config_.group.name;
  options.name = self_.name;
  options.incarnation = self_.incarnation;
  options.listen = config_.group.listen;
  options.advertise = config_.group.advertise;
  options.seeds = config_.group.seeds;
  options.protocol = config_.group.protocol;
  TRY(Credentials credentials, read_credentials(config_.group, self_.name));
  options.keys = std::move(credentials.keys);
  options.certificates = std::move(credentials.certificates);
  certificate_.shows(options.certificates.get());
  if (options.certificates) {
    spdlog::info("shows the certificate {}", certificate_.about());
  }
  const auto silence = config_.group.cycle * config_.group.miss_limit;
  options.alive_within = silence;
  options.user_timeout = std::max<std::chrono::milliseconds>(
      std::chrono::duration_cast<std::chrono::milliseconds>(silence + config_.group.cycle),
      std::chrono::seconds(1));
  options.connect_timeout =
      std::clamp(std::chrono::duration_cast<std::chrono::milliseconds>(2 * config_.group.cycle),
                 std::chrono::milliseconds(500), options.connect_timeout);
  options.max_redial = std::max(config_.group.cycle, options.min_redial);
  link::Callbacks callbacks;
  callbacks.on_up = [](const link::PeerInfo& peer) {
    spdlog::info("connected to peer \"{}\" at {}, protocol {}{}", peer.name.get(), peer.address,
                 peer.protocol,
                 !peer.certificate.empty() ? ", certificate " + peer.certificate
                 : !peer.key_id.empty()    ? ", key " + peer.key_id
                                           : std::string());
  };
  callbacks.on_down = [this](const base::PeerName& peer, const link::Down& down) {
    spdlog::info("connection to peer \"{}\" ended: {}", peer.get(), down.message);
    // What was handed to it and not taken yet may be lost with the connection. Handing it out once
    // more is safe, since only one can take it.
    desk_->peer_ended({peer, {}}, false);
    if (down.kind == link::DownKind::kEnded) {
      member_->connection_lost(peer, base::boot_now());
      after_input();
    }
  };
  callbacks.on_message = [this](const base::PeerName& from, group::Message message) {
    receive(from, std::move(message));
  };
  callbacks.on_handout = [this](const base::PeerName&, const group::Handout& handout) {
    desk_->take(handout, member_->master_epoch());
    after_input();
  };
  callbacks.on_hint = [this](const link::Hint& hint) {
    take_hint(hint);
    after_input();
  };
  callbacks.on_refused = [](const link::Refused& refused) {
    spdlog::warn("{}: {}", refused.address, refused.message);
  };
  link_ = std::make_unique<link::Link>(io_, std::move(options), std::move(callbacks));
  TRYV(link_->start());
  group_config_.address = link_->advertised();
  return base::ok();
}

base::Result<void> Peer::start_engine() {
  work::EngineConfig config;
  config.group = group_config_;
  config.threads = config_.work.threads;
  // Tally rows are told apart by it, so it must differ among peers that commit at the same time:
  // incarnations are drawn from one counter.
  config.peer_number = static_cast<std::int32_t>(self_.incarnation.get() % 100'000'000);
  work::EngineHooks hooks;
  hooks.post = [this, alive = alive_](std::function<void()> then) {
    boost::asio::post(io_, [this, alive, then = std::move(then)] {
      if (*alive) {
        then();
        after_input();
      }
    });
  };
  hooks.send = [this](const base::PeerName& to, const group::Message& message) {
    send(to, message);
  };
  hooks.load_changed = [this](const group::Load& load) {
    const std::int32_t deliveries = load_.deliveries;
    load_ = load;
    load_.deliveries = deliveries;
    member_->set_load(load_, base::boot_now());
  };
  hooks.drained = [this](base::TrackId track) { member_->drained(track, base::boot_now()); };
  hooks.database = [this](bool succeeded, base::Tick began) {
    member_->database(succeeded, began, base::boot_now());
  };
  hooks.read_row = [this](base::TrackId track, std::function<void(const work::FoundRow&)> then) {
    control_->read_row(track, on_loop([this, then = std::move(then)](const work::FoundRow& row) {
                         if (row) {
                           member_->row_seen(*row, base::boot_now());
                         }
                         then(row);
                       }));
  };
  hooks.warn = [](const std::string& line) { spdlog::warn("{}", line); };
  hooks.catalogue_refreshed = [this] {
    std::vector<base::TrackId> active;
    for (const auto& entry : book_.all()) {
      if (entry->published.active) {
        active.push_back(entry->published.id);
      }
    }
    member_->set_tracks(std::move(active), catalogue_asked_, base::boot_now());
  };
  hooks.acted = [this] { hint_outbox_.want(); };
  TRY(engine_, work::Engine::start(std::move(config), store_, book_, self_, std::move(hooks),
                                   base::boot_now()));
  return base::ok();
}

base::Result<void> Peer::start(std::unique_ptr<store::GroupSession> session) {
  TRYV(start_link());
  TRYV(group_config_.validate());
  member_ = std::make_unique<group::Member>(group_config_, base::boot_now());
  DeliveryDesk::Hooks hooks;
  hooks.post = [this, alive = alive_](std::function<void()> then) {
    boost::asio::post(io_, [alive, then = std::move(then)] {
      if (*alive) {
        then();
      }
    });
  };
  hooks.send = [this](const base::PeerName& to, const group::Handout& handout) {
    if (!link_) {
      return;
    }
    if (const auto sent = link_->send(to, handout); !sent) {
      spdlog::debug("not sent to \"{}\": {}", to.get(), sent.error().message);
    }
  };
  hooks.recorded = [this] { contacts_changed(); };
  TRY(desk_, DeliveryDesk::start(config_, store_, self_, book_, std::move(hooks)));
  TRYV(start_engine());
  control_ = std::make_unique<work::Control>(std::move(session), self_, control_callbacks());
  after_input();
  return base::ok();
}

void Peer::renew_credentials(const GroupConfig& group) {
  if (!link_) {
    return;
  }
  const bool kind_changed = group.key_files.empty() != config_.group.key_files.empty() ||
                            group.certificate.empty() != config_.group.certificate.empty();
  if (kind_changed) {
    spdlog::error(
        "a peer cannot change between the group's key, certificates and neither while it runs; it "
        "goes on as it is, restart it to change");
    return;
  }
  GroupConfig files = group;
  files.name = config_.group.name;
  auto credentials = read_credentials(files, self_.name);
  if (!credentials) {
    spdlog::error("goes on with the keys or certificates it has: {}", credentials.error().message);
    return;
  }
  Credentials& now = credentials.value();
  base::Result<void> taken = base::ok();
  std::string what = "there are no keys or certificates to read again";
  if (now.certificates) {
    taken = link_->set_certificates(now.certificates);
    if (taken) {
      certificate_.shows(now.certificates.get());
      what = "shows the certificate " + certificate_.about();
    }
  } else if (!now.keys.empty()) {
    what = "dials with the key " + now.keys.front().id;
    for (std::size_t i = 1; i < now.keys.size(); ++i) {
      what += (i == 1 ? ", accepts also " : ", ") + now.keys[i].id;
    }
    taken = link_->set_keys(std::move(now.keys));
  }
  if (taken) {
    spdlog::info("{}", what);
  } else {
    spdlog::error("goes on with the keys or certificates it has: {}", taken.error().message);
  }
}

void Peer::leave(std::function<void()> done) {
  left_ = std::move(done);
  desk_->set_master(std::nullopt);
  member_->leave(base::boot_now());
  after_input();
}

// The catalogue in the database is newer than this peer's, or older after a fail-over: bring the
// book up to date, then tell the group's machine.
void Peer::take_catalogue(std::int64_t version) {
  if (version != catalogue_seen_) {
    catalogue_seen_ = version;
    catalogue_asked_ = version;
    engine_->refresh_catalogue();
  }
}

void Peer::catalogue_changed() {
  boost::asio::post(io_, [this, alive = alive_] {
    if (*alive && member_) {
      // The answer to the next stamp names the new version; other peers learn of it in the same
      // way.
      member_->tick(base::boot_now());
      after_input();
    }
  });
}

void Peer::contacts_changed() {
  boost::asio::post(io_, [this, alive = alive_] {
    if (*alive && engine_) {
      poke_.want();
      hint_contacts_.want();
      after_input();
    }
  });
}

void Peer::take_hint(const link::Hint& hint) {
  if (hint.contacts) {
    poke_.want();
  }
  if (hint.outbox) {
    desk_->look();
  }
}

// What is new for owners goes to everybody, since nobody knows who waits for it; what is new in the
// outbox to the master.
void Peer::say_hints(base::Tick now) {
  if (poke_.take(now)) {
    engine_->poke();
  }
  if (hint_contacts_.take(now) && link_) {
    link_->broadcast(link::Hint{.contacts = true, .outbox = false});
  }
  if (!hint_outbox_.take(now)) {
    return;
  }
  const link::Hint hint{.contacts = false, .outbox = true};
  const base::PeerName master = member_->master();
  if (master == self_.name) {
    take_hint(hint);
  } else if (link_ && !master.empty()) {
    (void)link_->send(master, hint);  // it looks now and then, too
  }
}

void Peer::send(const base::PeerName& to, const group::Message& message) {
  if (!link_) {
    return;
  }
  if (to.empty()) {
    link_->broadcast(message);
  } else if (const auto sent = link_->send(to, message); !sent) {
    spdlog::debug("not sent to \"{}\": {}", to.get(), sent.error().message);
  }
}

void Peer::receive(const base::PeerName& from, group::Message message) {
  const base::Tick now = base::boot_now();
  if (member_->receive(message, from, now)) {
    if (const auto* advertisement = std::get_if<group::Advertisement>(&message)) {
      desk_->credit_of(from, advertisement->deliveries);
    }
    engine_->receive(message, from, now);
  }
  after_input();
}

// A peer that has begun a new life has lost what its last one had in hand.
void Peer::note_life(const group::PeerChanged& changed) {
  base::Incarnation& known = lives_[changed.name];
  if (known < changed.incarnation) {
    if (known.get() != 0) {
      desk_->peer_ended({changed.name, known}, true);
      engine_->peer_ended(changed.name, base::boot_now());
    }
    known = changed.incarnation;
  }
}

void Peer::notice(const group::Notice& notice) {
  ++transitions_[transition_name(notice)];
  std::visit(
      base::Overloaded{
          [](const group::TrackGained& n) {
            spdlog::info("owns track {} at epoch {}", n.track.get(), n.fence.epoch.get());
          },
          [](const group::TrackLost& n) {
            spdlog::info("track {} is not owned here any more{}", n.track.get(),
                         n.by.empty() ? "" : fmt::format("; \"{}\" has it", n.by.get()));
          },
          [this](const group::MasterGained& n) {
            spdlog::info("is master at epoch {}", n.fence.epoch.get());
            desk_->set_master(n.fence.epoch);
          },
          [this](const group::MasterLost&) {
            spdlog::info("is not master any more");
            desk_->set_master(std::nullopt);
          },
          [](const group::MasterChanged& n) {
            spdlog::info("the master is {}", n.name.empty() ? "nobody" : n.name.get());
          },
          [this](const group::PeerChanged& n) {
            spdlog::info("peer \"{}\" is {}{}", n.name.get(), state_name(n.state),
                         n.fit ? "" : ", unfit");
            note_life(n);
            if (n.state == group::PeerState::kGone || n.state == group::PeerState::kUnavailable ||
                n.state == group::PeerState::kLeft) {
              desk_->peer_ended({n.name, n.incarnation}, n.state != group::PeerState::kUnavailable);
            }
          },
          [this](const group::Stopped& n) {
            spdlog::warn("writes nothing for now: {}", reason_text(n.reason));
            desk_->stop();
          },
          [this](const group::Resumed&) {
            spdlog::info("goes on");
            desk_->resume();
          },
          [this](const group::LeftGroup&) {
            if (left_) {
              boost::asio::post(io_, std::exchange(left_, nullptr));
            }
          },
          [this](const group::Superseded&) {
            spdlog::error("another process has taken the name \"{}\": ending", self_.name.get());
            if (superseded_) {
              boost::asio::post(io_, std::exchange(superseded_, nullptr));
            }
          },
          [](const auto&) {}},
      notice);
  engine_->notice(notice, base::boot_now());
}

void Peer::carry_out(const group::Ready& ready) {
  for (const group::Notice& one : ready.notices) {
    notice(one);
  }
  for (const group::Send& one : ready.messages) {
    send(one.to, one.message);
  }
  control_->start(ready);
}

// Called after every input. Obeying may give the machines new input at once; then once more.
void Peer::after_input() {
  if (settling_) {
    again_ = true;
    return;
  }
  if (!control_) {
    return;
  }
  settling_ = true;
  do {
    again_ = false;
    const group::Ready ready = member_->take_ready();
    if (!ready.empty()) {
      carry_out(ready);
      again_ = true;
    }
  } while (again_);
  settling_ = false;
  say_hints(base::boot_now());
  schedule();
}

void Peer::schedule() {
  const base::Tick now = base::boot_now();
  base::Tick next = std::min(member_->next_tick(), engine_->next_tick());
  next = std::min(next, desk_->next_tick());
  next = std::min(next, snapshot_at_ + kSnapshotEvery);
  next = std::min({next, poke_.next(), hint_contacts_.next(), hint_outbox_.next()});
  const base::Duration wait =
      std::clamp(next - now, base::Duration(std::chrono::microseconds(100)), kLongestSleep);
  timer_.expires_after(wait);
  timer_.async_wait([this, alive = alive_](const boost::system::error_code& error) {
    if (!error && *alive) {
      tick();
    }
  });
}

// What this peer would deliver, for its own master's desk and for the next advertisement.
void Peer::offer_deliveries(base::Tick now) {
  const std::int32_t credit = desk_->credit();
  desk_->credit_of(self_.name, credit);
  if (credit != load_.deliveries) {
    load_.deliveries = credit;
    member_->set_load(load_, now);
  }
}

void Peer::tick() {
  const base::Tick now = base::boot_now();
  if (now >= member_->next_tick()) {
    member_->tick(now);
  }
  if (now >= engine_->next_tick()) {
    engine_->tick(now);
  }
  // The engine may have told the member something at a later instant than this turn began.
  offer_deliveries(base::boot_now());
  desk_->tick(now);
  if (now >= snapshot_at_ + kSnapshotEvery) {
    take_snapshot();
    if (const auto warning = certificate_.warning(wall_now())) {
      spdlog::warn("{}", *warning);
    }
  }
  after_input();
}

}  // namespace turnout::cli
