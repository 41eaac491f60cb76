// Hellos, sessions and what comes over them; mesh.cc has the dialling.

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/check.h"
#include "link/mesh.h"
#include "link/tls.h"

namespace turnout::link {
namespace {

namespace asio = boost::asio;
using base::PeerName;
using boost::system::error_code;
using std::chrono::milliseconds;

// Codes of Refuse that are no RefusalCode; see wire.proto.
constexpr std::uint32_t kSessionExists = 100;
constexpr std::uint32_t kYourself = 101;
constexpr std::size_t kMaxReported = 1'024;

// When one connection of a session ends, the other may still hold what the peer said before it
// left. A killed process ends both at once, so this is waited out only when one connection alone
// was cut.
constexpr milliseconds kEndTogether{50};
constexpr milliseconds kDrain{5'000};
constexpr milliseconds kRefusalDelivery{1'000};

std::uint32_t wire_code(RefusalCode code) { return static_cast<std::uint32_t>(code) + 1; }

std::string quoted(const std::string& name) { return "\"" + name + "\""; }

}  // namespace

Link::Impl::Entry* Link::Impl::find(Connection* connection) {
  const auto found = entries_.find(connection);
  return found == entries_.end() ? nullptr : &found->second;
}

Link::Impl::Session* Link::Impl::find_session(const PeerName& peer) {
  const auto found = sessions_.find(peer);
  return found == sessions_.end() ? nullptr : found->second.get();
}

void Link::Impl::forget(Connection& connection) {
  stats_.frames_sent += connection.frames_sent();
  stats_.bytes_sent += connection.bytes_sent();
  stats_.bytes_received += connection.bytes_received();
  entries_.erase(&connection);
}

void Link::Impl::close(Connection* connection) {
  Entry* const entry = connection == nullptr ? nullptr : find(connection);
  if (entry == nullptr) {
    return;
  }
  const auto kept = entry->connection;
  kept->close();
  forget(*kept);
}

bool Link::Impl::has_key(const std::string& id) const {
  return std::any_of(keys_.begin(), keys_.end(), [&](const GroupKey& key) { return key.id == id; });
}

void Link::Impl::on_secured(Connection& connection) {
  Entry* const entry = find(&connection);
  if (entry == nullptr || stopped_) {
    return;
  }
  if (!keys_.empty() && !has_key(connection.identity()->key_id)) {
    handshake_failed(*entry, {DownKind::kWithdrawn, "its key was withdrawn"});
    return;
  }
  if (entry->stage == Stage::kCalling) {
    connection.send(std::make_shared<const std::string>(
        encode(make_hello(entry->channel, entry->target->session))));
  }
}

void Link::Impl::on_frame(Connection& connection, std::string_view body) {
  Entry* const entry = find(&connection);
  if (entry == nullptr || stopped_ || entry->stage == Stage::kTurnedAway) {
    return;
  }
  ++stats_.frames_received;
  auto message = decode(body);
  if (message) {
    take_frame(*entry, std::move(message.value()));
    return;
  }
  const Down down{DownKind::kBroken, connection.remote() + " sent " + message.error().message};
  if (entry->stage == Stage::kSession) {
    end(PeerName(entry->peer), down);
  } else if (entry->stage == Stage::kDraining) {
    close(&connection);
  } else {
    handshake_failed(*entry, down);
  }
}

void Link::Impl::take_frame(Entry& entry, Incoming message) {
  const auto* const hello = std::get_if<Hello>(&message);
  const auto* const refuse = std::get_if<Refuse>(&message);
  switch (entry.stage) {
    case Stage::kCalled:
      if (hello != nullptr) {
        called(entry, *hello);
        return;
      }
      break;
    case Stage::kCalling:
      if (hello != nullptr) {
        answered(entry, *hello);
        return;
      }
      if (refuse != nullptr) {
        turned_away(entry, *refuse);
        return;
      }
      break;
    case Stage::kSession:
    case Stage::kDraining:
      if (hello == nullptr && refuse == nullptr) {
        Session* const session = find_session(entry.peer);
        // What an earlier life said is of no use to anybody.
        if (session != nullptr && session->life == entry.life) {
          session->heard = Clock::now();
          take_message(PeerName(entry.peer), std::move(message));
        }
        return;
      }
      end(PeerName(entry.peer), {DownKind::kBroken, "a second hello"});
      return;
    case Stage::kHalf:
    case Stage::kAnswered:
    case Stage::kTurnedAway:
      break;
  }
  handshake_failed(entry, {DownKind::kBroken, entry.connection->remote() +
                                                  " sent a message before the session began"});
}

void Link::Impl::take_message(const PeerName& peer, Incoming message) {
  if (auto* const said = std::get_if<group::Message>(&message)) {
    if (callbacks_.on_message) {
      callbacks_.on_message(peer, std::move(*said));
    }
  } else if (auto* const handout = std::get_if<group::Handout>(&message)) {
    if (callbacks_.on_handout) {
      callbacks_.on_handout(peer, std::move(*handout));
    }
  } else if (const auto* const addresses = std::get_if<Addresses>(&message)) {
    for (const auto& [name, text] : addresses->peers) {
      const auto address = parse_address(text);
      if (name == options_.name || !address || address.value().port == 0) {
        continue;
      }
      Target* const target = learn(address.value(), false);
      if (target != nullptr && target->peer.empty()) {
        target->peer = name;
      }
    }
  } else {
    ++stats_.unknown_messages;
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

std::string Link::Impl::address_of(const Hello& hello, const Connection& connection) const {
  if (hello.address.starts_with(":")) {
    const bool brackets = connection.remote_host().find(':') != std::string::npos;
    const std::string& host = connection.remote_host();
    return (brackets ? "[" + host + "]" : host) + hello.address;
  }
  return hello.address;
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
  if (connection.identity()) {
    const PskIdentity& identity = *connection.identity();
    const bool dialled = identity.caller == options_.name && identity.caller != hello.name;
    const PeerName& proven = dialled ? identity.callee : identity.caller;
    if (!proven.empty() && proven != hello.name) {
      return Refuse{
          wire_code(RefusalCode::kNotSecured),
          "the peer " + quoted(hello.name.get()) + " spoke TLS as " + quoted(proven.get())};
    }
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
  Entry* half = nullptr;
  for (auto& [connection, other] : entries_) {
    if (other.stage == Stage::kHalf && other.hello->session == hello.session &&
        other.hello->name == hello.name && other.hello->life == hello.life) {
      half = &other;
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
  const Hello control_hello = *half->hello;
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
  if (held.info.dialled == dialled) {
    return dialled;  // the peer dials a second one only when it has lost the first; nor do we
  }
  const bool we_are_lower = options_.name < held.info.name;
  return held.info.dialled == we_are_lower;
}

void Link::Impl::begin(Connection* control, Connection* bulk, const Hello& hello, bool dialled) {
  Session* held = find_session(hello.name);
  const bool quietly = held != nullptr && held->life == hello.life && !held->ending;
  if (quietly) {
    retire(*held, held->info.dialled != dialled);
  } else if (held != nullptr) {
    const Down replaced{DownKind::kReplaced, "a later life of the peer took its place"};
    end(hello.name, held->ending.value_or(replaced));
    if (stopped_) {
      return;
    }
  }
  auto session = std::make_unique<Session>();
  session->info = {hello.name,
                   hello.incarnation,
                   address_of(hello, *control),
                   dialled,
                   control->identity() ? control->identity()->key_id : std::string(),
                   std::min(options_.protocol, hello.newest)};
  session->life = hello.life;
  session->number = ++sessions_begun_;
  session->control = control;
  session->bulk = bulk;
  session->heard = Clock::now();
  for (Connection* const connection : {control, bulk}) {
    Entry& entry = *find(connection);
    entry.stage = Stage::kSession;
    entry.target = nullptr;
    entry.hello.reset();
    entry.peer = hello.name;
    entry.life = hello.life;
  }
  control->establish(kMaxControlFrame, options_.max_control_queue);
  bulk->establish(kMaxBulkFrame, options_.max_bulk_queue);
  control->resume();
  const PeerInfo info = session->info;
  gossip(*session);
  sessions_[hello.name] = std::move(session);
  if (const auto address = parse_address(info.address); address && address.value().port != 0) {
    if (Target* const target = learn(address.value(), false)) {
      target->peer = info.name;
    }
  }
  for (auto& [text, target] : targets_) {
    if (target->peer == info.name && !target->dialling()) {
      rest(*target);
      reported_.erase(">" + text);
      reported_.erase("<" + text);
    }
  }
  if (!quietly && callbacks_.on_up) {
    callbacks_.on_up(info);
  }
}

// Another session with the same life of the peer takes over.
void Link::Impl::retire(const Session& session, bool drain_it) {
  Hello who;
  who.name = session.info.name;
  who.life = session.life;
  for (Connection* const connection : {session.control, session.bulk}) {
    if (drain_it) {
      drain(connection, who);
    } else {
      close(connection);  // the peer has lost it
    }
  }
}

// What is queued still goes out, and what the peer said here is still read.
void Link::Impl::drain(Connection* connection, const Hello& who) {
  Entry* const entry = connection == nullptr ? nullptr : find(connection);
  if (entry == nullptr) {
    return;
  }
  entry->stage = Stage::kDraining;
  entry->target = nullptr;
  entry->peer = who.name;
  entry->life = who.life;
  const bool bulk = entry->channel == Channel::kBulk;
  connection->establish(bulk ? kMaxBulkFrame : kMaxControlFrame,
                        bulk ? options_.max_bulk_queue : options_.max_control_queue);
  connection->finish(kDrain);
}

void Link::Impl::gossip(const Session& session) {
  Addresses others;
  for (const auto& [name, other] : sessions_) {
    if (parse_address(other->info.address) && name != session.info.name) {
      others.peers.emplace_back(name, other->info.address);
    }
  }
  if (!others.peers.empty()) {
    session.control->send(std::make_shared<const std::string>(encode(others)));
  }
  if (!parse_address(session.info.address)) {
    return;
  }
  const auto news = std::make_shared<const std::string>(
      encode(Addresses{{{session.info.name, session.info.address}}}));
  for (const auto& [name, other] : sessions_) {
    if (other->control != nullptr && name != session.info.name) {
      other->control->send(news);
    }
  }
}

void Link::Impl::end(const PeerName& peer, const Down& down) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) {
    return;
  }
  const std::unique_ptr<Session> session = std::move(found->second);
  sessions_.erase(found);
  close(session->control);
  close(session->bulk);
  for (auto& [text, target] : targets_) {
    if (target->peer == peer && !target->dialling()) {
      target->delay = options_.min_redial;
      wait(*target, options_.min_redial);
    }
  }
  if (!stopped_ && callbacks_.on_down) {
    callbacks_.on_down(session->info.name, down);
  }
}

void Link::Impl::on_closed(Connection& connection, const Down& down) {
  Entry* const entry = find(&connection);
  if (entry == nullptr) {
    return;
  }
  if (stopped_) {
    forget(connection);
    if (entries_.empty() && stop_timer_) {
      stop_timer_->cancel();
    }
    return;
  }
  switch (entry->stage) {
    case Stage::kSession:
      half_ended(*entry, down);
      return;
    case Stage::kDraining:
    case Stage::kTurnedAway:
      forget(connection);
      return;
    case Stage::kCalled:
    case Stage::kHalf:
    case Stage::kCalling:
    case Stage::kAnswered:
      handshake_failed(*entry, down);
      return;
  }
}

void Link::Impl::half_ended(Entry& entry, const Down& down) {
  const PeerName peer = entry.peer;
  Session* const session = find_session(peer);
  Connection& connection = *entry.connection;
  CHECK(session != nullptr);
  (session->control == &connection ? session->control : session->bulk) = nullptr;
  forget(connection);
  const bool other = session->control != nullptr || session->bulk != nullptr;
  if (down.kind != DownKind::kEnded || !other) {
    end(peer, session->ending.value_or(down));
    return;
  }
  session->ending = down;
  session->ending_timer = std::make_unique<asio::steady_timer>(io_, kEndTogether);
  session->ending_timer->async_wait(
      [weak = weak_from_this(), peer, number = session->number](const error_code& error) {
        const auto self = weak.lock();
        if (error || !self || self->stopped_) {
          return;
        }
        const Session* const still = self->find_session(peer);
        if (still != nullptr && still->number == number) {
          self->end(peer, *still->ending);
        }
      });
}

// A connection that is not of a session yet has ended, or must.
void Link::Impl::handshake_failed(Entry& entry, const Down& down) {
  ++stats_.handshakes_failed;
  const auto connection = entry.connection;
  Target* const target = entry.target;
  const bool tls_failed = !keys_.empty() && !connection->secured();
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
               (keys_.empty() ? "perhaps its group has a key and this peer has none"
                              : "it may have too many connections") +
               "; its log says more");
  } else if (tell) {
    const bool tls = tls_failed || connection->met_tls();
    report(tls ? RefusalCode::kNotSecured : RefusalCode::kNotPeer, true, address, down.message);
  }
}

void Link::Impl::report(RefusalCode code, bool by_us, const std::string& address,
                        const std::string& message) {
  const std::string key = (by_us ? "<" : ">") + address;
  const auto known = reported_.find(key);
  if (known != reported_.end() && known->second == code) {
    return;
  }
  if (reported_.size() >= kMaxReported) {
    reported_.clear();
  }
  reported_[key] = code;
  if (!stopped_ && callbacks_.on_refused) {
    callbacks_.on_refused({code, by_us, address, message});
  }
}

void Link::Impl::set_keys(std::vector<GroupKey> keys) {
  CHECK(!keys.empty() && !keys_.empty());
  auto server = make_server_context(options_.group, options_.name, keys);
  CHECK(server);
  server_tls_ = std::make_unique<asio::ssl::context>(server.value().release());
  keys_ = std::move(keys);
  asio::post(io_, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->stopped_) {
      return;
    }
    std::vector<PeerName> cut;
    for (const auto& [name, session] : self->sessions_) {
      if (!self->has_key(session->info.key_id)) {
        cut.push_back(name);
      }
    }
    std::vector<std::shared_ptr<Connection>> others;
    for (const auto& [connection, entry] : self->entries_) {
      if (entry.stage != Stage::kSession && connection->identity() &&
          !self->has_key(connection->identity()->key_id)) {
        others.push_back(entry.connection);
      }
    }
    for (const auto& connection : others) {
      if (Entry* const entry = self->find(connection.get())) {
        self->handshake_failed(*entry, {DownKind::kWithdrawn, "its key was withdrawn"});
      }
    }
    for (const PeerName& name : cut) {
      if (!self->stopped_) {
        self->end(name, {DownKind::kWithdrawn, "the key of the connection was withdrawn"});
      }
    }
  });
}

}  // namespace turnout::link
