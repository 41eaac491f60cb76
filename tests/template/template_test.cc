#include "template/template.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

namespace turnout::tmpl {
namespace {

const std::map<std::string, std::string, std::less<>> kValues = {
    {"name", "Ada"},
    {"email", "ada@example.net"},
    {"company", "Fish & Sons <\"'>"},
    {"empty", ""},
    {"event.properties.plan", "gold"},
    {"lines", "one\r\nBcc: all@example.net\ttwo\n"},
    {"bytes", "a\xff\"\\\x01z"},
};

std::optional<Value> look_up(std::string_view name) {
  const auto found = kValues.find(name);
  return found == kValues.end() ? std::nullopt : std::optional<Value>(found->second);
}

Rendered render(std::string_view text, Escape escape = Escape::kNone) {
  const auto parsed = Template::parse(text, escape);
  EXPECT_TRUE(parsed) << parsed.error().message;
  const auto rendered = parsed.value().render(look_up);
  EXPECT_TRUE(rendered) << rendered.error().message;
  return rendered.value();
}

std::string problem(std::string_view text) {
  const auto parsed = Template::parse(text, Escape::kNone);
  EXPECT_FALSE(parsed) << text;
  return parsed ? "" : parsed.error().message;
}

TEST(Template, FillsFieldsIn) {
  EXPECT_EQ(render("").text, "");
  EXPECT_EQ(render("no fields, { single } braces }} here").text,
            "no fields, { single } braces }} here");
  EXPECT_EQ(render("Dear {{ name }},").text, "Dear Ada,");
  EXPECT_EQ(render("{{name}}{{ name }}{{\n name\t}}").text, "AdaAdaAda");
  EXPECT_EQ(render("{{ event.properties.plan }}!").text, "gold!");
  EXPECT_EQ(render("[{{ empty }}]").text, "[]");
}

TEST(Template, DashesTakeWhiteSpaceAway) {
  EXPECT_EQ(render("a \n{{- name -}}\n b").text, "aAdab");
  EXPECT_EQ(render("a {{- name }} b").text, "aAda b");
  EXPECT_EQ(render("a {{ name -}} {{ name }} b").text, "a AdaAda b");
}

TEST(Template, EscapesByPart) {
  EXPECT_EQ(render("<b>{{ company }}</b>", Escape::kHtml).text,
            "<b>Fish &amp; Sons &lt;&#34;&#39;&gt;</b>");
  EXPECT_EQ(render("<b>{{ company }}</b>", Escape::kNone).text, "<b>Fish & Sons <\"'></b>");
  EXPECT_EQ(render("Re: {{ lines }}.", Escape::kHeader).text, "Re: one Bcc: all@example.net two.");
  EXPECT_EQ(render("{\"v\": \"{{ bytes }}\"}", Escape::kJson).text,
            "{\"v\": \"a\xef\xbf\xbd\\\"\\\\\\u0001z\"}");
}

TEST(Template, UnknownNamesRenderAsNothingAndAreListedOnce) {
  const Rendered rendered = render("{{ nme }}{{ name }}{{ x.y }}{{ nme }}");
  EXPECT_EQ(rendered.text, "Ada");
  EXPECT_EQ(rendered.unknown, (std::vector<std::string>{"nme", "x.y"}));
}

TEST(Template, NamesAreListedAndLookedUpOnce) {
  const auto parsed = Template::parse("{{ b }}{{ a }}{{ b }}", Escape::kNone);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed.value().names(), (std::vector<std::string>{"b", "a"}));
  int asked = 0;
  const auto rendered = parsed.value().render([&](std::string_view) {
    ++asked;
    return std::optional<Value>("v");
  });
  EXPECT_EQ(rendered.value().text, "vvv");
  EXPECT_EQ(asked, 2);
}

TEST(Template, MistakesAreSaidWithTheirPlace) {
  EXPECT_EQ(problem("Dear {{ name,"),
            "line 1, column 6: {{ is not closed; write }} after the field");
  EXPECT_EQ(problem("a\nü {{ }}"),
            "line 2, column 3: there is no field between {{ and }}; write {{ field }}");
  EXPECT_EQ(problem("a\n\n{{ 1st }}"),
            "line 3, column 4: \"1st\" is no field; write a name such as {{ email }}, or two "
            "joined by a dot");
  EXPECT_EQ(problem("{{ first name }}"),
            "line 1, column 10: \"name\" cannot stand here; close it with }}");
  EXPECT_EQ(problem("{{ a. }}"), "line 1, column 5: a name is missing behind the dot");
  EXPECT_EQ(problem("ok\n\xff"),
            "line 2, column 1: the text is not UTF-8; save the template as UTF-8");
}

TEST(Template, LimitsHoldAtTheirEdge) {
  const std::string full(kMaxTemplateBytes, 'x');
  EXPECT_EQ(render(full).text.size(), kMaxTemplateBytes);
  EXPECT_EQ(Template::parse(full + "x", Escape::kNone).error().code, base::ErrorCode::kExhausted);

  const std::string name(kMaxNameBytes, 'n');
  EXPECT_TRUE(Template::parse("{{" + name + "}}", Escape::kNone));
  EXPECT_FALSE(Template::parse("{{" + name + "n}}", Escape::kNone));

  std::string places;
  for (std::size_t i = 0; i < kMaxPlaces; ++i) {
    places += "{{a}}";
  }
  EXPECT_TRUE(Template::parse(places, Escape::kNone));
  EXPECT_FALSE(Template::parse(places + "{{a}}", Escape::kNone));

  const auto two = Template::parse("{{ a }}{{ a }}", Escape::kNone);
  const auto of = [](std::size_t size) {
    return [size](std::string_view) { return std::optional<std::string>(std::string(size, 'v')); };
  };
  EXPECT_TRUE(two.value().render(of(kMaxOutputBytes / 2)));
  EXPECT_EQ(two.value().render(of(kMaxOutputBytes / 2 + 1)).error().code,
            base::ErrorCode::kExhausted);
  const auto html = Template::parse("{{ a }}", Escape::kHtml);
  const auto amps = [](std::string_view) {
    return std::optional<std::string>(std::string(kMaxOutputBytes / 4, '&'));
  };
  EXPECT_EQ(html.value().render(amps).error().code, base::ErrorCode::kExhausted);
}

// What parses renders its text unchanged around the values, whatever the text is.
TEST(Template, AnyTextParsesOrIsRefusedWithAPlace) {
  constexpr std::uint64_t kSeed = 20'261'123;
  std::mt19937_64 random(kSeed);
  const std::vector<std::string> parts = {"{{", "}}", "{", "}", "%", "-", " ",  "\n",  "name",
                                          ".",  "|",  "ü", "1", "_", "x", "{%", "\xff"};
  int good = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (std::uint64_t i = random() % 12; i > 0; --i) {
      text += parts[random() % parts.size()];
    }
    const auto parsed = Template::parse(text, Escape::kNone);
    if (!parsed) {
      EXPECT_TRUE(parsed.error().message.starts_with("line ")) << text << " seed " << kSeed;
      continue;
    }
    ++good;
    const auto rendered = parsed.value().render(look_up);
    ASSERT_TRUE(rendered);
    if (text.find("{{") == std::string::npos) {
      EXPECT_EQ(rendered.value().text, text) << "seed " << kSeed;
    }
  }
  EXPECT_GT(good, 1'000);
}

}  // namespace
}  // namespace turnout::tmpl
