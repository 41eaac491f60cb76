#pragma once

// The text of the column `change.what`, payloads of outbox rows, and how changes are folded: the
// same in both databases.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/types.h"

namespace turnout::store::sql {

// {"fields":[…],"tags":[…],"places":[…]}. Appended to `out`, which is cleared first.
void change_json(const std::vector<std::string_view>& fields,
                 const std::vector<std::string_view>& tags,
                 const std::vector<std::string_view>& places, std::string& out);
// {"events":[[name,number],…]}.
std::string events_json(const std::vector<std::pair<std::string, std::int64_t>>& events);
// The other way round, of both. CHECKs that it is such a text: nobody but us writes it.
void parse_change_json(const std::string& what, Change& change);
// Adds a change, folded into the last one where that is of the same contact and by the same track.
void append_change(std::vector<Change>& changes, Change change);

// The elements of a JSON array as they stand in its text; those that are null are empty. `array` is
// well-formed: it was written by room decide.
void split_json_array(std::string_view array, std::vector<std::string_view>& elements);

// The text as a JSON string, in quotes, appended.
void append_json_string(std::string_view text, std::string& out);

// What a block adds to the tally: (step, rule) → times, with the net changes under kTallyNet, zeros
// left out. `moved` says per shape how many rows really moved that way.
std::map<std::pair<std::int32_t, std::int32_t>, std::int64_t> tally_of(
    const std::vector<track::Shape>& shapes, const std::vector<std::int64_t>& moved);

inline constexpr std::size_t kMaxImportRows = 5000;

// kInvalid when the batch cannot be imported, whatever is in the database: too many rows, an empty
// key, a field that may not be written. CHECKs that its columns are as long as its keys.
base::Result<void> check_batch(const ContactBatch& batch);

// Of rows of a batch with the same key the last counts: 1 for rows that count, 0 for the others.
std::vector<std::uint8_t> last_of_each_key(const ContactBatch& batch);

}  // namespace turnout::store::sql
