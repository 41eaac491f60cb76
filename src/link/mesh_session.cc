// Sessions: how they begin and end, and what comes over them.

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "base/check.h"
#include "link/mesh.h"

namespace turnout::link {
namespace {

namespace asio = boost::asio;
using base::PeerName;
using boost::system::error_code;
using std::chrono::milliseconds;

// When one connection of a session ends, the other may still hold what the peer said before it
// left. A killed process ends both at once, so this is waited out only when one connection alone
// was cut.
constexpr milliseconds kEndTogether{50};
constexpr milliseconds kDrain{5'000};

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
  } else if (const auto* const hint = std::get_if<Hint>(&message)) {
    if (callbacks_.on_hint) {
      callbacks_.on_hint(*hint);
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

std::string Link::Impl::address_of(const Hello& hello, const Connection& connection) const {
  if (hello.address.starts_with(":")) {
    const bool brackets = connection.remote_host().find(':') != std::string::npos;
    const std::string& host = connection.remote_host();
    return (brackets ? "[" + host + "]" : host) + hello.address;
  }
  return hello.address;
}

void Link::Impl::begin(Connection* control, Connection* bulk, const Hello& hello, bool dialled) {
  Session* held = find_session(hello.name);
  const bool quietly =
      held != nullptr && held->life == hello.life && (!held->ending || crossed(*held, dialled));
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
  const Proof& proof = control->proof();
  session->info = {hello.name,
                   hello.incarnation,
                   address_of(hello, *control),
                   dialled,
                   proof.key_id,
                   proof.certificate,
                   std::min(options_.protocol, hello.newest)};
  session->life = hello.life;
  session->number = ++sessions_begun_;
  session->control = control;
  session->bulk = bulk;
  session->begun = session->heard = Clock::now();
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

// Whether the session that has ended is the other one of two that both sides dialled at once. The
// peer drains it as soon as it has the one to keep, which it may have before we do.
bool Link::Impl::crossed(const Session& ended, bool dialled) const {
  return dialled && !ended.info.dialled && !ended.dropped;
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
  session->dropped = session->dropped || connection.left_unsent();
  forget(connection);
  const bool other = session->control != nullptr || session->bulk != nullptr;
  const bool ours = std::any_of(targets_.begin(), targets_.end(), [&](const auto& target) {
    return target.second->hello && target.second->hello->name == peer &&
           target.second->hello->life == session->life;
  });
  if (down.kind != DownKind::kEnded || (!other && !(ours && crossed(*session, true)))) {
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

}  // namespace turnout::link
