#pragma once

// What the group's state machines ask of the database, carried out on a session of the store: the
// one place where the words of the two meet. Each call is one statement, blocks until the database
// has answered, and says kFailed when it has not. Thread-safe as the session is: one at a time.

#include <cstdint>
#include <optional>
#include <vector>

#include "group/ledger.h"
#include "store/store.h"

namespace turnout::work {

group::LedgerRow to_group(const store::LedgerRow& row);
std::vector<store::BlockItem> to_store(const std::vector<group::Item>& items);

struct Stamped {
  group::StampResult result;
  std::int64_t catalogue = 0;  // version of the catalogue of tracks and fields; 0: no answer
};
Stamped carry_out(store::GroupSession& session, const group::StampWrite& write,
                  const store::PeerId& self);
group::StampReadResult carry_out(store::GroupSession& session, const group::StampRead& read);
group::LedgerResult carry_out(store::GroupSession& session, const group::LedgerRead& read);
group::TakeResult carry_out(store::GroupSession& session, const group::Take& take,
                            const store::PeerId& self);
group::LifeResult carry_out(store::GroupSession& session, const group::LifeProbe& probe);

// One row of the ledger; none when it does not exist or the database does not answer.
using FoundRow = std::optional<group::LedgerRow>;
FoundRow find_row(store::GroupSession& session, base::TrackId track);

}  // namespace turnout::work
