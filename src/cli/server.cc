#include "cli/server.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <prometheus/registry.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "cli/peer.h"
#include "cli/peer_host.h"
#include "cli/peer_metrics.h"
#include "group/start.h"
#include "web/server.h"

namespace turnout::cli {
namespace {

constexpr int kEnded = 0;
constexpr int kWrong = 1;
constexpr int kUnreachable = 3;
constexpr base::Duration kMetricsEvery = std::chrono::milliseconds(500);
constexpr std::chrono::milliseconds kDatabasePause{500};  // between two tries at the start
// Leaving takes M + 3 cycles at most; a person who has asked for it does not wait longer than this.
constexpr std::chrono::seconds kLongestLeave{10};

int give_up(const base::Error& error) {
  fmt::print(stderr, "error: {}\n", error.message);
  return error.code == base::ErrorCode::kInvalid ? kWrong : kUnreachable;
}

int give_up_database(const base::Error& error) {
  const int status = give_up(error);
  fmt::print(stderr,
             "    see that it is there and answers, or name another: database = \"…\" in the "
             "configuration, or TURNOUT_DATABASE\n");
  return status;
}

void set_up_log(const Config& config) {
  auto logger = spdlog::stderr_color_mt("turnout");
  logger->set_level(spdlog::level::from_str(config.log_level));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z " + config.name + " %^%l%$ %v");
  spdlog::set_default_logger(std::move(logger));
}

// The stamp that stands under this name, and whether the process that wrote it is over.
base::Result<group::PeerStamp> read_own_stamp(store::GroupSession& session,
                                              const base::PeerName& name, std::string& address,
                                              bool& over) {
  TRY(const std::vector<store::PeerStamp> stamps, session.stamps());
  for (const store::PeerStamp& stamp : stamps) {
    if (stamp.peer.name == name) {
      address = stamp.address;
      TRY(over, session.life_has_ended(stamp.peer));
      return group::PeerStamp{name, stamp.peer.incarnation, std::max<std::int64_t>(stamp.stamp, 1)};
    }
  }
  over = true;
  return group::PeerStamp{name, {}, 0};
}

// Waits until nothing lives under this name, then begins the next life of it.
base::Result<store::PeerId> begin_life(store::GroupSession& session, const Config& config) {
  const base::PeerName name(config.name);
  group::Start start(config.group.cycle, config.group.miss_limit);
  while (true) {
    const base::Tick began = base::boot_now();
    std::string address;
    bool over = false;
    TRY(const group::PeerStamp stamp, read_own_stamp(session, name, address, over));
    const group::StartVerdict verdict = start.stamp_read(stamp, over, began, base::boot_now());
    if (verdict == group::StartVerdict::kGo) {
      break;
    }
    if (verdict == group::StartVerdict::kInUse) {
      return base::fail(
          base::ErrorCode::kConflict,
          fmt::format("a peer named \"{}\" is alive{}: stop it, or give this one another name "
                      "(name = \"…\" in the configuration, or TURNOUT_NAME)",
                      config.name, address.empty() ? std::string() : " at " + address));
    }
    const base::Duration wait = start.next_read() - base::boot_now();
    std::this_thread::sleep_for(std::max(wait, base::Duration(1000)));
  }
  const std::string address = !config.group.advertise.empty() ? config.group.advertise
                              : config.group.listen.empty()   ? std::string()
                                                              : config.group.listen.front();
  TRY(const base::Incarnation incarnation, session.begin_life(name, address));
  return store::PeerId{name, incarnation};
}

web::ServerOptions web_options(const Config& config) {
  web::ServerOptions options;
  if (const auto split = parse_host_port(config.listen)) {
    options.host = split->host;
    options.port = split->port;
  }
  options.allow_remote = config.allow_remote;
  return options;
}

// Keeps the metrics up to date until the loop ends.
void keep_metrics(boost::asio::steady_timer& timer, const Peer& peer, PeerMetrics& metrics) {
  metrics.update(*peer.snapshot());
  timer.expires_after(kMetricsEvery);
  timer.async_wait([&timer, &peer, &metrics](const boost::system::error_code& error) {
    if (!error) {
      keep_metrics(timer, peer, metrics);
    }
  });
}

std::vector<std::string> webhook_names(const Config& config) {
  std::vector<std::string> names;
  names.reserve(config.webhooks.size());
  for (const auto& [name, webhook] : config.webhooks) {
    names.push_back(name);
  }
  return names;
}

// Whenever `signals` come.
void keep_credentials(boost::asio::signal_set& signals, Peer& peer,
                      const std::function<ConfigAnswer()>& reread) {
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) {
      return;
    }
    const ConfigAnswer answer = reread();
    for (const ConfigProblem& problem : answer.problems) {
      spdlog::log(problem.warning ? spdlog::level::warn : spdlog::level::err, "{}: {}; {}",
                  problem.where, problem.message, problem.remedy);
    }
    if (answer.ok()) {
      peer.renew_credentials(answer.config.group);
    } else {
      spdlog::error("the configuration has mistakes: nothing is read again");
    }
    keep_credentials(signals, peer, reread);
  });
}

// The loop, from the moment that the peer may begin until it has left.
int serve(const Config& config, const std::function<ConfigAnswer()>& reread, store::Store& store,
          work::TrackBook& book, store::PeerId self, std::unique_ptr<store::GroupSession> session) {
  boost::asio::io_context io;
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  // Where there is nothing to read again, a terminal that is closed ends its server as ever.
  boost::asio::signal_set hangups(io);
  if (!config.group.key_files.empty() || !config.group.certificate.empty()) {
    hangups.add(SIGHUP);
  }
  auto registry = std::make_shared<prometheus::Registry>();
  PeerMetrics metrics(*registry);
  Peer peer(io, config, store, book, std::move(self));
  int status = kEnded;
  peer.on_superseded([&] {
    status = kUnreachable;
    io.stop();
  });
  if (const auto started = peer.start(std::move(session)); !started) {
    return give_up(started.error());
  }
  PeerHost host(peer, peer.templates(), webhook_names(config));
  web::Server web(web_options(config), store, host, registry);
  if (const auto started = web.start(); !started) {
    return give_up(started.error());
  }
  boost::asio::steady_timer metrics_timer(io);
  boost::asio::steady_timer patience(io);
  keep_metrics(metrics_timer, peer, metrics);
  keep_credentials(hangups, peer, reread);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) {
      return;
    }
    spdlog::info("leaving the group; a second signal ends at once");
    peer.leave([&io] { io.stop(); });
    patience.expires_after(kLongestLeave);
    patience.async_wait([&io](const boost::system::error_code&) { io.stop(); });
    signals.async_wait([&io](const boost::system::error_code&, int) { io.stop(); });
  });
  fmt::print(stderr, "turnout \"{}\" answers on http://{} · {}\n", config.name, web.address(),
             store.describe());
  io.run();
  web.stop();
  return status;
}

// What a server has of the database when it begins.
struct Opened {
  std::unique_ptr<store::Store> store;
  std::unique_ptr<store::GroupSession> session;
  store::PeerId self;
};

base::Result<Opened> open_database_once(const Config& config) {
  Opened opened;
  TRY(opened.store, store::open_store(config.database));
  TRYV(opened.store->migrate());
  TRY(opened.session, opened.store->open_group_session());
  TRY(opened.self, begin_life(*opened.session, config));
  return opened;
}

// A machine's database may start after the server, or be started anew just then.
base::Result<Opened> open_database(const Config& config) {
  const base::Tick until = base::boot_now() + config.database_wait;
  std::string told;
  while (true) {
    auto opened = open_database_once(config);
    if (opened || opened.error().code != base::ErrorCode::kUnavailable ||
        base::boot_now() >= until) {
      return opened;
    }
    if (std::exchange(told, opened.error().message) != opened.error().message) {
      spdlog::warn("waits for the database, at most {:g} s: {}",
                   std::chrono::duration<double>(config.database_wait).count(), told);
    }
    std::this_thread::sleep_for(kDatabasePause);
  }
}

}  // namespace

int run_server(const Config& config, const std::function<ConfigAnswer()>& reread) {
  set_up_log(config);
  std::signal(SIGPIPE, SIG_IGN);
  auto opened = open_database(config);
  if (!opened) {
    return opened.error().code == base::ErrorCode::kConflict ? give_up(opened.error())
                                                             : give_up_database(opened.error());
  }
  work::TrackBook book(parse_published);
  return serve(config, reread, *opened.value().store, book, std::move(opened.value().self),
               std::move(opened.value().session));
}

}  // namespace turnout::cli
