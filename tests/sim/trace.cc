#include "sim/trace.h"

#include <algorithm>
#include <vector>

#include "sim/describe.h"

namespace turnout::sim {
namespace {

std::string ms(Duration time) { return std::to_string(time.count() / 1000) + " ms"; }

}  // namespace

void Trace::on_notice(const Host& host, const group::Notice& notice) {
  add(events_, kKept, host.name().get() + "  " + describe(notice));
}

void Trace::on_ask(const Host& host, const std::string& what) {
  add(events_, kKept, host.name().get() + "  asks to " + what);
}

void Trace::on_fault(const std::string& what) { add(events_, kKept, "*  " + what); }

void Trace::on_send(const Host& host, const PeerName& to, const Message& message) {
  std::string what;
  if (const auto* const m = std::get_if<group::BlockMessage>(&message)) {
    what = "hands block " + std::to_string(m->block->id) + "/" + std::to_string(m->attempt) +
           " of track " + std::to_string(m->block->track.get()) + " to " + to.get() + ", serial " +
           std::to_string(m->session) + "." + std::to_string(m->serial);
  } else if (const auto* const r = std::get_if<group::BlockReport>(&message)) {
    what = "reports block " + std::to_string(r->block) + " to " + to.get();
  } else if (const auto* const g = std::get_if<group::CreditGrant>(&message)) {
    what = "grants " + to.get() + " " + std::to_string(g->credit.window.bulk) + "/" +
           std::to_string(g->credit.window.single) + " number " + std::to_string(g->credit.number) +
           " received " + std::to_string(g->credit.received_bulk) + "/" +
           std::to_string(g->credit.received_single);
  } else {
    return;
  }
  add(exchanges_, kExchangesKept, host.name().get() + "  " + what);
}

void Trace::add(std::deque<Line>& lines, std::size_t kept, const std::string& what) {
  lines.push_back({++number_, std::to_string(world_.now().us / 1000) + "  " + what});
  if (lines.size() > kept) {
    lines.pop_front();
  }
}

std::string Trace::group() const {
  const WorldConfig& config = world_.config();
  return std::to_string(config.peers.size()) + " peers, M " + std::to_string(config.miss_limit) +
         ", K " + std::to_string(config.claim_counter) + ", " + std::to_string(config.tracks) +
         " tracks, " + std::to_string(config.contacts) + " contacts that change every " +
         std::to_string(config.change_every) + "/20 cycles, slots " +
         std::to_string(config.slots.bulk) + "/" + std::to_string(config.slots.single) +
         ", clocks within " + std::to_string(config.drift_ppm) + " ppm, latency " +
         ms(config.latency) + " + " + ms(config.jitter) + ", database " +
         ms(config.database_latency) + ", blocks " + ms(config.block_time) + ", cuts " +
         ms(config.cut_time) + " of " + std::to_string(config.cut_size);
}

std::string Trace::text() const {
  std::vector<Line> all(events_.begin(), events_.end());
  all.insert(all.end(), exchanges_.begin(), exchanges_.end());
  std::sort(all.begin(), all.end(),
            [](const Line& a, const Line& b) { return a.number < b.number; });
  std::string text = group() + '\n';
  for (const Line& line : all) {
    text += line.text + '\n';
  }
  return text;
}

}  // namespace turnout::sim
