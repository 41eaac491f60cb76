// What the comparison with liquidjs (oracle/) does not see: messages, reports, names, options.

#include <gtest/gtest.h>

#include "template/template.h"

namespace turnout::tmpl {
namespace {

const Value& language_data() {
  static const Value kData = Value::object({
      {"name", "Ada"},
      {"html", "<&>"},
      {"unset", Value::nil()},
      {"order", Value::object({{"lines", Value::array({Value::object({{"price", Value::number(3)}}),
                                                       Value::object({{"price", Value::nil()}})})},
                               {"net", Value::number(1e21)}})},
      {"event.form", "pricing"},
  });
  return kData;
}

std::optional<Value> look_up_language(std::string_view name) {
  const Value* const found = language_data().find(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

Rendered rendered_of(std::string_view text, Escape escape = Escape::kNone,
                     const RenderOptions& options = {}) {
  const auto parsed = Template::parse(text, escape);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().message;
  const auto rendered = parsed.value().render(look_up_language, options);
  EXPECT_TRUE(rendered) << text << ": " << rendered.error().message;
  return rendered.value();
}

std::vector<std::string> unknown_in(std::string_view text) { return rendered_of(text).unknown; }

std::vector<std::string> names_in(std::string_view text) {
  const auto parsed = Template::parse(text, Escape::kNone);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().message;
  return parsed.value().names();
}

std::string refusal_of(std::string_view text) {
  const auto parsed = Template::parse(text, Escape::kNone);
  EXPECT_FALSE(parsed) << text;
  return parsed ? "" : parsed.error().message;
}

std::string failure_of(std::string_view text, const RenderOptions& options = {}) {
  const auto parsed = Template::parse(text, Escape::kNone);
  EXPECT_TRUE(parsed) << text << ": " << parsed.error().message;
  const auto rendered = parsed.value().render(look_up_language, options);
  EXPECT_FALSE(rendered) << text;
  return rendered ? "" : rendered.error().message;
}

using Strings = std::vector<std::string>;

TEST(Unknown, IsReportedWhereItIsWritten) {
  EXPECT_EQ(unknown_in("{{ nme }}{{ nme | upcase }}{{ name }}"), Strings{"nme"});
  EXPECT_EQ(unknown_in("{{ order.nte }}{{ order.lines[0].prce }}"),
            (Strings{"order.nte", "order.lines[0].prce"}));
  EXPECT_EQ(unknown_in("{% for l in order.lines %}{{ l.prce }}{% endfor %}"), Strings{"l.prce"});
  EXPECT_EQ(unknown_in("{% for l in lins %}{% endfor %}"), Strings{"lins"});
  EXPECT_EQ(unknown_in("{{ name | append: suffx }}"), Strings{"suffx"});
  EXPECT_EQ(unknown_in("{% assign x = nme %}{{ x }}"), Strings{"nme"});
}

TEST(Unknown, IsNotReportedWhereTheTemplateAsksForIt) {
  EXPECT_EQ(unknown_in("{% if a %}{% elsif b == 1 and c %}{% endif %}"), Strings{});
  EXPECT_EQ(unknown_in("{% unless a %}{% endunless %}{% case b %}{% when c %}{% endcase %}"),
            Strings{});
  EXPECT_EQ(unknown_in("{{ a | default: 'x' }}{{ order.gift | default: 'x' }}"), Strings{});
  EXPECT_EQ(unknown_in("{{ unset }}{{ unset.more }}{{ order.lines[9] }}"), Strings{});
  // Given a value somewhere in the template, though not here.
  EXPECT_EQ(unknown_in("{% if a %}{% assign x = 1 %}{% endif %}{{ x }}"), Strings{});
}

TEST(Names, AreThoseFromOutside) {
  EXPECT_EQ(names_in("{{ b }}{{ a.x | append: c }}{% if d %}{% endif %}{{ b }}"),
            (Strings{"b", "a.x", "c", "d"}));
  EXPECT_EQ(names_in("{{ order.lines[0].price }}{{ order['net'] }}{{ [name] }}"),
            (Strings{"order.lines", "order.net", "name"}));
  EXPECT_EQ(names_in("{% for x in xs limit: n %}{{ x.y }}{{ forloop.index }}{% endfor %}{{ x }}"),
            (Strings{"xs", "n", "x"}));
  EXPECT_EQ(names_in("{% assign p = p | default: 1 %}{{ p }}{% capture q %}{{ r }}{% endcapture %}"
                     "{{ q }}{% increment s %}{{ s }}"),
            (Strings{"p", "r"}));
  EXPECT_EQ(names_in("{{ xs | where_exp: 'i', 'i.a > limit' }}"), (Strings{"xs", "limit"}));
}

TEST(Lookups, AskForTheLongestNameFirst) {
  EXPECT_EQ(rendered_of("{{ event.form }} {{ event.form.size }}").text, "pricing 7");
  std::vector<std::string> asked;
  const auto parsed = Template::parse("{{ a.b.c }}{{ a.b.c }}", Escape::kNone);
  const auto rendered = parsed.value().render([&](std::string_view name) {
    asked.emplace_back(name);
    return name == "a" ? std::optional(Value::object({{"b", Value::object({{"c", "v"}})}}))
                       : std::nullopt;
  });
  EXPECT_EQ(rendered.value().text, "vv");
  EXPECT_EQ(asked, (Strings{"a.b.c", "a.b", "a"}));
}

TEST(Mistakes, AreSaidWithPlaceAndRemedy) {
  EXPECT_EQ(refusal_of("a\n{{ name | upcas }}"),
            "line 2, column 11: there is no filter \"upcas\"; did you mean \"upcase\"?");
  EXPECT_EQ(refusal_of("{% fi a %}"),
            "line 1, column 1: there is no tag \"fi\"; did you mean \"if\"?");
  EXPECT_EQ(refusal_of("{{ name | nothing_like_it }}"),
            "line 1, column 11: there is no filter \"nothing_like_it\"");
  EXPECT_EQ(refusal_of("ü{% if a %}x"),
            "line 1, column 2: \"if\" is not closed; write {% endif %}");
  EXPECT_EQ(refusal_of("{% endif %}"),
            "line 1, column 1: \"endif\" closes nothing here; its \"if\" is missing, or was closed "
            "before");
  EXPECT_EQ(refusal_of("{% when 1 %}"),
            "line 1, column 1: \"when\" stands in no tag that it belongs to");
  EXPECT_EQ(refusal_of("{% if a = 1 %}{% endif %}"),
            "line 1, column 9: = gives a value; to compare, write ==");
  EXPECT_EQ(refusal_of("{% if a && b %}{% endif %}"),
            "line 1, column 9: \"&&\" is no operator; write and");
  EXPECT_EQ(refusal_of("{% if %}{% endif %}"), "line 1, column 6: a value is missing before %}");
  EXPECT_EQ(refusal_of("{{ 'abc }}"), "line 1, column 4: the quote ' is not closed");
  EXPECT_EQ(refusal_of("{{ name | plus }}"),
            "line 1, column 11: the filter \"plus\" takes 1 argument; here are 0");
  EXPECT_EQ(refusal_of("{{ name | default: 1, allow: true }}"),
            "line 1, column 23: the filter \"default\" has no argument named \"allow\"");
  EXPECT_EQ(refusal_of("{{ (a or b) }}"),
            "line 1, column 7: a range is written (1..5); parentheses for anything else are not "
            "known in Liquid");
  EXPECT_EQ(refusal_of("{% include 'footer' %}"),
            "line 1, column 1: the tag \"include\" takes another file in, which templates here "
            "cannot; write its text into this one");
  EXPECT_EQ(refusal_of("{% for a %}"), "line 1, column 9: write {% for item in items %}");
  EXPECT_EQ(refusal_of("{{ xs | where_exp: 'x', 'x >' }}"),
            "line 1, column 9: a value is missing before the quote");
  EXPECT_EQ(
      refusal_of("{% if \xe2\x80\x9cname\xe2\x80\x9d == 1 %}"),
      "line 1, column 7: \"\xe2\x80\x9cname\xe2\x80\x9d == 1\" is no field; write a name such "
      "as {{ email }}, or two joined by a dot");
  EXPECT_NE(refusal_of("{{ xs | sample }}").find("must be the same"), std::string::npos);
}

TEST(Mistakes, OfAValueHaveAPlaceToo) {
  EXPECT_EQ(failure_of("a\n b{{ '%zz' | url_decode }}"),
            "line 2, column 3: url_decode: a % without two hexadecimal digits behind it");
  EXPECT_EQ(failure_of("{{ 'a' | base64_decode }}"),
            "line 1, column 1: base64_decode: the text is no Base64");
  EXPECT_EQ(failure_of("{% if 1 %}\n{{ 0 | date: '%H', 'Nowhere' }}{% endif %}"),
            "line 2, column 1: date: there is no time zone \"Nowhere\"; write a name such as "
            "\"Europe/Berlin\"");
}

TEST(Escapes, HoldForWhateverWritesAValue) {
  EXPECT_EQ(rendered_of("{{ html }}{{ html | raw }}", Escape::kHtml).text, "&lt;&amp;&gt;<&>");
  // No value can break out of a header, whatever the template says.
  EXPECT_EQ(rendered_of("{{ \"a\\r\\nBcc: b\" | raw }}", Escape::kHeader).text, "a Bcc: b");
  EXPECT_EQ(rendered_of("{\"a\": {{ order | json }}, \"b\": \"{{ '\"' }}\"}", Escape::kJson).text,
            R"({"a": {"lines":[{"price":3},{"price":null}],"net":1e+21}, "b": "\""})");
}

TEST(Options, SayWhenAndWhereItIs) {
  RenderOptions options;
  options.now = base::parse_instant("2026-12-01T23:30:00Z").value();
  options.zone = "Test/East";
  options.zones = [](std::string_view zone, base::Instant) {
    return zone == "Test/East" ? std::optional(std::chrono::seconds(3600)) : std::nullopt;
  };
  EXPECT_EQ(
      rendered_of("{{ 'now' | date: '%F %Y-%m-%d %H:%M %z %Z' }}", Escape::kNone, options).text,
      "%F 2026-12-02 00:30 +0100 Test/East");
  EXPECT_EQ(rendered_of("{{ 'now' | date: '%H', 'UTC' }}", Escape::kNone, options).text, "23");
  EXPECT_EQ(rendered_of("{{ 'now' | date: '%Y' }}").text, "1970");
  EXPECT_EQ(rendered_of("{{ '1 Dec 2147483647' | date: '%Y' }}").text, "1 Dec 2147483647");
}

TEST(Templates, MayBeCopiedAndOutliveTheirText) {
  std::optional<Template> copy;
  {
    const std::string text = "{% for i in (1..2) %}<{{ i }}>{% endfor %}";
    copy = Template::parse(text, Escape::kNone).value();
  }
  EXPECT_EQ(copy->render(look_up_language).value().text, "<1><2>");
}

}  // namespace
}  // namespace turnout::tmpl
