// Each limit at its edge, and that nothing a template says gets past them.

#include "template/limits.h"

#include <gtest/gtest.h>

#include <random>

#include "template/template.h"

namespace turnout::tmpl {
namespace {

std::optional<Value> look_up_limited(std::string_view name) {
  if (name == "big") {
    return Value(std::string(kMaxTextBytes / 2, 'x'));
  }
  if (name == "items") {
    return Value::array({Value::number(1), Value("b"), Value::nil(), Value::array({Value("c")})});
  }
  return name == "a" ? std::optional(Value("a<b>\n\"'&")) : std::nullopt;
}

// "" when it renders, else what kExhausted says.
std::string exhausted(const std::string& text) {
  const auto parsed = Template::parse(text, Escape::kNone);
  if (!parsed) {
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kExhausted) << parsed.error().message;
    return parsed.error().message;
  }
  const auto rendered = parsed.value().render(look_up_limited);
  if (rendered) {
    return "";
  }
  EXPECT_EQ(rendered.error().code, base::ErrorCode::kExhausted) << rendered.error().message;
  return rendered.error().message;
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

std::string nested_tags(std::size_t depth) {
  return repeated("{% if a %}", depth) + repeated("{% endif %}", depth);
}

std::string nested_brackets(std::size_t depth) {
  return "{{ " + repeated("a[", depth - 1) + "0" + repeated("]", depth - 1) + " }}";
}

std::string ranged(const std::string& before, std::size_t count, const std::string& after) {
  return before + std::to_string(count) + after;
}

TEST(Limits, OfNesting) {
  EXPECT_EQ(exhausted(nested_tags(kMaxNesting)), "");
  EXPECT_NE(exhausted(nested_tags(kMaxNesting + 1)).find("50 deep"), std::string::npos);
  EXPECT_EQ(exhausted(nested_brackets(kMaxNesting)), "");
  EXPECT_NE(exhausted(nested_brackets(kMaxNesting + 1)).find("50 deep"), std::string::npos);
  // Chains are no nesting.
  EXPECT_EQ(exhausted("{% if a" + repeated(" and a", 10'000) + " %}{% endif %}"), "");
  EXPECT_EQ(exhausted("{{ a" + repeated(" | upcase", 1'000) + " }}"), "");
}

TEST(Limits, OfLoops) {
  const std::size_t half = kMaxIterations / 2;
  const std::string twice = ranged("{% for i in (1..", half, ") %}{% endfor %}");
  EXPECT_EQ(exhausted(twice + twice), "");
  EXPECT_NE(
      exhausted(twice + twice + "{% for i in (1..1) %}{% endfor %}").find("turns of its loops"),
      std::string::npos);
  EXPECT_NE(exhausted("{% for i in (1..1000) %}{% tablerow j in (1..1000) %}{% endtablerow %}"
                      "{% endfor %}"),
            "");
}

TEST(Limits, OfItems) {
  EXPECT_EQ(exhausted(ranged("{{ (1..", kMaxItems, ") | size }}")), "");
  EXPECT_NE(exhausted(ranged("{{ (1..", kMaxItems + 1, ") | size }}")).find("items"),
            std::string::npos);
  EXPECT_NE(exhausted("{{ (1..9000000000000000) | size }}"), "");
  EXPECT_NE(exhausted("{{ (-9000000000000000..9000000000000000) | size }}"), "");
  // Without an end to count to.
  EXPECT_EQ(exhausted("{{ (1..'x') | size }}{{ ('x'..1) | size }}"), "");
  EXPECT_NE(exhausted("{{ (1..'Infinity') | size }}"), "");
}

TEST(Limits, OfTexts) {
  EXPECT_EQ(exhausted("{{ big | append: big | size }}"), "");
  EXPECT_NE(exhausted("{{ big | append: big | append: 'x' }}").find("longer than"),
            std::string::npos);
  EXPECT_NE(exhausted("{{ big | replace: 'x', 'yyyyy' }}"), "");
  EXPECT_NE(exhausted("{{ big | replace: '', big }}"), "");
  EXPECT_NE(exhausted("{% assign a = big | split: '' %}"), "");
  EXPECT_NE(exhausted("{% capture c %}{{ big }}{{ big }}x{% endcapture %}"), "");
  EXPECT_NE(exhausted("{{ big }}{{ big }}x").find("text filled in"), std::string::npos);
  EXPECT_EQ(exhausted("{{ big }}{{ big }}"), "");
  EXPECT_NE(exhausted("{{ items | join: big | size }}"), "");
  EXPECT_NE(exhausted("{{ 0 | date: big }}"), "");
  EXPECT_EQ(exhausted("{{ 0 | date: '%99999d' | size }}"), "");
}

// Texts that double in each turn, and an array that holds itself twice in each turn, whose text
// would be longer than there are atoms.
TEST(Limits, OfWhatIsMadeInAll) {
  EXPECT_NE(exhausted("{% assign s = 'x' %}{% for i in (1..99) %}{% assign s = s | append: s %}"
                      "{% endfor %}"),
            "");
  EXPECT_NE(exhausted("{% for i in (1..9999) %}{% assign s = (1..1000) %}{% endfor %}")
                .find("bytes of texts and arrays"),
            std::string::npos);
  EXPECT_NE(exhausted("{% assign t = items %}{% for i in (1..99) %}{% assign t = t | push: t %}"
                      "{% endfor %}")
                .find("64 deep"),
            std::string::npos);
  EXPECT_NE(exhausted("{% assign t = items %}{% for i in (1..40) %}{% assign t = t | push: t %}"
                      "{% endfor %}{{ t | json }}"),
            "");
  EXPECT_NE(exhausted("{% assign t = items %}{% for i in (1..40) %}{% assign t = t | push: t %}"
                      "{% endfor %}{% assign u = t | slice: 0, 99 %}{% if t == u %}{% endif %}"),
            "");
}

TEST(Limits, OfSteps) {
  const std::string loop = ranged("{% for i in (1..", kMaxIterations, ") %}");
  EXPECT_EQ(exhausted(loop + "{{ i }}{% endfor %}"), "");
  EXPECT_NE(exhausted(loop + repeated("{% if i %}{% endif %}", 20) + "{% endfor %}").find("steps"),
            std::string::npos);
  // Reading counts, though nothing is made.
  EXPECT_NE(exhausted("{% for i in (1..10000) %}{% if big contains 'y' %}{% endif %}{% endfor %}"),
            "");
  EXPECT_NE(exhausted("{% for i in (1..10000) %}{{ big | size }}{% endfor %}"), "");
}

TEST(Limits, OfValuesFromOutside) {
  const auto nested = [](std::size_t depth) {
    Value value = Value::array({});
    for (std::size_t i = 1; i < depth; ++i) {
      value = Value::array({value});
    }
    return [value](std::string_view) { return std::optional(value); };
  };
  const auto parsed = Template::parse("{{ a | json }}", Escape::kNone);
  EXPECT_TRUE(parsed.value().render(nested(kMaxValueDepth)));
  const auto refused = parsed.value().render(nested(kMaxValueDepth + 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, base::ErrorCode::kExhausted);
}

// Texts put together from what Liquid is made of, and from bytes: whatever they are, they are
// refused with a place or render within the limits.
class AnyTemplate {
 public:
  explicit AnyTemplate(std::uint64_t seed) : random_(seed) {}

  std::string tokens() {
    static const std::vector<std::string> kTokens = {"{{ ",
                                                     " }}",
                                                     "{% ",
                                                     " %}",
                                                     "{%- ",
                                                     " -%}",
                                                     "if ",
                                                     "unless ",
                                                     "for i in ",
                                                     "case ",
                                                     "when ",
                                                     "else",
                                                     "elsif ",
                                                     "endif",
                                                     "endfor",
                                                     "endcase",
                                                     "endunless",
                                                     "assign x = ",
                                                     "capture y",
                                                     "endcapture",
                                                     "cycle ",
                                                     "tablerow t in ",
                                                     "endtablerow",
                                                     "raw",
                                                     "endraw",
                                                     "comment",
                                                     "endcomment",
                                                     "liquid\n",
                                                     "echo ",
                                                     "increment n",
                                                     "break",
                                                     "continue",
                                                     "a",
                                                     "items",
                                                     "big",
                                                     "nothing",
                                                     "x",
                                                     "i",
                                                     "forloop.index",
                                                     "items[0]",
                                                     ".size",
                                                     "[",
                                                     "]",
                                                     "(1..3)",
                                                     "(1..99999)",
                                                     "'text'",
                                                     "\"",
                                                     "1",
                                                     "-2.5",
                                                     "nil",
                                                     "empty",
                                                     "blank",
                                                     "true",
                                                     " == ",
                                                     " and ",
                                                     " or ",
                                                     " contains ",
                                                     " not ",
                                                     " | ",
                                                     "append: ",
                                                     "split: ",
                                                     "join: ",
                                                     "sort",
                                                     "map: ",
                                                     "date: ",
                                                     "'%Y %99d'",
                                                     "slice: ",
                                                     "json",
                                                     "push: x",
                                                     "where: ",
                                                     "where_exp: 'i', 'i == 1'",
                                                     "default: ",
                                                     "times: ",
                                                     "truncate: ",
                                                     "replace: ",
                                                     ", ",
                                                     ": ",
                                                     "limit: ",
                                                     "offset: continue",
                                                     "reversed",
                                                     "\n",
                                                     "ü",
                                                     "\xff",
                                                     "#"};
    std::string text;
    for (std::uint64_t n = random_() % 24; n > 0; --n) {
      text += kTokens[random_() % kTokens.size()];
    }
    return text;
  }

  // A tag or output that has a good chance to parse, inside a loop now and then.
  std::string whole() {
    static const std::vector<std::string> kValues = {
        "a", "items", "x", "i", "'t'", "3", "big", "items[3]", "(1..4)", "nothing", "true"};
    static const std::vector<std::string> kFilters = {"upcase",
                                                      "append: x",
                                                      "prepend: a",
                                                      "split: ''",
                                                      "join: a",
                                                      "sort",
                                                      "sort_natural",
                                                      "uniq",
                                                      "map: 'size'",
                                                      "push: x",
                                                      "concat: items",
                                                      "reverse",
                                                      "slice: 1, 3",
                                                      "json",
                                                      "truncate: 5",
                                                      "replace: 'a', x",
                                                      "url_encode",
                                                      "date: '%A %d'",
                                                      "times: i",
                                                      "divided_by: 0",
                                                      "round: 2",
                                                      "default: x",
                                                      "where: 'size'",
                                                      "group_by: 'size'",
                                                      "sum",
                                                      "strip_html",
                                                      "newline_to_br",
                                                      "slugify",
                                                      "base64_encode",
                                                      "first",
                                                      "last",
                                                      "compact",
                                                      "find_exp: 'q', 'q == x'",
                                                      "array_to_sentence_string",
                                                      "truncatewords: 2",
                                                      "sha256",
                                                      "at_least: x",
                                                      "escape_once"};
    const auto one = [&](const std::vector<std::string>& of) { return of[random_() % of.size()]; };
    std::string value = one(kValues);
    for (std::uint64_t n = random_() % 4; n > 0; --n) {
      value += " | " + one(kFilters);
    }
    switch (random_() % 6) {
      case 0:
        return "{% assign x = " + value + " %}";
      case 1:
        return "{% for i in " + one(kValues) + " %}" + (random_() % 2 == 0 ? whole() : "") +
               "{% assign x = " + value + " %}{% endfor %}";
      case 2:
        return "{% if " + one(kValues) + " == " + one(kValues) + " %}" + whole() + "{% endif %}";
      case 3:
        return "{% capture x %}" + whole() + "{% endcapture %}";
      default:
        return "{{ " + value + " }}";
    }
  }

  std::string bytes() {
    std::string text = "{{";
    for (std::uint64_t n = random_() % 40; n > 0; --n) {
      text += static_cast<char>(random_() % 256);
    }
    return text + "}}";
  }

  std::uint64_t next() { return random_(); }

 private:
  std::mt19937_64 random_;
};

TEST(Limits, HoldForAnyTemplate) {
  constexpr std::uint64_t kSeed = 20'261'201;
  AnyTemplate any(kSeed);
  int parsed_count = 0;
  int rendered_count = 0;
  for (int round = 0; round < 6'000; ++round) {
    const std::string text = round % 3 == 0   ? any.tokens()
                             : round % 3 == 1 ? any.bytes()
                                              : any.whole() + any.whole() + any.whole();
    const auto parsed = Template::parse(text, static_cast<Escape>(any.next() % 4));
    if (!parsed) {
      ASSERT_TRUE(parsed.error().message.starts_with("line ")) << parsed.error().message << "\n"
                                                               << text << "\nseed " << kSeed;
      continue;
    }
    ++parsed_count;
    const auto rendered = parsed.value().render([](std::string_view name) {
      // Long enough to pass limits now and then, short enough for so many rounds.
      return name == "big" ? std::optional(Value(std::string(20'000, 'x'))) : look_up_limited(name);
    });
    if (!rendered) {
      ASSERT_TRUE(rendered.error().message.starts_with("line ")) << rendered.error().message << "\n"
                                                                 << text << "\nseed " << kSeed;
      continue;
    }
    ++rendered_count;
    ASSERT_LE(rendered.value().text.size(), kMaxOutputBytes) << text << "\nseed " << kSeed;
  }
  EXPECT_GT(parsed_count, 2'000);
  EXPECT_GT(rendered_count, 1'500);
}

}  // namespace
}  // namespace turnout::tmpl
