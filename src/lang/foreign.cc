#include "lang/foreign.h"

#include <algorithm>
#include <span>
#include <string>

#include "base/text.h"

namespace turnout::lang {
namespace {

constexpr GoOn kAsHead = GoOn::kAsHead;
constexpr GoOn kAsWhen = GoOn::kAsWhen;
constexpr GoOn kAsStep = GoOn::kAsStep;

// ---- Where statements begin ---------------------------------------------------------------------

constexpr std::string_view kWait =
    "to wait, end the rule with go to \"Step\" after 2 days, and put what follows into that step";
constexpr std::string_view kAction = "leave it out: actions follow the head of their rule";
constexpr std::string_view kRemark = "remarks begin with #";
constexpr std::string_view kRepeat =
    "a step is done again by go to \"Step\" after 1 day, and ends by a rule above it";
constexpr std::string_view kNothing =
    "leave it out: a rule without a move goes on to the next step";
constexpr std::string_view kMost = "write as in send at most 2 emails per 7 days";

constexpr Habit kClauses[] = {
    {"trigger", "contacts come by gather contacts where …, or by gather on an event"},
    {"entry", "contacts come by gather contacts where …, or by gather on an event"},
    {"segment", "contacts come by gather contacts where …"},
    {"audience", "contacts come by gather contacts where …"},
    {"list", "contacts come by gather contacts where …"},
    {"filter", "contacts come by gather contacts where …"},
    {"select", "contacts come by gather contacts where …"},
    {"from", "contacts come by gather from \"database\" query …"},
    {"schedule", "a schedule ends the gather clause, as in gather contacts every day at 06:00"},
    {"where", "`where` stands before the schedule"},
    {"begin", "write `start`"},
    {"or", "each way in is a gather clause of its own"},
    {"exit when", "write `leave when`"},
    {"exit if", "write `leave when`"},
    {"exit on", "write `leave on`"},
    {"exit", "write `leave`"},
    {"unenroll", "write as in leave when plan is \"pro\""},
    {"end when", "write `leave when`"},
    {"stop when", "write `leave when`"},
    {"stop if", "write `leave when`"},
    {"goal", "write as in leave when plan is \"pro\" as \"converted\""},
    {"conversion", "write as in leave when plan is \"pro\" as \"converted\""},
    {"reenter", "write `enter again`"},
    {"timezone", "write `time zone`"},
    {"tz", "write `time zone`"},
    {"max", kMost},
    {"maximum", kMost},
    {"limit", kMost},
    {"cap", kMost},
    {"send only", "days and hours without messages are written quiet on saturday, sunday"},
    {"no emails", "days and hours without messages are written quiet on saturday, sunday"},
    {"name", "the name stands behind `track`"},
    {"title", "the name stands behind `track`"},
    {"description", "write `about`"},
    {"desc", "write `about`"},
    {"control", "write as in hold out 5% as \"control\""},
    {"holdout", "write `hold out`"},
    {"note", kRemark},
    {"todo", kRemark},
    {"remark", kRemark},
    {"import", "a track is whole in its file"},
    {"include", "a track is whole in its file"},
    {"state", "write `step`", kAsStep},
    {"stage", "write `step`", kAsStep},
    {"node", "write `step`", kAsStep},
    {"block", "write `step`", kAsStep},
    {"task", "write `step`", kAsStep},
    {"def", "write `step`", kAsStep},
    {"func", "write `step`", kAsStep},
    {"function", "write `step`", kAsStep},
};

constexpr Habit kStatements[] = {
    {"if not", "write `when not`", kAsWhen},
    {"if", "write `when`", kAsWhen},
    {"unless", "write `when not`", kAsWhen},
    {"whenever", "write `when`", kAsWhen},
    {"where", "write `when`", kAsWhen},
    {"while", "write `when`", kAsWhen},
    {"case", "each case is a rule of its own, as in when plan is \"trial\":", kAsHead},
    {"else if", "write `when`", kAsWhen},
    {"elseif", "write `when`", kAsWhen},
    {"elif", "write `when`", kAsWhen},
    {"elsif", "write `when`", kAsWhen},
    {"or when", "write `when`", kAsWhen},
    {"or if", "write `when`", kAsWhen},
    {"and when", "conditions are joined by `and` before the colon", kAsHead},
    {"else", "write `otherwise:`", kAsHead},
    {"default", "write `otherwise:`", kAsHead},
    {"switch", "each case is a rule of its own, as in when plan is \"trial\":"},
    {"or", "conditions are joined by `or` before the colon"},
    {"and", "conditions are joined by `and` before the colon"},
    {"until", kRepeat},
    {"repeat", kRepeat},
    {"loop", kRepeat},
    {"do", kAction},
    {"then", kAction},
    {"goto", "write `go to`"},
    {"goes", "write `go`"},
    {"jump", "write `go to`"},
    {"move", "write `go to`"},
    {"proceed", "write `go to`"},
    {"redirect", "write `go to`"},
    {"continue to", "write `go to`"},
    {"skip to", "write `go to`"},
    {"continue", kNothing},
    {"skip", kNothing},
    {"pass", kNothing},
    {"next", kNothing},
    {"nothing", kNothing},
    {"wait", kWait},
    {"delay", kWait},
    {"pause", kWait},
    {"sleep", kWait},
    {"in", "to wait write `after 2 days`"},
    {"email", "write `send email`"},
    {"mail", "write `send email`"},
    {"notify", "write as in send email \"welcome\" to \"sales@example.com\""},
    {"untag", "write `remove tag`"},
    {"tag", "write `add tag`"},
    {"webhook", "write `call webhook`"},
    {"post", "write as in call webhook \"sales\""},
    {"get", "write as in call webhook \"sales\""},
    {"fetch", "write as in call webhook \"sales\""},
    {"request", "write as in call webhook \"sales\""},
    {"execute", "write as in run on \"crm\" \"\"\"update …\"\"\""},
    {"sql", "write as in run on \"crm\" \"\"\"update …\"\"\""},
    {"let", "write as in set stage to \"active\""},
    {"var", "write as in set stage to \"active\""},
    {"const", "write as in set stage to \"active\""},
    {"update", "write as in set stage to \"active\""},
    {"assign", "write as in set stage to \"active\""},
    {"unset", "write `clear`"},
    {"delete", "write `clear`"},
    {"erase", "write `clear`"},
    {"increment", "write `increase`"},
    {"decrement", "write `decrease`"},
    {"track event", "write `record event`"},
    {"log", "write `record event`"},
    {"exit", "write `stop`"},
    {"end", "write `stop`, or take it out: a rule ends where the next begins"},
    {"finish", "write `stop`"},
    {"done", "write `stop`"},
    {"quit", "write `stop`"},
    {"return", "write `stop`"},
    {"break", "write `stop`"},
    {"remark", kRemark},
    {"note", kRemark},
    {"todo", kRemark},
    {"state", "write `step`", kAsStep},
    {"node", "write `step`", kAsStep},
    {"block", "write `step`", kAsStep},
    {"def", "write `step`", kAsStep},
    {"func", "write `step`", kAsStep},
    {"function", "write `step`", kAsStep},
};

constexpr Habit kTests[] = {
    {"wait", "write `after`"},         {"when", "write `after` to let time pass, or `event`"},
    {"then expect", "write `expect`"}, {"and expect", "write `expect`"},
    {"and given", "write `given`"},    {"then", "write `expect`"},
    {"assert", "write `expect`"},      {"should", "write `expect`"},
    {"set", "write `given`"},          {"with", "write `given`"},
    {"if", "write `given`"},
};

// ---- In conditions ------------------------------------------------------------------------------

constexpr std::string_view kIsOneOf = "write `is one of`";
constexpr std::string_view kPattern =
    "write contains, starts with or ends with, without the %, or matches a regular expression";
constexpr std::string_view kMoreThan = "write `more than`";
constexpr std::string_view kLessThan = "write `less than`";
constexpr std::string_view kOneOf = "write `one of`";
constexpr std::string_view kAgo = "write as in is more than 30 days ago";
constexpr std::string_view kYounger = "write as in is less than 30 days ago";

constexpr Habit kComparisons[] = {
    {"equals", "write `is`"},
    {"equal", "write `is`"},
    {"eq", "write `is`"},
    {"are", "write `is`"},
    {"was", "write `is`"},
    {"were", "write `is`"},
    {"isnt", "write `is not`"},
    {"ne", "write `is not`"},
    {"not in", "write `is not one of`"},
    {"not like", kPattern},
    {"not ilike", kPattern},
    {"not between", "write `is not between`"},
    {"not contains", "write `does not contain`"},
    {"not", "write `is not`"},
    {"in", kIsOneOf},
    {"one of", kIsOneOf},
    {"any of", kIsOneOf},
    {"between", "write `is between`"},
    {"contain", "write `contains`"},
    {"include", "write `contains`"},
    {"includes", "write `contains`"},
    {"has", "write `contains`"},
    {"like", kPattern},
    {"ilike", kPattern},
    {"rlike", "write `matches`"},
    {"regexp", "write `matches`"},
    {"match", "write `matches`"},
    {"start with", "write `starts with`"},
    {"begins with", "write `starts with`"},
    {"begins", "write `starts with`"},
    {"end with", "write `ends with`"},
    {"exists", "write `is present`"},
    {"exist", "write `is present`"},
    {"missing", "write `is missing`"},
    {"present", "write `is present`"},
    {"at least", "write `is at least`"},
    {"at most", "write `is at most`"},
    {"more than", "write `is more than`"},
    {"less than", "write `is less than`"},
    {"greater than", "write `is more than`"},
    {"exceeds", "write `is more than`"},
    {"over", "write `is more than`"},
    {"above", "write `is more than`"},
    {"under", "write `is less than`"},
    {"below", "write `is less than`"},
    {"gt", "write `is more than`"},
    {"gte", "write `is at least`"},
    {"lt", "write `is less than`"},
    {"lte", "write `is at most`"},
    {"before", "write `is before`"},
    {"after", "write `is after`"},
    {"within", "write `is within`"},
};

constexpr Habit kBehindIs[] = {
    {"in", kOneOf},
    {"any of", kOneOf},
    {"either", "write `one of`, and commas between the values"},
    {"equal to", "leave them out: `is` alone means equal"},
    {"equal", "`is` alone means equal"},
    {"equals", "`is` alone means equal"},
    {"like", kPattern},
    {"exactly", "take it out: `is` alone means equal"},
    {"greater than", kMoreThan},
    {"larger than", kMoreThan},
    {"bigger than", kMoreThan},
    {"higher than", kMoreThan},
    {"later than", "write `after`"},
    {"older than", kAgo},
    {"newer than", kYounger},
    {"younger than", kYounger},
    {"smaller than", kLessThan},
    {"lower than", kLessThan},
    {"fewer than", kLessThan},
    {"earlier than", "write `before`"},
    {"over", kMoreThan},
    {"above", kMoreThan},
    {"under", kLessThan},
    {"below", kLessThan},
    {"minimum", "write `at least`"},
    {"min", "write `at least`"},
    {"maximum", "write `at most`"},
    {"max", "write `at most`"},
    {"set", "write `present`"},
};

constexpr std::string_view kEvent = "write as in did \"email.opened\"";
constexpr std::string_view kNames = "each comparison names its field, as in plan is not \"pro\"";

constexpr Habit kConditions[] = {
    {"opened", kEvent},
    {"opened email", kEvent},
    {"clicked", kEvent},
    {"clicked email", kEvent},
    {"received", kEvent},
    {"bought", kEvent},
    {"visited", kEvent},
    {"event", kEvent},
    {"email", kEvent},
    {"has opened", kEvent},
    {"has clicked", kEvent},
    {"has received", kEvent},
    {"has bought", kEvent},
    {"has done", kEvent},
    {"has not", "write `not` before `has`"},
    {"tagged", "write `has tag`"},
    {"tag", "write `has tag`"},
    {"is tagged", "write `has tag`"},
    {"is not", kNames},
    {"is", kNames},
    {"contains", kNames},
    {"starts", kNames},
    {"ends", kNames},
    {"matches", kNames},
    {"more", "5 or more is written is at least 5"},
    {"less", "5 or less is written is at most 5"},
    {"does not", "write as in not has tag \"vip\", or name a field first"},
    {"when", "one `when` begins the rule"},
};

// What is no field, alone where one stands.
constexpr Habit kFields[] = {
    {"yes", "write `true`"},
    {"no", "write `false`"},
    {"opened", kEvent},
    {"clicked", kEvent},
    {"bounced", "write as in did \"email.bounced\""},
    {"unsubscribed", kEvent},
    {"tag", "write as in has tag \"vip\""},
    {"tags", "write as in has tag \"vip\""},
    {"tomorrow", "write as in is within the next 1 day"},
    {"yesterday", "write as in is within the last 1 day"},
};

constexpr std::string_view kMissing[] = {"blank", "empty",   "nan",       "nil",    "none",
                                         "null",  "nothing", "undefined", "unknown"};
constexpr std::string_view kPresent[] = {"any",   "anything",  "available", "defined", "filled",
                                         "known", "something", "populated", "nonempty"};

constexpr Habit kDids[] = {
    {"open", "write \"email.opened\""},
    {"opened", "write \"email.opened\""},
    {"click", "write \"email.clicked\""},
    {"clicked", "write \"email.clicked\""},
    {"event", "take it out"},
};

constexpr std::string_view kNoBrackets = "nothing stands in brackets here";

// The name of a function, behind the last dot.
constexpr Habit kCalls[] = {
    {"now", "`now` stands without brackets"},
    {"today", "`today` stands without brackets"},
    {"getdate", "write `now`"},
    {"exists", "write as in email is present"},
    {"isset", "write as in email is present"},
    {"isnull", "write as in email is missing"},
    {"isempty", "write as in email is missing"},
    {"startswith", "write as in plan starts with \"a\""},
    {"endswith", "write as in plan ends with \"a\""},
    {"includes", "write as in plan contains \"a\""},
    {"contains", "write as in plan contains \"a\""},
    {"match", "write as in plan matches \"^a\""},
    {"test", "write as in plan matches \"^a\""},
    {"send", kNoBrackets},
    {"email", kNoBrackets},
    {"webhook", kNoBrackets},
    {"call", kNoBrackets},
    {"tag", kNoBrackets},
    {"set", kNoBrackets},
    {"to", kNoBrackets},
    {"of", "the values stand without brackets"},
};

constexpr Habit kContractions[] = {
    {"isnt", "write `is not`"},
    {"arent", "write `is not`"},
    {"wasnt", "write `is not`"},
    {"re-enter", "write `enter again`"},
    {"doesnt", "write as in does not contain \"x\", or not has tag \"vip\""},
    {"hasnt", "write as in not has tag \"vip\", or is missing"},
    {"havent", "write as in not has tag \"vip\", or is missing"},
    {"didnt", "write `did not do`"},
    {"dont", "days and hours without messages are written quiet on saturday, sunday"},
};

// ---- In clauses ---------------------------------------------------------------------------------

constexpr Habit kGathers[] = {
    {"contact", "write `contacts`"},
    {"everybody", "write `contacts`"},
    {"everyone", "write `contacts`"},
    {"all", "write `contacts`"},
    {"people", "write `contacts`"},
    {"users", "write `contacts`"},
    {"customers", "write `contacts`"},
    {"leads", "write `contacts`"},
    {"subscribers", "write `contacts`"},
    {"where", "write `contacts where`"},
    {"when", "write `on`"},
    {"event", "write `on`"},
    {"query", "write `from` and the name of a database before it"},
};

constexpr Habit kSchedules[] = {
    {"if", "write `where`"},
    {"when", "write `where`"},
    {"with", "write `where`"},
    {"whose", "write `where`"},
    {"who", "write `where`"},
    {"that", "write `where`"},
    {"having", "write `where`"},
    {"daily", "write `every day`"},
    {"hourly", "write `every 1 hour`"},
    {"weekly", "write `every monday`"},
    {"monthly", "write `every month on day 1`"},
    {"each", "write `every`"},
    {"on", "write `every`"},
    {"cron", "write as in every weekday at 09:00, or rrule and a recurrence rule"},
    {"always", "write `continuously`"},
    {"immediately", "write `continuously`"},
    {"instantly", "write `continuously`"},
    {"live", "write `continuously`"},
    {"continuous", "write `continuously`"},
    {"start", "the schedule stands before `start at`"},
    {"for", "the schedule stands before `for each`"},
};

constexpr Habit kEnters[] = {
    {"after", "write `again after`"},
    {"always", "write `every time`"},
    {"only once", "write `once`"},
    {"multiple", "write `every time`"},
    {"one", "write `once`"},
    {"on", "contacts come by gather on an event"},
    {"when", "contacts come by gather contacts where …"},
    {"if", "contacts come by gather contacts where …"},
};

constexpr Habit kLeaves[] = {
    {"if", "write `when`"},
    {"track when", "write `when`"},
    {"track if", "write `when`"},
    {"track on", "write `on`"},
    {"track", "write as in leave when plan is \"pro\""},
    {"as", "the outcome stands last, as in leave when plan is \"pro\" as \"converted\""},
    {"after", "time on the track is asked for as in leave when entry.due_on is before today"},
};

constexpr Habit kQuiets[] = {
    {"hours from", "write `from`"},
    {"time from", "write `from`"},
    {"between", "write as in quiet from 21:00 to 08:00"},
    {"hours", "write as in quiet from 21:00 to 08:00"},
    {"after", "write as in quiet from 21:00 to 08:00"},
    {"weekends", "write `on saturday, sunday`"},
};

// ---- Numbers, days and times --------------------------------------------------------------------

constexpr Habit kArms[] = {
    {"half", "write 50%"},
    {"quarter", "write 25%"},
    {"as", "the percentage stands first, as in hold out 5% as \"control\""},
    {"each", "a gather clause has `for each`; a rule cannot"},
    {"every", "a gather clause has `for each`; a rule cannot"},
};

constexpr Habit kDayNames[] = {
    {"weekend", "write `saturday, sunday`"},
    {"weekends", "write `saturday, sunday`"},
    {"weekday", "write `weekdays`"},
    {"workdays", "write `weekdays`"},
    {"mondays", "write `monday`"},
    {"tuesdays", "write `tuesday`"},
    {"wednesdays", "write `wednesday`"},
    {"thursdays", "write `thursday`"},
    {"fridays", "write `friday`"},
    {"saturdays", "write `saturday`"},
    {"sundays", "write `sunday`"},
    {"mon", "write `monday`"},
    {"tue", "write `tuesday`"},
    {"wed", "write `wednesday`"},
    {"thu", "write `thursday`"},
    {"fri", "write `friday`"},
    {"sat", "write `saturday`"},
    {"sun", "write `sunday`"},
};

constexpr Habit kDurations[] = {
    {"a", "write `1`"},       {"an", "write `1`"},    {"one", "write `1`"},
    {"two", "write `2`"},     {"three", "write `3`"}, {"four", "write `4`"},
    {"five", "write `5`"},    {"six", "write `6`"},   {"seven", "write `7`"},
    {"eight", "write `8`"},   {"nine", "write `9`"},  {"ten", "write `10`"},
    {"twelve", "write `12`"}, {"the", "take it out"}, {"about", "take it out"},
    {"another", "write `1`"},
};

constexpr std::string_view kWorkingDay =
    "days are counted by the calendar; after 2 days at 09:00 on weekdays ends on a working day";

constexpr Habit kUnitWords[] = {
    {"business", kWorkingDay},
    {"working", kWorkingDay},
    {"work", kWorkingDay},
};

constexpr Habit kTimes[] = {
    {"noon", "write `12:00`"},
    {"midday", "write `12:00`"},
    {"midnight", "write `00:00`"},
};

// ---- Single words -------------------------------------------------------------------------------

constexpr Habit kGoTos[] = {
    {"step", "take it out"},
    {"the", "take it out"},
    {"track", "another track is begun by put on track \"…\""},
    {"end", "to end here write stop"},
};

constexpr Habit kRules[] = {
    {"then", "write `:`"},
    {"do", "write `:`"},
    {"if", "a rule has one head; with a condition it is written `when`"},
    {"or", "another condition is a rule of its own"},
    {"but", "write `and`"},
};

constexpr std::string_view kContact = "a contact's field stands alone";
constexpr std::string_view kProperty = "the properties of an event stand behind `event.`";

constexpr Habit kScopes[] = {
    {"contact", kContact},    {"contacts", kContact},    {"customer", kContact},
    {"lead", kContact},       {"person", kContact},      {"self", kContact},
    {"subscriber", kContact}, {"this", kContact},        {"user", kContact},
    {"data", kProperty},      {"params", kProperty},     {"payload", kProperty},
    {"props", kProperty},     {"properties", kProperty},
};

constexpr Habit kFillers[] = {
    {"a", "take it out"},     {"an", "take it out"},     {"the", "take it out"},
    {"my", "take it out"},    {"our", "take it out"},    {"this", "take it out"},
    {"back", "take it out"},  {"only", "take it out"},   {"new", "take it out"},
    {"their", "take it out"}, {"please", "take it out"}, {"directly", "take it out"},
};

constexpr Habit kWords[] = {
    {"email mail", "write `email`"},
    {"email emails", "write `email`"},
    {"email message", "write `email`"},
    {"email newsletter", "write `email`"},
    {"email template", "write `email`"},
    {"webhook hook", "write `webhook`"},
    {"webhook url", "write `webhook`"},
    {"webhook api", "write `webhook`"},
    {"tag to", "lists are tags, as in add tag \"newsletter\""},
    {"tag from", "lists are tags, as in remove tag \"newsletter\""},
    {"at with", "write `at`"},
    {"at from", "write `at`"},
    {"at on", "write `at`"},
    {"off from", "write `off`"},
    {"on in", "write `on`"},
    {"on into", "write `on`"},
    {"on to", "write `on`"},
    {"on onto", "write `on`"},
    {"to as", "write `to`"},
    {"by with", "write `by`"},
    {"out back", "write `out`"},
    {"per a", "write per 1"},
};

std::span<const Habit> habits_of(Place place) {
  switch (place) {
    case Place::kArm:
      return kArms;
    case Place::kCall:
      return kCalls;
    case Place::kClause:
      return kClauses;
    case Place::kComparison:
      return kComparisons;
    case Place::kCondition:
      return kConditions;
    case Place::kContraction:
      return kContractions;
    case Place::kDays:
      return kDayNames;
    case Place::kDid:
      return kDids;
    case Place::kDuration:
      return kDurations;
    case Place::kEnter:
      return kEnters;
    case Place::kField:
      return kFields;
    case Place::kFiller:
      return kFillers;
    case Place::kGather:
      return kGathers;
    case Place::kGoTo:
      return kGoTos;
    case Place::kIs:
      return kBehindIs;
    case Place::kLeave:
      return kLeaves;
    case Place::kQuiet:
      return kQuiets;
    case Place::kRule:
      return kRules;
    case Place::kSchedule:
      return kSchedules;
    case Place::kScope:
      return kScopes;
    case Place::kStatement:
      return kStatements;
    case Place::kTest:
      return kTests;
    case Place::kTime:
      return kTimes;
    case Place::kUnit:
      return kUnitWords;
    case Place::kWord:
      return kWords;
  }
  return {};
}

bool is_listed(std::span<const std::string_view> words, std::string_view word) {
  return std::any_of(words.begin(), words.end(), [word](std::string_view listed) {
    return base::equals_ignoring_case(listed, word);
  });
}

}  // namespace

const Habit* find_habit(Place place, std::string_view word, std::string_view next) {
  const std::span<const Habit> habits = habits_of(place);
  const auto find = [habits](std::string_view words) {
    const auto found = std::find_if(habits.begin(), habits.end(), [words](const Habit& habit) {
      return base::equals_ignoring_case(habit.words, words);
    });
    return found == habits.end() ? nullptr : &*found;
  };
  constexpr std::size_t kLongest = 30;
  if (word.size() > kLongest) {
    return nullptr;
  }
  if (!next.empty() && next.size() <= kLongest) {
    if (const Habit* both = find(std::string(word) + " " + std::string(next))) {
      return both;
    }
  }
  return find(word);
}

bool means_missing(std::string_view word) { return is_listed(kMissing, word); }
bool means_present(std::string_view word) { return is_listed(kPresent, word); }

}  // namespace turnout::lang
