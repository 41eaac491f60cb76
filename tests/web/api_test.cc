// What each address answers, without sockets, over the model store.

#include "web/api.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "store/model/model.h"
#include "web/fake_host.h"

namespace turnout::web {
namespace {

using nlohmann::json;

class ApiTest : public ::testing::Test {
 protected:
  ApiTest()
      : store_([] { return base::Instant{1'000'000'000}; }),
        session_(store_.open_session().value()),
        api_(host_, nullptr) {}

  Response ask(const std::string& method, const std::string& target, const std::string& body = "") {
    Request request;
    request.method = method;
    EXPECT_TRUE(parse_target(target, request)) << target;
    request.body = body;
    return api_.is_quick(request) ? api_.answer_quick(request) : api_.answer(request, *session_);
  }
  json get(const std::string& target) {
    const Response response = ask("GET", target);
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    return json::parse(response.body);
  }
  // Status and error of a request that must be refused: "422 where: message".
  std::string refused(const std::string& method, const std::string& target,
                      const std::string& body = "") {
    const Response response = ask(method, target, body);
    const json answer = json::parse(response.body);
    const json error = answer.value("error", json::object());
    const std::string where = error.value("where", "");
    return std::to_string(response.status) + " " + (where.empty() ? "" : where + ": ") +
           error.value("message", "");
  }
  void declare() {
    EXPECT_EQ(
        ask("POST", "/api/fields",
            R"({"fields":[{"name":"age","type":"number"},{"name":"day","type":"date"},{"name":"vip","type":"boolean"},)"
            R"({"name":"seen","type":"timestamp"},{"name":"contact","type":"text"}]})")
            .status,
        200);
  }

  FakeHost host_;
  store::model::ModelStore store_;
  std::unique_ptr<store::Session> session_;
  Api api_;
};

TEST_F(ApiTest, HealthAndReadiness) {
  EXPECT_EQ(ask("GET", "/healthz").status, 200);
  EXPECT_EQ(ask("GET", "/readyz").status, 200);
  host_.ready = false;
  EXPECT_EQ(refused("GET", "/readyz"), "503 no master yet");
  EXPECT_EQ(ask("GET", "/healthz").status, 200) << "the process lives";
}

TEST_F(ApiTest, ListsPeers) {
  const json answer = get("/api/peers");
  EXPECT_EQ(answer["master"], "a");
  EXPECT_EQ(answer["peers"][0]["self"], true);
  EXPECT_EQ(answer["peers"][0]["heard_ms"], nullptr);
  EXPECT_EQ(answer["peers"][1]["heard_ms"], 40);
  EXPECT_EQ(answer["peers"][1]["cycle_ms"], 250);
  EXPECT_EQ(answer["master_epoch"], 9);
}

TEST_F(ApiTest, DeclaresFieldsAndListsThem) {
  declare();
  const json answer = get("/api/fields");
  EXPECT_EQ(answer["templates"], json::array({"welcome"}));
  const json& fields = answer["fields"];
  EXPECT_EQ(std::count(fields.begin(), fields.end(),
                       json::parse(R"({"name":"contact","type":"text","built_in":false})")),
            1);
  EXPECT_EQ(answer["fields"][0]["built_in"], true);
}

TEST_F(ApiTest, ImportsColumnsOfEveryType) {
  declare();
  const std::string body =
      R"({"key":["k1","k2"],"fields":["age","day","vip","seen","contact","email"],"columns":[[30,null],["2026-12-01",null],)"
      R"([true,null],["2026-12-01T09:00:00Z",null],["cellular",null],["a@b.de",null]]})";
  EXPECT_EQ(json::parse(ask("POST", "/api/import", body).body),
            json::parse(R"({"inserted":2,"updated":0,"unchanged":0})"));
  EXPECT_EQ(json::parse(ask("POST", "/api/import", body).body)["unchanged"], 2)
      << "a repeated batch changes nothing";
  EXPECT_EQ(host_.contacts, 1);
  const json why = get("/api/contacts/k1/why");
  EXPECT_EQ(why["fields"]["age"], 30);
  EXPECT_EQ(why["fields"]["day"], "2026-12-01");
  EXPECT_EQ(why["fields"]["vip"], true);
  EXPECT_EQ(why["fields"]["contact"], "cellular");
}

// Measure 5: bad JSON is refused with its place, and nothing of the batch is stored.
TEST_F(ApiTest, RefusesBadImportsWithTheirPlaces) {
  declare();
  const std::pair<std::string, std::string> cases[] = {
      {"{", "422 body: "},
      {"[]", "422 body: is not a JSON object"},
      {"{\"key\":[\"a\xFF\"]}", "422 body: "},
      {R"({"keys":[]})", "422 keys: is no member"},
      {R"({"key":5,"fields":[],"columns":[]})", "422 key: is not an array"},
      {R"({"key":[""],"fields":[],"columns":[]})", "422 key[0]: a key has 1 to 255 bytes"},
      {R"({"key":["a","a"],"fields":[],"columns":[]})", "422 key[1]: \"a\" stands twice"},
      {R"({"key":["a"],"fields":["agee"],"columns":[[1]]})",
       "422 fields[0]: field \"agee\" does not exist"},
      {R"({"key":["a"],"fields":["created_at"],"columns":[[1]]})",
       "422 fields[0]: field \"created_at\" cannot be written"},
      {R"({"key":["a"],"fields":["age","age"],"columns":[[1],[1]]})",
       "422 fields[1]: field \"age\" stands twice"},
      {R"({"key":["a"],"fields":["age"],"columns":[]})", "422 columns: "},
      {R"({"key":["a"],"fields":["age"],"columns":[[1,2]]})",
       "422 columns[0]: is not an array of 1 values"},
      {R"({"key":["a"],"fields":["age"],"columns":[["1"]]})",
       "422 columns[0][0]: field \"age\" of contact \"a\" is not a number"},
      {R"({"key":["a"],"fields":["day"],"columns":[["2026-02-30"]]})",
       "422 columns[0][0]: field \"day\""},
      {R"({"key":["a"],"fields":["vip"],"columns":[["yes"]]})", "422 columns[0][0]: field \"vip\""},
      {R"({"key":["a"],"fields":["contact"],"columns":[["\u0000"]]})",
       "422 columns[0][0]: field \"contact\""},
  };
  for (const auto& [body, wanted] : cases) {
    const std::string said = refused("POST", "/api/import", body);
    EXPECT_TRUE(said.starts_with(wanted)) << body << "\n" << said;
  }
  EXPECT_EQ(refused("GET", "/api/contacts/a/why").substr(0, 3), "404");
  EXPECT_EQ(host_.contacts, 0);
}

TEST_F(ApiTest, ABatchHasALimit) {
  json keys = json::array();
  for (std::size_t i = 0; i < kMaxImportRows; ++i) {
    keys.push_back("k" + std::to_string(i));
  }
  EXPECT_EQ(ask("POST", "/api/import",
                json{{"key", keys}, {"fields", json::array()}, {"columns", json::array()}}.dump())
                .status,
            200);
  keys.push_back("more");
  EXPECT_TRUE(
      refused("POST", "/api/import",
              json{{"key", keys}, {"fields", json::array()}, {"columns", json::array()}}.dump())
          .starts_with("422 key: has 5001 rows"));
}

TEST_F(ApiTest, RefusesBadFields) {
  EXPECT_TRUE(refused("POST", "/api/fields", R"({"fields":[{"name":"a-b","type":"text"}]})")
                  .starts_with("422 fields[0].name"));
  EXPECT_TRUE(refused("POST", "/api/fields", R"({"fields":[{"name":"ab","type":"int"}]})")
                  .starts_with("422 fields[0].type"));
  EXPECT_TRUE(refused("POST", "/api/fields", R"({"fields":[5]})").starts_with("422 fields[0]"));
  declare();
  EXPECT_TRUE(refused("POST", "/api/fields", R"({"fields":[{"name":"age","type":"text"}]})")
                  .starts_with("409"));
}

TEST_F(ApiTest, PlaysADraftOverContacts) {
  const json answer = json::parse(
      ask("POST", "/api/backtest", R"({"text":"track","after":7,"limit":5,"length":"3 days"})")
          .body);
  EXPECT_EQ(answer["last"], 12);
  EXPECT_EQ(answer["done"], false);
  EXPECT_EQ(answer["now"], "1970-01-01T00:00:00Z");
  EXPECT_EQ(answer["figures"]["length"], "3 days");
  EXPECT_EQ(ask("POST", "/api/backtest", R"({"text":"wrong"})").status, 422);
  EXPECT_EQ(refused("POST", "/api/backtest", R"({"text":"a","limit":20001})"),
            "422 limit: must be a whole number from 1 to 20000");
  EXPECT_EQ(refused("POST", "/api/backtest", R"({"text":"a","after":-1})"),
            "422 after: must be a whole number from 0 to 9223372036854775807");
  EXPECT_EQ(refused("POST", "/api/backtest", R"({"text":"a","now":1})"), "422 now: is not text");
  EXPECT_EQ(refused("POST", "/api/backtest", R"({})"), "422 text: is missing");
}

TEST_F(ApiTest, PublishesPausesAndResumes) {
  const Response first = ask("POST", "/api/tracks", R"({"text":"track","file":"t.track"})");
  EXPECT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(json::parse(first.body)["version"], 1);
  EXPECT_EQ(host_.tracks, 1);
  EXPECT_EQ(json::parse(ask("POST", "/api/tracks", R"({"text":"track"})").body)["unchanged"], true);
  const Response wrong = ask("POST", "/api/tracks", R"({"text":"wrong"})");
  EXPECT_EQ(wrong.status, 422);
  EXPECT_EQ(json::parse(wrong.body)["diagnostics"][0]["line"], 1);
  EXPECT_EQ(refused("POST", "/api/tracks", R"({"text":5})"), "422 text: is missing");
  EXPECT_EQ(refused("POST", "/api/tracks", R"({"text":"a","plan":1})"),
            "422 plan: is neither true nor false");
  EXPECT_EQ(refused("POST", "/api/tracks", R"({"text":"a","reschedule":"yes"})"),
            "422 reschedule: is neither true nor false");
  const json plan = json::parse(ask("POST", "/api/tracks", R"({"text":"other","plan":true})").body);
  EXPECT_EQ(plan["new"], false);
  EXPECT_EQ(plan["version"], 1);
  EXPECT_EQ(plan["waiting"], json::object());
  EXPECT_EQ(host_.tracks, 1) << "nothing was published";
  EXPECT_TRUE(
      refused("POST", "/api/tracks", R"({"text":"t","map":{"A":5}})").starts_with("422 map.A"));
  const json tracks = get("/api/tracks");
  EXPECT_EQ(tracks["tracks"][0]["name"], "T");
  EXPECT_EQ(tracks["tracks"][0]["owner"], "b");
  EXPECT_EQ(ask("POST", "/api/tracks/T/pause").status, 200);
  EXPECT_EQ(get("/api/tracks/T")["active"], false);
  EXPECT_EQ(ask("POST", "/api/tracks/T/resume").status, 200);
  EXPECT_EQ(get("/api/tracks/T/report")["entered"], 0);
  EXPECT_EQ(get("/api/tracks/T/progress")["blocks"]["b"], 3);
  EXPECT_EQ(refused("GET", "/api/tracks/U").substr(0, 3), "404");
  EXPECT_EQ(refused("POST", "/api/tracks/U/pause").substr(0, 3), "404");
}

TEST_F(ApiTest, ListsTheOutbox) {
  EXPECT_EQ(get("/api/outbox?state=waiting&limit=5")["outbox"], json::array());
  EXPECT_EQ(refused("GET", "/api/outbox?state=lost").substr(0, 10), "422 state:");
  for (const char* const limit : {"0", "10001", "x", "-1", ""}) {
    EXPECT_EQ(refused("GET", std::string("/api/outbox?limit=") + limit).substr(0, 10), "422 limit:")
        << limit;
  }
}

TEST_F(ApiTest, OtherAddressesAndMethods) {
  EXPECT_EQ(refused("GET", "/nothing").substr(0, 3), "404");
  EXPECT_EQ(refused("GET", "/api/nothing").substr(0, 3), "404");
  EXPECT_EQ(refused("GET", "/").substr(0, 3), "404");
  EXPECT_EQ(ask("DELETE", "/api/tracks").status, 405);
  EXPECT_EQ(ask("POST", "/healthz").status, 405);
}

TEST(Target, IsDecoded) {
  Request request;
  ASSERT_TRUE(parse_target("/api/tracks/Trial%20w+%C3%A4?a=1+2&b&c=%26", request));
  EXPECT_EQ(request.segments, (std::vector<std::string>{"api", "tracks", "Trial w+\xC3\xA4"}));
  EXPECT_EQ(request.query,
            (std::map<std::string, std::string>{{"a", "1 2"}, {"b", ""}, {"c", "&"}}));
  for (const char* const bad : {"", "api", "/%", "/%2", "/%zz", "/%00", "/?a=%"}) {
    Request other;
    EXPECT_FALSE(parse_target(bad, other)) << bad;
  }
}

}  // namespace
}  // namespace turnout::web
