// The picture: well-formed whatever names hold, and all that it should have.

#include "graph/svg.h"

#include <gtest/gtest.h>

#include "base/text.h"
#include "lang/generate.h"
#include "samples.h"

namespace turnout::graph {
namespace {

// What is wrong with the XML, as far as our own can go wrong; empty when nothing is.
class XmlCheck {
 public:
  explicit XmlCheck(std::string_view xml) : xml_(xml) {}

  std::string problem() {
    if (base::first_invalid_utf8(xml_) != std::string::npos) {
      return "not UTF-8";
    }
    while (at_ < xml_.size() && problem_.empty()) {
      xml_[at_] == '<' ? tag() : character();
    }
    return !problem_.empty() ? problem_ : open_.empty() ? "" : "open: " + open_.back();
  }

 private:
  void fail(const std::string& what) { problem_ = what + ": " + std::string(xml_.substr(at_, 60)); }

  void character() {
    const auto byte = static_cast<unsigned char>(xml_[at_]);
    const std::string_view three = xml_.substr(at_, 3);
    if ((byte < 0x20 && byte != '\n' && byte != '\t') || three == "\xEF\xBF\xBE" ||
        three == "\xEF\xBF\xBF") {
      return fail("a character that XML does not allow");
    }
    if (xml_[at_] == '&') {
      for (const std::string_view entity : {"&lt;", "&gt;", "&amp;", "&quot;"}) {
        if (xml_.substr(at_).starts_with(entity)) {
          at_ += entity.size();
          return;
        }
      }
      return fail("an entity");
    }
    if (open_.empty() && xml_[at_] != '\n') {
      return fail("text outside the root");
    }
    ++at_;
  }

  void tag() {
    const std::size_t end = end_of_tag();
    if (end == std::string_view::npos) {
      return fail("a tag without an end");
    }
    const std::string_view inside = xml_.substr(at_ + 1, end - at_ - 1);
    const std::string name(inside.substr(0, inside.find_first_of(" \n/", 1)));
    if (name.starts_with("/")) {
      if (open_.empty() || "/" + open_.back() != inside) {
        return fail("closes what is not open");
      }
      open_.pop_back();
    } else if (!inside.ends_with("/")) {
      open_.push_back(name);
    }
    ++tags_[name];
    at_ = end + 1;
  }

  std::size_t end_of_tag() const {
    bool quoted = false;
    for (std::size_t i = at_ + 1; i < xml_.size(); ++i) {
      quoted = xml_[i] == '"' ? !quoted : quoted;
      if (xml_[i] == '>' && !quoted) {
        return i;
      }
      if (xml_[i] == '<') {
        return std::string_view::npos;
      }
    }
    return std::string_view::npos;
  }

 public:
  std::size_t tags(const std::string& name) { return tags_[name]; }

 private:
  std::string_view xml_;
  std::size_t at_ = 0;
  std::vector<std::string> open_;
  std::map<std::string, std::size_t> tags_;
  std::string problem_;
};

std::string picture_of(const Graph& graph) { return to_svg(graph, lay_out(graph)); }

std::size_t times(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) {
    ++count;
  }
  return count;
}

TEST(SvgTest, TheCheckFindsWhatIsWrong) {
  EXPECT_EQ(XmlCheck("<a b=\"x > y\">t &lt; <c/></a>").problem(), "");
  for (const char* wrong :
       {"<a>", "<a></b>", "<a>&</a>", "<a>&nbsp;</a>", "<a><b></a></b>", "<a b=\"<\"/>",
        "<a>\x01</a>", "<a>\xEF\xBF\xBF</a>", "<a/>x", "<a>\xFF</a>"}) {
    EXPECT_NE(XmlCheck(wrong).problem(), "") << wrong;
  }
}

TEST(SvgTest, IsWellFormedForEveryConstruct) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    const std::string svg = picture_of(make_graph(lang::random_track(seed, 30)));
    EXPECT_EQ(XmlCheck(svg).problem(), "") << "seed " << seed;
  }
}

TEST(SvgTest, EscapesWhatItDidNotWrite) {
  const std::string evil = R"(</title><script>alert(1)</script>&\u{1}\u{FFFF})";
  const std::string svg = picture_of(graph_of(
      "track \"" + evil + "\" about \"" + evil + "\" gather on \"" + evil +
      "\" leave when a is \"" + evil + "\" step \"" + evil + "\" about \"" + evil +
      "\" for 5% as \"" + evil + "\": send email \"" + evil + "\" stop as \"" + evil + "\""));
  EXPECT_EQ(XmlCheck(svg).problem(), "");
  EXPECT_EQ(times(svg, "<script"), 0U);
  EXPECT_GT(times(svg, "&lt;script&gt;"), 8U);
}

TEST(SvgTest, HasAllThatThereIs) {
  const Graph graph = graph_of_file("examples/term-deposit.track");
  const std::string svg = picture_of(graph);
  XmlCheck check(svg);
  EXPECT_EQ(check.problem(), "");
  std::size_t rules = 0;
  for (const Node& node : graph.nodes) {
    rules += node.rules.size();
  }
  EXPECT_EQ(times(svg, "<g class=\"step\">"), 7U);
  EXPECT_EQ(times(svg, "<g class=\"outcome\">"), 12U);
  EXPECT_EQ(times(svg, "class=\"edge\""), graph.edges.size());
  EXPECT_EQ(times(svg, "class=\"tip\""), graph.edges.size());
  EXPECT_EQ(times(svg, "class=\"row\""), rules);
  EXPECT_EQ(check.tags("title"), 1 + graph.nodes.size() + rules);
  EXPECT_EQ(times(svg, ">after 2 seconds</text>"), 4U);
}

TEST(SvgTest, StandsByItself) {
  const std::string svg = picture_of(graph_of_file("examples/term-deposit.track"));
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 "));
  EXPECT_NE(svg.find(" role=\"img\""), std::string::npos);
  EXPECT_NE(svg.find("<title>Term deposit</title>\n<desc>7 steps, 12 outcomes.\n"),
            std::string::npos);
  EXPECT_NE(svg.find("Answer, after 3 seconds: to Reminder."), std::string::npos);
  EXPECT_NE(svg.find("@media (prefers-color-scheme:dark)"), std::string::npos);
  for (const char* outside : {"<script", "href", "url(", "@import", "<image", "<use"}) {
    EXPECT_EQ(times(svg, outside), 0U) << outside;
  }
  EXPECT_EQ(times(svg, "http"), 1U);
}

TEST(SvgTest, ShowsARuleThatStaysAsALoop) {
  const std::string svg = picture_of(
      graph_of("track \"T\" step \"A\" when a is 1: stay for 2 days  when a is 2: stop"));
  EXPECT_EQ(times(svg, "class=\"loop\""), 1U);
  EXPECT_EQ(times(svg, ">stay for 2 days</text>"), 1U);
  EXPECT_EQ(times(svg, "class=\"edge\""), 1U);
}

TEST(SvgTest, LongTextIsShortenedAndWholeInTheTitle) {
  std::string condition = "a is 1";
  for (int i = 2; i < 60; ++i) {
    condition += " or a is " + std::to_string(i);
  }
  const std::string svg =
      picture_of(graph_of("track \"T\" step \"A\" when " + condition + ": stop"));
  EXPECT_GE(times(svg, "…</text>"), 1U);
  EXPECT_NE(svg.find("or a is 59:"), std::string::npos);
  EXPECT_EQ(times(svg, "or a is 59</text>"), 0U);
}

TEST(SvgTest, IsTheSameEachTime) {
  const std::string text = random_track_text(11, 40, 6);
  EXPECT_EQ(picture_of(graph_of(text)), picture_of(graph_of(text)));
}

}  // namespace
}  // namespace turnout::graph
