// A language server without its streams: frames, the life of a session, and its answers' form. What
// is answered is tested in tests/edit; the program itself, with the protocol's own client, in
// tests/edit/client.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include <nlohmann/json.hpp>

#include "cli/lsp_frames.h"
#include "cli/lsp_session.h"

namespace turnout::cli {
namespace {

using nlohmann::json;
using Kind = EditorFrame::Kind;

// ---- Frames -------------------------------------------------------------------------------------

std::string kinds_of(const std::string& stream, std::size_t piece) {
  EditorFrames frames;
  std::string out;
  for (std::size_t i = 0; i < stream.size(); i += piece) {
    frames.push(std::string_view(stream).substr(i, piece));
    while (const auto frame = frames.next()) {
      out += frame->kind == Kind::kMessage  ? "<" + frame->text + ">"
             : frame->kind == Kind::kBroken ? "broken "
                                            : "too long ";
    }
  }
  return out;
}

TEST(EditorFrames, AreCutWhereverTheBytesBreak) {
  const std::string stream = framed("{}") + framed("") + framed("[1,2]");
  for (std::size_t piece = 1; piece <= stream.size(); ++piece) {
    EXPECT_EQ(kinds_of(stream, piece), "<{}><><[1,2]>") << piece;
  }
}

TEST(EditorFrames, TakeOtherHeadersAndLineEnds) {
  EXPECT_EQ(kinds_of("Content-Type: x\r\ncontent-length:  2 \r\n\r\n{}", 3), "<{}>");
  EXPECT_EQ(kinds_of("Content-Length: 2\n\n{}", 3), "<{}>");
}

TEST(EditorFrames, FindTheNextOneBehindABrokenOne) {
  EXPECT_EQ(kinds_of("nonsense\r\n\r\n" + framed("{}"), 4), "broken <{}>");
  EXPECT_EQ(kinds_of("Content-Length: two\r\n\r\n" + framed("{}"), 4), "broken <{}>");
  EXPECT_EQ(kinds_of("Content-Length: -2\r\n\r\n" + framed("{}"), 4), "broken <{}>");
  EXPECT_EQ(kinds_of("Content-Length: 99999999999999999999\r\n\r\n" + framed("{}"), 4),
            "broken <{}>");
  EXPECT_EQ(kinds_of(std::string(kMaxHeaderLine + 1, 'x'), kMaxHeaderLine + 1), "broken ");
  EXPECT_EQ(kinds_of(std::string(kMaxHeaderLine, 'x'), kMaxHeaderLine), "");
}

TEST(EditorFrames, PassOverWhatIsTooLong) {
  const std::string stream =
      framed(std::string(kMaxEditorMessage + 1, ' ')) + framed(std::string(3, '1'));
  EXPECT_EQ(kinds_of(stream, std::size_t{1} << 20U), "too long <111>");
}

// ---- Sessions -----------------------------------------------------------------------------------

class LanguageServer : public ::testing::Test {
 protected:
  LanguageServer() {
    std::string name = (std::filesystem::temp_directory_path() / "turnout-lsp-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    fields("[fields]\nplan = \"text\"\n");
  }
  ~LanguageServer() override { std::filesystem::remove_all(folder_); }

  void fields(const std::string& text) const {
    std::ofstream(folder_ / "fields.toml", std::ios::binary) << text;
  }
  std::string uri(const std::string& name = "a%20b.track") const {
    return "file://" + (folder_ / name).string();
  }

  static std::vector<json> read(const std::vector<std::string>& messages) {
    std::vector<json> out;
    for (const std::string& message : messages) {
      out.push_back(json::parse(message));
    }
    return out;
  }
  std::vector<json> take(const std::string& text) {
    return read(session_.take({Kind::kMessage, text}));
  }
  json request(const std::string& method, const json& params = json()) {
    const auto answers = take(
        json{{"jsonrpc", "2.0"}, {"id", ++id_}, {"method", method}, {"params", params}}.dump());
    EXPECT_EQ(answers.size(), 1U) << method;
    EXPECT_EQ(answers.at(0)["id"], id_);
    EXPECT_EQ(answers.at(0)["jsonrpc"], "2.0");
    return answers.at(0);
  }
  std::vector<json> notify(const std::string& method, const json& params) {
    return take(json{{"jsonrpc", "2.0"}, {"method", method}, {"params", params}}.dump());
  }
  int error_of(const json& answer) { return answer.at("error").at("code"); }

  void begin(const json& capabilities = json::object()) {
    EXPECT_TRUE(request("initialize", {{"capabilities", capabilities}}).contains("result"));
    notify("initialized", json::object());
  }
  // The diagnostics that are told next.
  json told() {
    const auto messages = read(session_.settle());
    return messages.size() == 1 ? messages[0].at("params") : json(messages);
  }
  json open(const std::string& text) {
    notify("textDocument/didOpen",
           {{"textDocument",
             {{"uri", uri()}, {"languageId", "track"}, {"version", 1}, {"text", text}}}});
    return told();
  }
  json at(int line, int character) const {
    return {{"textDocument", {{"uri", uri()}}},
            {"position", {{"line", line}, {"character", character}}}};
  }

  std::filesystem::path folder_;
  LanguageSession session_{KnownFrom{}, "1.2.3"};
  int id_ = 0;
};

constexpr const char* kTrack =
    "track \"T\"\n  gather contacts where plan is \"\u20ac\U0001F600\" and plam is \"x\" "
    "continuously\nstep \"A\"\n  otherwise:\n    stop\n";

TEST_F(LanguageServer, BeginsAndEndsInOrder) {
  EXPECT_EQ(error_of(request("textDocument/hover", at(0, 0))), -32002);
  begin();
  EXPECT_EQ(error_of(request("initialize", json::object())), -32600);
  EXPECT_EQ(error_of(request("no/such")), -32601);
  EXPECT_TRUE(request("shutdown").at("result").is_null());
  EXPECT_EQ(error_of(request("textDocument/hover", at(0, 0))), -32600);
  EXPECT_FALSE(session_.ended());
  notify("exit", json());
  EXPECT_EQ(session_.ended(), 0);
}

TEST_F(LanguageServer, ExitWithoutShutdownIsAMistake) {
  begin();
  notify("exit", json());
  EXPECT_EQ(session_.ended(), 1);
}

TEST_F(LanguageServer, RefusesWhatIsNoRequest) {
  begin();
  EXPECT_EQ(error_of(take("{").at(0)), -32700);
  EXPECT_EQ(error_of(take("\"\xff\"").at(0)), -32700);
  EXPECT_EQ(error_of(take(R"("\ud800")").at(0)), -32700);
  EXPECT_EQ(error_of(take(std::string(100'000, '[')).at(0)), -32700);
  EXPECT_EQ(error_of(take("[]").at(0)), -32600);
  EXPECT_EQ(error_of(take(R"({"id":{},"method":"shutdown"})").at(0)), -32600);
  EXPECT_EQ(error_of(take(R"({"id":7})").at(0)), -32600);
  EXPECT_EQ(take(R"({"id":7})").at(0)["id"], 7);
  EXPECT_EQ(error_of(request("textDocument/hover", json::array())), -32602);
  EXPECT_EQ(error_of(request("textDocument/hover", at(0, 0))), -32803);  // it is not open
  EXPECT_EQ(error_of(read(session_.take({Kind::kBroken, ""})).at(0)), -32700);
  EXPECT_EQ(error_of(read(session_.take({Kind::kTooLong, ""})).at(0)), -32600);
  // Answers, cancellations and unknown notifications are passed over.
  EXPECT_TRUE(take(R"({"jsonrpc":"2.0","id":"watch-fields","result":null})").empty());
  EXPECT_TRUE(notify("$/cancelRequest", {{"id", 1}}).empty());
  EXPECT_TRUE(notify("textDocument/didChange", json::array()).empty());
  EXPECT_TRUE(notify("textDocument/didClose", json()).empty());
}

TEST_F(LanguageServer, TellsDiagnosticsInTheUnitsAgreedOn) {
  begin();
  const json params = open(kTrack);
  EXPECT_EQ(params["uri"], uri());
  EXPECT_EQ(params["version"], 1);
  ASSERT_EQ(params["diagnostics"].size(), 1U);
  const json d = params["diagnostics"][0];
  EXPECT_EQ(d["code"], "unknown-field");
  EXPECT_EQ(d["severity"], 1);
  EXPECT_EQ(d["range"]["start"], (json{{"line", 1}, {"character", 42}}));
  EXPECT_EQ(d["range"]["end"], (json{{"line", 1}, {"character", 46}}));
  EXPECT_EQ(d["message"], "field `plam` is not declared\ndid you mean `plan`?");
  EXPECT_TRUE(session_.settle().empty());
}

TEST_F(LanguageServer, CountsBytesForThoseWhoAskForThem) {
  begin({{"general", {{"positionEncodings", {"utf-8", "utf-16"}}}}});
  EXPECT_EQ(open(kTrack)["diagnostics"][0]["range"]["start"]["character"], 46);
}

TEST_F(LanguageServer, FollowsChangesOfPartsAndOfTheWhole) {
  begin();
  open(kTrack);
  const auto change = [&](const json& changes) {
    notify("textDocument/didChange",
           {{"textDocument", {{"uri", uri()}, {"version", 2}}}, {"contentChanges", changes}});
    return told();
  };
  const json plam = {{"start", {{"line", 1}, {"character", 42}}},
                     {"end", {{"line", 1}, {"character", 46}}}};
  json params = change({{{"range", plam}, {"text", "plan"}}});
  EXPECT_TRUE(params["diagnostics"].empty());
  EXPECT_EQ(params["version"], 2);
  params = change(
      {{{"range", plam}, {"text", "pl"}},
       {{"range",
         {{"start", {{"line", 1}, {"character", 44}}}, {"end", {{"line", 1}, {"character", 44}}}}},
        {"text", "on"}}});
  EXPECT_EQ(params["diagnostics"][0]["message"],
            "field `plon` is not declared\ndid you mean `plan`?");
  params = change({{{"text", "trak \"T\"\n"}}});
  EXPECT_EQ(params["diagnostics"][0]["code"], "expected-track");
}

TEST_F(LanguageServer, ReadsFieldsAgainWhenTheyChange) {
  begin({{"workspace", {{"didChangeWatchedFiles", {{"dynamicRegistration", true}}}}}});
  EXPECT_EQ(open(kTrack)["diagnostics"].size(), 1U);
  fields("[fields]\nplan = \"text\"\nplam = \"text\"\n");
  std::filesystem::last_write_time(
      folder_ / "fields.toml",
      std::filesystem::file_time_type::clock::now() + std::chrono::seconds(5));
  notify("workspace/didChangeWatchedFiles", {{"changes", json::array()}});
  EXPECT_TRUE(told()["diagnostics"].empty());
}

TEST_F(LanguageServer, AsksToBeToldOfFieldsWhereEditorsCan) {
  EXPECT_TRUE(
      request("initialize",
              {{"capabilities",
                {{"workspace", {{"didChangeWatchedFiles", {{"dynamicRegistration", true}}}}}}}})
          .contains("result"));
  const auto asked = notify("initialized", json::object());
  ASSERT_EQ(asked.size(), 1U);
  EXPECT_EQ(asked[0]["method"], "client/registerCapability");
}

TEST_F(LanguageServer, KeepsSeveralDocumentsApart) {
  begin();
  open(kTrack);
  notify("textDocument/didOpen",
         {{"textDocument",
           {{"uri", "untitled:1"}, {"languageId", "track"}, {"version", 1}, {"text", "x"}}}});
  const json params = told();
  EXPECT_EQ(params["uri"], "untitled:1");
  EXPECT_EQ(params["diagnostics"][0]["code"], "expected-track");
  const auto cleared = notify("textDocument/didClose", {{"textDocument", {{"uri", "untitled:1"}}}});
  ASSERT_EQ(cleared.size(), 1U);
  EXPECT_TRUE(cleared[0]["params"]["diagnostics"].empty());
  EXPECT_TRUE(request("textDocument/hover", at(1, 25)).at("result").contains("contents"));
}

TEST_F(LanguageServer, AnswersInTheProtocolsForm) {
  begin();
  open(kTrack);
  const json doc = {{"textDocument", {{"uri", uri()}}}};
  EXPECT_EQ(request("textDocument/hover", at(1, 25))["result"]["contents"]["value"],
            "plan: text; a field of the contact");
  EXPECT_EQ(request("textDocument/documentSymbol", doc)["result"][1]["location"]["uri"], uri());
  EXPECT_EQ(request("textDocument/definition", at(2, 6))["result"][0]["range"]["start"]["line"], 2);
  EXPECT_TRUE(request("textDocument/prepareRename", at(1, 25)).at("result").is_null());
  EXPECT_EQ(error_of(request("textDocument/rename", {{"textDocument", {{"uri", uri()}}},
                                                     {"position", {{"line", 2}, {"character", 6}}},
                                                     {"newName", ""}})),
            -32803);
  const json actions = request(
      "textDocument/codeAction",
      {{"textDocument", {{"uri", uri()}}},
       {"range",
        {{"start", {{"line", 1}, {"character", 46}}}, {"end", {{"line", 1}, {"character", 46}}}}},
       {"context", {{"diagnostics", json::array()}}}})["result"];
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(actions[0]["edit"]["changes"][uri()][0]["newText"], "plan");
}

TEST_F(LanguageServer, OutlivesAnyMessage) {
  begin();
  open(kTrack);
  const std::vector<std::string> seeds = {
      json{{"id", 1},
           {"method", "textDocument/didChange"},
           {"params",
            {{"textDocument", {{"uri", uri()}, {"version", 2}}},
             {"contentChanges",
              {{{"range",
                 {{"start", {{"line", 1}, {"character", 4}}},
                  {"end", {{"line", 0}, {"character", 90}}}}},
                {"text", "step \"x"}}}}}}}
          .dump(),
      json{{"method", "textDocument/didOpen"},
           {"params", {{"textDocument", {{"uri", uri()}, {"version", 2}, {"text", kTrack}}}}}}
          .dump(),
      json{{"id", 1}, {"method", "textDocument/completion"}, {"params", at(1, 40)}}.dump(),
      json{{"id", 1}, {"method", "textDocument/references"}, {"params", at(2, 6)}}.dump(),
      json{{"id", 1},
           {"method", "textDocument/documentSymbol"},
           {"params", {{"textDocument", {{"uri", uri()}}}}}}
          .dump()};
  std::mt19937 random(7);
  const auto any = [&](std::size_t below) { return random() % below; };
  for (int i = 0; i < 3'000; ++i) {
    std::string message = seeds[any(seeds.size())];
    for (std::size_t k = any(4); k > 0; --k) {
      static constexpr std::string_view kBytes = "\"{}[]:,0123456789-ex\\ \xff";
      message[any(message.size())] = kBytes[any(kBytes.size())];
    }
    take(message);
    session_.settle();
    ASSERT_FALSE(session_.ended()) << message;
  }
  EXPECT_EQ(error_of(request("no/such")), -32601);
}

TEST(FileUri, IsDecoded) {
  EXPECT_EQ(path_of_uri("file:///a%20b/c%C3%A4.track"), "/a b/c\u00e4.track");
  EXPECT_EQ(path_of_uri("FILE://host/x"), "/x");
  EXPECT_EQ(path_of_uri("file:///100%"), "/100%");
  EXPECT_EQ(path_of_uri("file:///a%0"), "/a%0");
  EXPECT_EQ(path_of_uri("file:///a%00b"), std::nullopt);
  EXPECT_EQ(path_of_uri("file:"), std::nullopt);
  EXPECT_EQ(path_of_uri("untitled:1"), std::nullopt);
}

}  // namespace
}  // namespace turnout::cli
