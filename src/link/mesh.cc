// Starting, dialling, addresses and sending of a Link. mesh_accept.cc listens, mesh_handshake.cc
// lets in and turns away, mesh_session.cc has the sessions.

#include "link/mesh.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <utility>

#include "base/check.h"

namespace turnout::link {
namespace {

namespace asio = boost::asio;
using base::ErrorCode;
using base::fail;
using base::Result;
using boost::system::error_code;
using std::chrono::milliseconds;

// An address that only other peers told us of is forgotten when it has not answered for so long.
constexpr auto kForgetAfter = std::chrono::minutes(10);

}  // namespace

Link::Impl::Impl(asio::io_context& io, Options options, Callbacks callbacks)
    : io_(io),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      security_(options_.group, options_.name) {
  CHECK(!options_.group.empty() && options_.group.size() <= group::kMaxGroupBytes);
  CHECK(!options_.name.empty() && options_.name.get().size() <= group::kMaxNameBytes);
  CHECK(options_.min_redial.count() > 0 && options_.max_redial >= options_.min_redial);
  std::random_device device;
  std::seed_seq seed{device(), device(), device(), device()};
  random_.seed(seed);
  life_ = random();
}

std::uint64_t Link::Impl::random() {
  std::uint64_t value = random_();
  while (value == 0) {
    value = random_();
  }
  return value;
}

Result<void> Link::Impl::start() {
  CHECK(acceptors_.empty() && !stopped_);
  CHECK(options_.keys.empty() || options_.certificates == nullptr);
  if (options_.certificates != nullptr) {
    TRYV(security_.set_certificates(options_.certificates));
  } else if (!options_.keys.empty()) {
    TRYV(security_.set_keys(options_.keys));
  }
  if (options_.listen.empty()) {
    return fail(ErrorCode::kInvalid, "a peer needs an address to listen on; set `listen`");
  }
  for (const std::string& text : options_.listen) {
    auto listening = listen(text);
    if (!listening) {
      acceptors_.clear();
      bound_.clear();
      return listening;
    }
  }
  if (!options_.advertise.empty()) {
    TRY(auto address, parse_address(options_.advertise));
    advertised_ = format_address(address);
  } else {
    const bool anywhere = bound_.front().host == "0.0.0.0" || bound_.front().host == "::";
    // Which of this machine's addresses others can reach is theirs to see: they add the host.
    advertised_ =
        anywhere ? ":" + std::to_string(bound_.front().port) : format_address(bound_.front());
  }
  for (const std::string& seed : options_.seeds) {
    TRYV(add_peer(seed, true));
  }
  for (std::size_t i = 0; i < acceptors_.size(); ++i) {
    accept(i);
  }
  return base::ok();
}

Connection::Settings Link::Impl::settings(bool dialled, const base::PeerName& callee) const {
  Connection::Settings settings;
  settings.dialled = dialled;
  settings.handshake_timeout = options_.handshake_timeout;
  settings.user_timeout = options_.user_timeout;
  security_.prepare(settings, callee);
  return settings;
}

Result<void> Link::Impl::add_peer(std::string_view text, bool seed) {
  TRY(const auto address, parse_address(text));
  if (address.port == 0) {
    return fail(ErrorCode::kInvalid,
                "\"" + std::string(text) + "\" has no port to dial; write host:port");
  }
  Target* const target = learn(address, seed);
  if (target == nullptr) {
    return fail(ErrorCode::kExhausted, "more than " + std::to_string(kMaxAddresses) +
                                           " addresses of peers are known; this one is ignored");
  }
  return base::ok();
}

bool Link::Impl::is_own(const Address& address) const {
  return std::find(bound_.begin(), bound_.end(), address) != bound_.end() ||
         format_address(address) == advertised_;
}

// The target of the address, new or known; begins to dial a new one. Null if there are too many.
Link::Impl::Target* Link::Impl::learn(const Address& address, bool seed) {
  const std::string text = format_address(address);
  const auto known = targets_.find(text);
  if (known != targets_.end()) {
    known->second->seed = known->second->seed || seed;
    return known->second.get();
  }
  if (targets_.size() >= kMaxAddresses) {
    return nullptr;
  }
  auto& target = targets_[text];
  target = std::make_unique<Target>(io_, address, seed);
  target->delay = options_.min_redial;
  target->self = is_own(address);
  wait(*target, milliseconds(0));
  return target.get();
}

void Link::Impl::wait(Target& target, milliseconds delay) {
  if (stopped_ || target.self) {
    return;
  }
  target.waiting = true;
  // Half of the delay at least, so that the peers of a group that lost one do not dial it in step.
  std::uniform_int_distribution<std::int64_t> spread(delay.count() / 2, delay.count());
  target.timer.expires_after(milliseconds(spread(random_)));
  target.timer.async_wait(
      [weak = weak_from_this(), text = target.text, turn = ++target.turn](const error_code& error) {
        const auto self = weak.lock();
        if (error || !self || self->stopped_) {
          return;
        }
        const auto found = self->targets_.find(text);
        if (found != self->targets_.end() && found->second->turn == turn) {
          found->second->waiting = false;
          self->dial(*found->second);
        }
      });
}

// A session with the peer there exists: nothing is to be done until it ends.
void Link::Impl::rest(Target& target) {
  ++target.turn;
  target.waiting = false;
  target.timer.cancel();
  target.delay = options_.min_redial;
  target.failing_since.reset();
  target.tls_failures = 0;
}

Connect::Patience Link::Impl::patience() const {
  return {options_.handshake_timeout,
          std::min(options_.connect_timeout, options_.handshake_timeout)};
}

void Link::Impl::dial(Target& target) {
  if (target.self || target.dialling()) {
    return;
  }
  if (!target.peer.empty() && sessions_.count(target.peer) != 0) {
    rest(target);
    return;
  }
  target.session = random();
  target.hello.reset();
  target.connect = Connect::start(
      io_, target.address, !security_.secured(), patience(),
      [weak = weak_from_this(), text = target.text](Result<Tcp::socket> socket) {
        const auto self = weak.lock();
        const auto found = self ? self->targets_.find(text) : decltype(self->targets_.find(text))();
        if (!self || self->stopped_ || found == self->targets_.end()) {
          return;
        }
        Target& there = *found->second;
        there.connect.reset();
        if (socket) {
          self->connected(there, std::move(socket.value()), Channel::kControl);
          return;
        }
        const base::Error error = socket.error();
        self->dial_failed(there);
        if (error.code == ErrorCode::kInvalid) {
          self->report(RefusalCode::kNotLoopback, true, text, error.message);
        }
      });
}

// The bulk connection goes to where the control connection went, whatever the name resolves to by
// now.
void Link::Impl::dial_bulk(Target& target) {
  Address address = target.address;
  if (auto remote = parse_address(target.control->remote())) {
    address = remote.value();
  }
  target.connect = Connect::start(
      io_, address, !security_.secured(), patience(),
      [weak = weak_from_this(), text = target.text](Result<Tcp::socket> socket) {
        const auto self = weak.lock();
        const auto found = self ? self->targets_.find(text) : decltype(self->targets_.find(text))();
        if (!self || self->stopped_ || found == self->targets_.end()) {
          return;
        }
        Target& there = *found->second;
        there.connect.reset();
        if (socket) {
          self->connected(there, std::move(socket.value()), Channel::kBulk);
        } else {
          self->dial_failed(there);
        }
      });
}

void Link::Impl::connected(Target& target, Tcp::socket socket, Channel channel) {
  ++stats_.dialled;
  auto connection = std::make_shared<Connection>(std::move(socket), weak_from_this());
  Entry& entry = entries_[connection.get()];
  entry.connection = connection;
  entry.stage = Stage::kCalling;
  entry.channel = channel;
  entry.target = &target;
  entry.order = ++orders_;
  (channel == Channel::kControl ? target.control : target.bulk) = connection.get();
  connection->start(settings(true, target.peer));
}

// Ends what is under way to the target, if anything, and dials again later.
void Link::Impl::dial_failed(Target& target) {
  drop_attempt(target);
  const auto now = Clock::now();
  if (!target.failing_since) {
    target.failing_since = now;
  }
  if (!target.seed && now - *target.failing_since > kForgetAfter) {
    targets_.erase(target.text);
    return;
  }
  wait(target, target.delay);
  target.delay = std::min(target.delay * 2, options_.max_redial);
}

void Link::Impl::drop_attempt(Target& target) {
  if (target.connect) {
    std::exchange(target.connect, nullptr)->cancel();
  }
  close(std::exchange(target.control, nullptr));
  close(std::exchange(target.bulk, nullptr));
  target.hello.reset();
}

Result<void> Link::Impl::send(const base::PeerName& to, std::string frame, Channel channel,
                              bool replaceable) {
  Session* const session = find_session(to);
  if (session == nullptr || stopped_) {
    return fail(ErrorCode::kNotFound, "there is no connection to the peer " + to.get());
  }
  const bool bulk = channel == Channel::kBulk;
  const std::size_t most = bulk ? kMaxBulkFrame : kMaxControlFrame;
  if (frame.size() - kFrameHeader > most) {
    return fail(ErrorCode::kInvalid, "a message of " + std::to_string(frame.size()) +
                                         " bytes is larger than a frame may be");
  }
  Connection* const connection = bulk ? session->bulk : session->control;
  if (connection == nullptr) {  // it has ended, and on_down is about to say so
    session->dropped = true;
    return base::ok();
  }
  auto shared = std::make_shared<const std::string>(std::move(frame));
  if (replaceable) {
    stats_.advertisements_replaced += connection->send_replaceable(std::move(shared)) ? 1 : 0;
    return base::ok();
  }
  if (!connection->send(std::move(shared))) {
    ++stats_.sends_refused;
    return fail(ErrorCode::kExhausted, "the queue to the peer " + to.get() + " is full");
  }
  return base::ok();
}

void Link::Impl::broadcast(std::string frame, Channel channel, bool replaceable) {
  if (stopped_) {
    return;
  }
  const auto shared = std::make_shared<const std::string>(std::move(frame));
  for (const auto& [name, session] : sessions_) {
    Connection* const connection = channel == Channel::kBulk ? session->bulk : session->control;
    if (connection == nullptr) {
      session->dropped = session->dropped || !replaceable;
      continue;
    }
    if (replaceable) {
      stats_.advertisements_replaced += connection->send_replaceable(shared) ? 1 : 0;
    } else if (!connection->send(shared)) {
      ++stats_.sends_refused;
    }
  }
}

void Link::Impl::stop(milliseconds patience, std::function<void()> done) {
  if (stopped_) {
    return;
  }
  stopped_ = true;
  on_stopped_ = std::move(done);
  acceptors_.clear();
  for (auto& [text, target] : targets_) {
    target->timer.cancel();
    drop_attempt(*target);
  }
  std::vector<std::shared_ptr<Connection>> open;
  open.reserve(entries_.size());
  for (const auto& [connection, entry] : entries_) {
    open.push_back(entry.connection);
  }
  for (const auto& connection : open) {
    connection->finish(patience);
  }
  stop_timer_ = std::make_unique<asio::steady_timer>(io_);
  if (open.empty()) {
    stop_timer_->expires_after(milliseconds(0));
  } else {
    stop_timer_->expires_after(patience);
  }
  stop_timer_->async_wait([weak = weak_from_this()](const error_code&) {
    const auto self = weak.lock();
    if (self && self->on_stopped_) {
      const auto told = std::exchange(self->on_stopped_, nullptr);
      self->shut();
      told();
    }
  });
}

void Link::Impl::shut() {
  stopped_ = true;
  on_stopped_ = nullptr;
  acceptors_.clear();
  for (auto& [text, target] : targets_) {
    target->timer.cancel();
    drop_attempt(*target);
  }
  sessions_.clear();
  while (!entries_.empty()) {
    close(entries_.begin()->first);
  }
  if (stop_timer_) {
    stop_timer_->cancel();
  }
}

std::vector<std::string> Link::Impl::addresses() const {
  std::vector<std::string> texts;
  texts.reserve(bound_.size());
  for (const Address& address : bound_) {
    texts.push_back(format_address(address));
  }
  return texts;
}

std::string Link::Impl::advertised() const { return advertised_; }

std::vector<PeerInfo> Link::Impl::peers() const {
  std::vector<PeerInfo> infos;
  infos.reserve(sessions_.size());
  for (const auto& [name, session] : sessions_) {
    infos.push_back(session->info);
  }
  return infos;
}

Stats Link::Impl::stats() const {
  Stats stats = stats_;
  stats.connections = entries_.size();
  for (const auto& [connection, entry] : entries_) {
    stats.unauthenticated += entry.stage == Stage::kCalled ? 1 : 0;
    stats.frames_sent += connection->frames_sent();
    stats.bytes_sent += connection->bytes_sent();
    stats.bytes_received += connection->bytes_received();
  }
  return stats;
}

}  // namespace turnout::link
