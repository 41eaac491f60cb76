#include "edit/follow.h"

#include <array>

#include "base/text.h"

namespace turnout::edit {
namespace {

constexpr std::string_view kTests = "has tag|did|did not do|on track|in arm|not";

constexpr std::array kFollows = {
    Follow{"when", kTests, true},
    Follow{"leave when", "no longer gathered|has tag|did|did not do|on track|in arm|not", true},
    Follow{"where", kTests, true},
    Follow{"and", kTests, true},
    Follow{"or", kTests, true},
    Follow{"not", kTests, true},
    Follow{"is",
           "not|missing|present|one of|at least|at most|more than|less than|between|before|after|"
           "within the last|within the next|the anniversary of|true|false|now|today",
           true},
    Follow{"is not",
           "missing|present|one of|at least|at most|more than|less than|between|before|after|"
           "within the last|within the next|the anniversary of|true|false|now|today",
           true},
    Follow{"did not", "do"},
    Follow{"does", "not"},
    Follow{"does not", "contain|match|start with|end with"},
    Follow{"starts", "with"},
    Follow{"ends", "with"},
    Follow{"start", "at|with"},
    Follow{"end", "with"},
    Follow{"contains", kValues, true},
    Follow{"contain", kValues, true},
    Follow{"starts with", "", true},
    Follow{"ends with", "", true},
    Follow{"start with", "", true},
    Follow{"end with", "", true},
    Follow{"is at", "least|most"},
    Follow{"not at", "least|most"},
    Follow{"send at", "most"},
    Follow{"at least", kValues, true},
    Follow{"at most", kValues, true},
    Follow{"more", "than"},
    Follow{"less", "than"},
    Follow{"than", kValues, true},
    Follow{"between", kValues, true},
    Follow{"is before", kValues, true},
    Follow{"is after", kValues, true},
    Follow{"not before", kValues, true},
    Follow{"not after", kValues, true},
    Follow{"before", "", true},
    Follow{"after", "", true},
    Follow{"within", "the last|the next"},
    Follow{"within the", "last|next"},
    Follow{"the", "last|next|anniversary of"},
    Follow{"anniversary", "of"},
    Follow{"one", "of"},
    Follow{"of", kValues, true},
    Follow{"has", "tag"},
    Follow{"in", "arm", true},
    Follow{"on", "track|step|weekdays|monday|tuesday|wednesday|thursday|friday|saturday|sunday"},
    Follow{"month on", "day"},
    Follow{"run on", ""},
    Follow{"put on", "track"},
    Follow{"expect on", "step"},
    Follow{"since", "entering|step"},
    Follow{"ago", kJoins},
    Follow{"from now", kJoins},
    Follow{"missing", kJoins},
    Follow{"present", kJoins},
    Follow{"true", kJoins},
    Follow{"false", kJoins},
    Follow{"now", kJoins},
    Follow{"today", kJoins},
    Follow{"gather", "contacts|from|on"},
    Follow{"contacts", "where|continuously|once at|every|rrule"},
    Follow{"every",
           "day|weekday|month on day|monday|tuesday|wednesday|thursday|friday|saturday|sunday"},
    Follow{"every day", "at"},
    Follow{"every weekday", "at"},
    Follow{"every month", "on day"},
    Follow{"check", "every"},
    Follow{"enter every", "time"},
    Follow{"check every", ""},
    Follow{"once", "at"},
    Follow{"enter once", ""},
    Follow{"enter", "once|again after|every time"},
    Follow{"again", "after"},
    Follow{"leave", "when|when no longer gathered|on"},
    Follow{"no", "longer gathered|email|webhook|event|tag"},
    Follow{"no longer", "gathered"},
    Follow{"hold", "out"},
    Follow{"send", "email|at most"},
    Follow{"quiet", "from|on"},
    Follow{"time", "zone"},
    Follow{"zone", "of"},
    Follow{"zone of", "", true},
    Follow{"look", "up from"},
    Follow{"look up", "from"},
    Follow{"call", "webhook"},
    Follow{"run", "on"},
    Follow{"set", "", true},
    Follow{"clear", "", true},
    Follow{"increase", "", true},
    Follow{"decrease", "", true},
    Follow{"by", "", true},
    Follow{"each", "", true},
    Follow{"to", kValues, true},
    Follow{"go to", ""},
    Follow{"add", "tag"},
    Follow{"remove", "tag"},
    Follow{"record", "event"},
    Follow{"put", "on track"},
    Follow{"take", "off track"},
    Follow{"off", "track"},
    Follow{"go", "to"},
    Follow{"stop", "as"},
    Follow{"stopped", "as"},
    Follow{"stay", "for"},
    Follow{"for", "each"},
    Follow{"given", "tag|no tag|on track|not on track", true},
    Follow{"given no", "tag"},
    Follow{"given not", "on track"},
    Follow{"not on", "track"},
    Follow{"given on", "track"},
    Follow{"expect", "email|webhook|event|tag|no|on step|stopped|stopped as", true},
    Follow{"emails", "per"},
    Follow{"messages", "per"}};

bool says(std::string_view key, std::string_view second_last, std::string_view last) {
  const std::size_t space = key.find(' ');
  return space == std::string_view::npos
             ? base::equals_ignoring_case(key, last)
             : base::equals_ignoring_case(key.substr(space + 1), last) &&
                   base::equals_ignoring_case(key.substr(0, space), second_last);
}

}  // namespace

const Follow* follow(std::string_view second_last, std::string_view last) {
  const Follow* found = nullptr;
  for (const Follow& entry : kFollows) {
    const bool two = entry.before.find(' ') != std::string_view::npos;
    if ((two || found == nullptr) && says(entry.before, second_last, last)) {
      found = &entry;
    }
  }
  return found;
}

std::span<const Follow> all_follows() { return kFollows; }

}  // namespace turnout::edit
