// Handshakes: who is let in and who is turned away, on the way from a connection to a session.

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/check.h"
#include "link/mesh.h"

namespace turnout::link {
namespace {

namespace asio = boost::asio;
using base::PeerName;
using std::chrono::milliseconds;

// Codes of Refuse that are no RefusalCode; see wire.proto.
constexpr std::uint32_t kSessionExists = 100;
constexpr std::uint32_t kYourself = 101;
constexpr std::size_t kMaxReported = 1'024;
constexpr milliseconds kRefusalDelivery{1'000};

std::uint32_t wire_code(RefusalCode code) { return static_cast<std::uint32_t>(code) + 1; }

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

}  // namespace

void Link::Impl::on_secured(Connection& connection) {
  Entry* const entry = find(&connection);
  if (entry == nullptr || stopped_) {
    return;
  }
  // The handshake may have begun with keys that have been replaced since.
  if (const std::string why = security_.withdrawn(connection); !why.empty()) {
    handshake_failed(*entry, {DownKind::kWithdrawn, connection.remote() + ": " + why});
    return;
  }
  if (entry->stage == Stage::kCalling) {
    connection.send(std::make_shared<const std::string>(
        encode(make_hello(entry->channel, entry->target->session))));
  }
}

Hello Link::Impl::make_hello(Channel channel, std::uint64_t session) const {
  Hello hello;
  hello.newest = options_.protocol;
  hello.group = options_.group;
  hello.name = options_.name;
  hello.incarnation = options_.incarnation;
  hello.life = life_;
  hello.address = advertised_;
  hello.channel = channel;
  hello.session = session;
  return hello;
}

// Whether this peer may talk with the one that says hello; if not, what it is told.
std::optional<Refuse> Link::Impl::judge(const Hello& hello, const Connection& connection) const {
  if (hello.oldest > options_.protocol || hello.newest < group::kOldestProtocolVersion) {
    return Refuse{wire_code(RefusalCode::kOtherProtocol),
                  "protocol versions " + std::to_string(hello.oldest) + " to " +
                      std::to_string(hello.newest) + " against " +
                      std::to_string(group::kOldestProtocolVersion) + " to " +
                      std::to_string(options_.protocol) + " of the peer " +
                      quoted(options_.name.get()) +
                      ": they have none in common; upgrade the older one, a version at a time"};
  }
  if (hello.group != options_.group) {
    return Refuse{wire_code(RefusalCode::kOtherGroup),
                  "the peer at " + connection.remote() + " is of the group " + quoted(hello.group) +
                      ", the peer " + quoted(options_.name.get()) + " at " + advertised_ +
                      " of the group " + quoted(options_.group) + "; check `group` and `seeds`"};
  }
  if (hello.life == life_) {
    return Refuse{kYourself, "this is you"};
  }
  const PeerName& proven = connection.proof().peer;
  if (!proven.empty() && proven != hello.name) {
    return Refuse{
        wire_code(RefusalCode::kNotSecured),
        "the peer at " + connection.remote() + " says that it is " + quoted(hello.name.get()) +
            (security_.certified() ? " and shows the certificate of " : " and spoke TLS as ") +
            quoted(proven.get())};
  }
  return judge_name(hello);
}

std::optional<Refuse> Link::Impl::judge_name(const Hello& hello) const {
  const std::uint32_t taken = wire_code(RefusalCode::kNameTaken);
  if (hello.name == options_.name) {
    return Refuse{taken, "the name " + quoted(hello.name.get()) + " belongs to the peer at " +
                             advertised_ + ", which is alive; give each peer its own `name`"};
  }
  const auto held = sessions_.find(hello.name);
  if (held == sessions_.end()) {
    if (sessions_.size() >= kMaxPeers) {
      return Refuse{wire_code(RefusalCode::kTooManyPeers),
                    "the peer " + quoted(options_.name.get()) + " has " +
                        std::to_string(kMaxPeers) + " peers already, which is the most"};
    }
    return std::nullopt;
  }
  const Session& session = *held->second;
  if (session.life == hello.life || session.ending) {
    return std::nullopt;
  }
  const bool older = hello.incarnation < session.info.incarnation;
  if (older || Clock::now() - session.heard < options_.alive_within) {
    return Refuse{taken, "the name " + quoted(hello.name.get()) + " belongs to a peer at " +
                             session.info.address + ", incarnation " +
                             std::to_string(session.info.incarnation.get()) +
                             (older ? ", which is newer" : ", which is alive") +
                             "; give each peer its own `name`"};
  }
  return std::nullopt;
}

// A connection that was accepted says who calls.
void Link::Impl::called(Entry& entry, const Hello& hello) {
  if (const auto refuse = judge(hello, *entry.connection)) {
    turn_away(entry, *refuse);
    return;
  }
  if (hello.channel == Channel::kBulk) {
    called_bulk(entry, hello);
    return;
  }
  const Session* const held = find_session(hello.name);
  if (held != nullptr && held->life == hello.life && !held->ending && yields(*held, false)) {
    turn_away(entry, {kSessionExists, "there is a connection already"});
    return;
  }
  entry.stage = Stage::kHalf;
  entry.hello = hello;
  entry.connection->send(
      std::make_shared<const std::string>(encode(make_hello(Channel::kControl, hello.session))));
}

void Link::Impl::called_bulk(Entry& entry, const Hello& hello) {
  const Entry* half = nullptr;
  const Hello* half_hello = nullptr;
  for (const auto& [connection, other] : entries_) {
    if (other.stage != Stage::kHalf) {
      continue;
    }
    CHECK(other.hello.has_value());
    const Hello& said = *other.hello;
    if (said.session == hello.session && said.name == hello.name && said.life == hello.life) {
      half = &other;
      half_hello = &said;
    }
  }
  if (half == nullptr) {
    handshake_failed(entry, {DownKind::kEnded, "its control connection has ended"});
    return;
  }
  const Session* const held = find_session(hello.name);
  if (held != nullptr && held->life == hello.life && !held->ending && yields(*held, false)) {
    turn_away(entry, {kSessionExists, "there is a connection already"});
    close(half->connection.get());
    return;
  }
  entry.channel = Channel::kBulk;
  entry.connection->send(
      std::make_shared<const std::string>(encode(make_hello(Channel::kBulk, hello.session))));
  const Hello control_hello = *half_hello;
  begin(half->connection.get(), entry.connection.get(), control_hello, false);
}

// A connection that we dialled answers.
void Link::Impl::answered(Entry& entry, const Hello& hello) {
  Target& target = *entry.target;
  if (const auto refuse = judge(hello, *entry.connection)) {
    if (refuse->code == kYourself) {
      target.self = true;
      drop_attempt(target);
      return;
    }
    const std::string text = target.text;
    dial_failed(target);
    report(static_cast<RefusalCode>(refuse->code - 1), true, text, refuse->message);
    return;
  }
  Session* const held = find_session(hello.name);
  const bool same = held != nullptr && held->life == hello.life && !held->ending;
  if (entry.channel == Channel::kBulk) {
    if (!target.hello || hello.name != target.hello->name || hello.life != target.hello->life) {
      dial_failed(target);
    } else if (same && yields(*held, true)) {
      // The other side has begun this session and may have spoken on it already.
      drain(std::exchange(target.control, nullptr), hello);
      drain(std::exchange(target.bulk, nullptr), hello);
      drop_attempt(target);
      rest(target);
    } else {
      const Hello first = *target.hello;
      Connection* const control = std::exchange(target.control, nullptr);
      Connection* const bulk = std::exchange(target.bulk, nullptr);
      target.hello.reset();
      begin(control, bulk, first, true);
    }
    return;
  }
  target.peer = hello.name;
  target.tls_failures = 0;
  target.early_ends = 0;
  const bool under_way = std::any_of(targets_.begin(), targets_.end(), [&](const auto& other) {
    return other.second.get() != &target && other.second->hello &&
           other.second->hello->name == hello.name;
  });
  if (same) {
    drop_attempt(target);
    rest(target);
  } else if (under_way) {
    drop_attempt(target);
    wait(target, options_.max_redial);
  } else {
    target.hello = hello;
    entry.stage = Stage::kAnswered;
    // It may speak before we know that the session has begun; that is read then.
    entry.connection->pause();
    dial_bulk(target);
  }
}

void Link::Impl::turned_away(Entry& entry, const Refuse& refuse) {
  Target& target = *entry.target;
  if (refuse.code == kYourself) {
    target.self = true;
    drop_attempt(target);
    return;
  }
  if (refuse.code == kSessionExists) {
    drop_attempt(target);
    // Its side may still believe in a session that we have lost; it will notice when it next says
    // something.
    wait(target, options_.max_redial);
    return;
  }
  const std::string text = target.text;
  target.delay = options_.max_redial;
  dial_failed(target);
  const bool known = refuse.code >= 1 && refuse.code <= wire_code(RefusalCode::kNotPeer);
  report(known ? static_cast<RefusalCode>(refuse.code - 1) : RefusalCode::kNotPeer, false, text,
         refuse.message);
}

void Link::Impl::turn_away(Entry& entry, const Refuse& refuse) {
  entry.stage = Stage::kTurnedAway;
  entry.connection->send(std::make_shared<const std::string>(encode(refuse)));
  entry.connection->finish(kRefusalDelivery);
  if (refuse.code < kSessionExists) {
    ++stats_.handshakes_failed;
    report(static_cast<RefusalCode>(refuse.code - 1), true, entry.connection->remote_host(),
           refuse.message);
  }
}

// Whether the session held stays, of two with the same life of a peer.
bool Link::Impl::yields(const Session& held, bool dialled) const {
  if (!dialled && Clock::now() - held.begun > options_.handshake_timeout) {
    // A peer dials only when it has no session, and no dial takes that long: so it has lost the one
    // held, which this side has not noticed (a middlebox has dropped it, or cut one side only).
    return false;
  }
  if (held.info.dialled == dialled) {
    return dialled;  // the peer dials a second one only when it has lost the first; nor do we
  }
  const bool we_are_lower = options_.name < held.info.name;
  return held.info.dialled == we_are_lower;
}

// A connection that is not of a session yet has ended, or must.
void Link::Impl::handshake_failed(Entry& entry, const Down& down) {
  ++stats_.handshakes_failed;
  const auto connection = entry.connection;
  Target* const target = entry.target;
  const bool tls_failed =
      security_.secured() && (!connection->secured() || connection->turned_down());
  const std::string address = target != nullptr ? target->text : connection->remote_host();
  close(connection.get());
  bool tell = down.kind == DownKind::kBroken;
  bool ended_early = false;
  if (target != nullptr) {
    (target->control == connection.get() ? target->control : target->bulk) = nullptr;
    if (tls_failed) {
      // Another peer may live there now than the one that the key was made for.
      target->peer = PeerName();
      // One failure may be a peer that is just ending.
      tell = ++target->tls_failures >= 2;
    } else if (target->hello == std::nullopt && down.kind == DownKind::kEnded) {
      // So does a peer with a key answer one that has none; a peer that is just ending does it
      // once.
      ended_early = ++target->early_ends == 3;
    }
    dial_failed(*target);
  }
  if (ended_early) {
    report(RefusalCode::kNotSecured, false, address,
           address + " ends every connection at our hello: " +
               (security_.secured() ? "it may have too many connections"
                                    : "perhaps its group has a key and this peer has none") +
               "; its log says more");
  } else if (tell) {
    const bool tls = tls_failed || connection->met_tls();
    report(tls ? RefusalCode::kNotSecured : RefusalCode::kNotPeer, !connection->turned_down(),
           address, down.message, connection->certificate_code());
  }
}

void Link::Impl::report(RefusalCode code, bool by_us, const std::string& address,
                        const std::string& message, int cause) {
  if (reported_.size() >= kMaxReported) {
    reported_.clear();
  }
  const bool is_new = reported_[(by_us ? "<" : ">") + address].emplace(code, cause).second;
  if (is_new && !stopped_ && callbacks_.on_refused) {
    callbacks_.on_refused({code, by_us, address, message});
  }
}

base::Result<void> Link::Impl::set_keys(std::vector<GroupKey> keys) {
  CHECK(security_.secured() && !security_.certified());
  TRYV(security_.set_keys(std::move(keys)));
  close_withdrawn();
  return base::ok();
}

base::Result<void> Link::Impl::set_certificates(std::shared_ptr<const Certificates> certificates) {
  CHECK(security_.certified());
  TRYV(security_.set_certificates(std::move(certificates)));
  close_withdrawn();
  return base::ok();
}

// Ends, from the io_context, what was made with what is not good any more.
void Link::Impl::close_withdrawn() {
  asio::post(io_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->stopped_) {
      return;
    }
    std::vector<std::pair<PeerName, std::string>> cut;
    for (const auto& [name, session] : self->sessions_) {
      for (const Connection* const connection : {session->control, session->bulk}) {
        std::string why = connection == nullptr ? "" : self->security_.withdrawn(*connection);
        if (!why.empty()) {
          cut.emplace_back(name, std::move(why));
          break;
        }
      }
    }
    std::vector<std::pair<std::shared_ptr<Connection>, std::string>> others;
    for (const auto& [connection, entry] : self->entries_) {
      if (entry.stage != Stage::kSession) {
        if (std::string why = self->security_.withdrawn(*connection); !why.empty()) {
          others.emplace_back(entry.connection, std::move(why));
        }
      }
    }
    for (const auto& [connection, why] : others) {
      if (Entry* const entry = self->find(connection.get())) {
        self->handshake_failed(*entry, {DownKind::kWithdrawn, connection->remote() + ": " + why});
      }
    }
    for (const auto& [name, why] : cut) {
      if (!self->stopped_) {
        self->end(name, {DownKind::kWithdrawn, why});
      }
    }
  });
}

}  // namespace turnout::link
