#include "edit/keywords.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace turnout::edit {
namespace {

constexpr std::string_view kUnit = "a unit of time; days and longer are days of the calendar";
constexpr std::string_view kDay = "a day of the week, in the contact's time zone";

constexpr std::array kKeywords = {
    Keyword{"about", "`about \"…\"`: what the track or the step is for, in words"},
    Keyword{"add", "`add tag \"…\"`: gives the contact a tag"},
    Keyword{"after",
            "`after 2 days:` is met so long after the step opened; `go to … after 2 days` waits on "
            "the next step; `is after` compares times"},
    Keyword{"again", "`enter again after 90 days`: a contact may come back when so long is over"},
    Keyword{"ago", "`is more than 3 days ago`: compares a time with now"},
    Keyword{"and", "both conditions hold; binds closer than `or`"},
    Keyword{"anniversary", "`is the anniversary of …`: same month and day, in whatever year"},
    Keyword{"arm", "`in arm \"…\"`: the contact fell into that share of a `for N%` rule"},
    Keyword{"as",
            "names an outcome (`stop as`, `leave … as`), an arm (`for 50% as`) or those held "
            "out"},
    Keyword{"at",
            "`at least`, `at most` compare; `at 09:00` is a time of day; `start at`, `on track … "
            "at` name a step"},
    Keyword{"before",
            "`is before …` compares times; `go to … 7 days before FIELD` follows a field"},
    Keyword{"between", "`is between A and B`: at least A and at most B"},
    Keyword{"by", "`increase FIELD by 1`: how much"},
    Keyword{"call", "`call webhook \"…\" [with { … }]`: calls a webhook"},
    Keyword{"check", "`check every 1 hour`: tests the step's rules also when nothing changed"},
    Keyword{"clear", "`clear FIELD`: the field has no value any more"},
    Keyword{"contacts", "`gather contacts [where …]`: contacts for whom a condition holds"},
    Keyword{"contain", "`does not contain`: the text is no part of it"},
    Keyword{"contains", "the text is part of it; upper and lower case differ"},
    Keyword{"continuously", "gathers a contact as soon as the condition holds"},
    Keyword{"day", kUnit},
    Keyword{"days", kUnit},
    Keyword{"decrease", "`decrease FIELD by …`: takes from a number, or from a time"},
    Keyword{"did", "`did \"event\"`: an event has come for the contact"},
    Keyword{"do", "`did not do \"event\"`: no such event has come"},
    Keyword{"does", "`does not contain`, `does not start with`, `does not match` …"},
    Keyword{"each", "`for each FIELD`: once on the track for each value of the field"},
    Keyword{"email", "`send email \"template\"`: sends the template to the contact"},
    Keyword{"emails", "what `send at most` counts"},
    Keyword{"end", "`does not end with`: the text has another end"},
    Keyword{"ends", "`ends with`: the text has that end"},
    Keyword{"enter",
            "`enter once | again after DURATION | every time`: how often a contact may "
            "come on the track"},
    Keyword{"entering", "`since entering`: since the contact came on the track"},
    Keyword{"event", "`record event \"…\"` makes one; in a test `event \"…\"` sends one"},
    Keyword{"every", "`every 15 minutes`, `every weekday at 09:00`: at each turn"},
    Keyword{"expect", "`expect …`: what a test wants to see since its clock was moved last"},
    Keyword{"false", "the boolean value"},
    Keyword{"for",
            "`for 50% as \"arm\":` takes a share of the contacts; `stay for`, `hold out … "
            "for` say how long"},
    Keyword{"friday", kDay},
    Keyword{"from", "`gather from`, `look up from` name a database; `quiet from … to …` hours"},
    Keyword{"gather",
            "who comes on the track: `contacts`, rows `from` a database, or `on` an "
            "event"},
    Keyword{"gathered", "`leave when no longer gathered`: when the query finds them no more"},
    Keyword{
        "given",
        "`given FIELD is …`: the fields that a test's contact has, its tags, its places on tracks"},
    Keyword{"go", "`go to \"step\"`: moves the contact, at once or later"},
    Keyword{"has", "`has tag \"…\"`: the contact has that tag"},
    Keyword{"hold",
            "`hold out 5% as \"control\"`: a share that is gathered and left alone, to "
            "compare with"},
    Keyword{"hour", kUnit},
    Keyword{"hours", kUnit},
    Keyword{"in",
            "`in arm \"…\"` asks for a share; `quiet … in FIELD` names the field with the "
            "time zone"},
    Keyword{"increase", "`increase FIELD by …`: adds to a number, or to a time"},
    Keyword{"is", "compares; a comparison with a missing value does not hold"},
    Keyword{"last", "`within the last 3 days`: from then up to now"},
    Keyword{"least", "`at least`: that much or more"},
    Keyword{"leave",
            "`leave when …`, `leave on \"event\"`: takes the contact off the track from "
            "wherever it is"},
    Keyword{"less", "`is less than`: smaller, or a time nearer than so long"},
    Keyword{"longer", "`leave when no longer gathered`"},
    Keyword{"look",
            "`look up from \"database\" query \"…\"`: reads `row.…` before the step's rules "
            "are tested"},
    Keyword{"match", "`does not match`: the regular expression is found nowhere in it"},
    Keyword{"matches", "the regular expression (RE2) is found somewhere in it"},
    Keyword{"messages", "what `send at most` counts: e-mails and webhooks"},
    Keyword{"minute", kUnit},
    Keyword{"minutes", kUnit},
    Keyword{"missing", "`is missing`: the field has no value"},
    Keyword{"monday", kDay},
    Keyword{"month", "a unit of time; `every month on day 1 at 06:00` is a schedule"},
    Keyword{"months", kUnit},
    Keyword{"more", "`is more than`: larger, or a time farther than so long"},
    Keyword{"most", "`at most`: that much or less"},
    Keyword{"next", "`within the next 3 days`: from now up to then"},
    Keyword{"no", "`expect no email \"…\"`; `leave when no longer gathered`"},
    Keyword{"not", "the opposite; so `x is not \"a\"` holds when x is missing"},
    Keyword{"now", "this instant, by the database's clock"},
    Keyword{"of", "`is one of A, B`; `time zone of FIELD or \"…\"`; `the anniversary of`"},
    Keyword{"off", "`take off track \"…\"`"},
    Keyword{"on",
            "`on \"event\":` is met when the event comes; `on track`, `on step` say where; "
            "`on weekdays` on which days"},
    Keyword{"once", "`once at DATE TIME`: from that instant on; `enter once`: never again"},
    Keyword{"one", "`is one of A, B`: equals one of the values"},
    Keyword{"or", "one of the conditions holds, or both"},
    Keyword{"otherwise", "`otherwise:` is met when no rule before it was"},
    Keyword{"out", "`hold out 5% as \"control\"`"},
    Keyword{"per", "`send at most 2 emails per 7 days`"},
    Keyword{"present", "`is present`: the field has a value"},
    Keyword{"put",
            "`put on track \"…\" [at \"step\"]`: asks for the contact on another track, too"},
    Keyword{"query", "SQL whose rows are read; the column `key` says whose they are"},
    Keyword{"quiet", "`quiet from 21:00 to 08:00`: messages wait until the hours are over"},
    Keyword{"record", "`record event \"…\"`: an event of this contact, for all tracks to hear"},
    Keyword{"remove", "`remove tag \"…\"`: takes a tag from the contact"},
    Keyword{"rrule", "`rrule \"FREQ=…\"`: a schedule as RFC 5545 writes it"},
    Keyword{"run", "`run on \"database\" \"…\"`: a statement in another database"},
    Keyword{"saturday", kDay},
    Keyword{"second", kUnit},
    Keyword{"seconds", kUnit},
    Keyword{"send",
            "`send email \"template\" [to …]`; before the steps `send at most 2 emails per 7 "
            "days`"},
    Keyword{"set", "`set FIELD to VALUE`: writes a field of the contact"},
    Keyword{"show", "`show \"…\" [with { … }]`: on the contact's open pages"},
    Keyword{"since", "`did \"…\" since entering | since step`: no earlier than that"},
    Keyword{"start", "`start at \"step\"`: where those gathered begin; `does not start with`"},
    Keyword{"starts", "`starts with`: the text has that beginning"},
    Keyword{"stay",
            "`stay [for DURATION]`: rests on the step; the rule is not met again until "
            "something it reads changes"},
    Keyword{"step",
            "`step \"…\"`: a place where contacts are, with rules that are tested in order"},
    Keyword{"stop", "`stop [as \"outcome\"]`: the contact is done with the track"},
    Keyword{"stopped", "`expect stopped [as \"…\"]`: the contact is done with the track"},
    Keyword{"sunday", kDay},
    Keyword{"tag", "`add tag`, `remove tag`, `has tag`"},
    Keyword{"take", "`take off track \"…\"`: asks that the contact leaves another track"},
    Keyword{"test", "`test \"…\"`: one contact's way, checked by `turnout test`"},
    Keyword{"than", "`is more than`, `is less than`"},
    Keyword{"the", "`within the last`, `within the next`, `the anniversary of`"},
    Keyword{"thursday", kDay},
    Keyword{"time", "`time zone …` of the track; `enter every time`"},
    Keyword{"times", "`did \"…\" at least 3 times`"},
    Keyword{"to", "`go to \"step\"`; `set FIELD to`; `send email … to ADDRESS`"},
    Keyword{"today", "the whole of this day, in the contact's time zone"},
    Keyword{"track",
            "`track \"…\"` begins the file; `on track \"…\"` asks whether the contact is on "
            "another"},
    Keyword{"true", "the boolean value"},
    Keyword{"tuesday", kDay},
    Keyword{"up", "`look up from \"database\" query \"…\"`"},
    Keyword{"webhook", "`call webhook \"…\"`"},
    Keyword{"wednesday", kDay},
    Keyword{"week", kUnit},
    Keyword{"weekday", "`every weekday`: Monday to Friday"},
    Keyword{"weekdays", "`on weekdays`: Monday to Friday"},
    Keyword{"weeks", kUnit},
    Keyword{"when", "`when CONDITION:` is met when the condition holds"},
    Keyword{"where", "only those for whom the condition holds"},
    Keyword{"with", "`with { \"name\": value }`: what goes along; `starts with`, `ends with`"},
    Keyword{"within", "`is within the last | the next DURATION`: compares a time with now"},
    Keyword{"year", kUnit},
    Keyword{"years", kUnit},
    Keyword{"zone", "`time zone of FIELD or \"Europe/Berlin\"`: whose days and hours count"}};
constexpr bool by_word(const Keyword& a, const Keyword& b) { return a.word < b.word; }
static_assert(std::is_sorted(kKeywords.begin(), kKeywords.end(), by_word));

}  // namespace

std::span<const Keyword> keywords() { return kKeywords; }

const Keyword* find_keyword(std::string_view word) {
  const std::string lower = base::to_lower_ascii(word);
  const auto* const found = std::lower_bound(
      kKeywords.begin(), kKeywords.end(), lower,
      [](const Keyword& keyword, const std::string& wanted) { return keyword.word < wanted; });
  return found != kKeywords.end() && found->word == lower ? found : nullptr;
}

}  // namespace turnout::edit
