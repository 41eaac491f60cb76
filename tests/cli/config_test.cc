#include "cli/config.h"

#include <gtest/gtest.h>

namespace turnout::cli {
namespace {

// All problems as shown.
std::string problems_of(const std::string& text, const Environment& environment = {}) {
  std::string out;
  for (const ConfigProblem& problem : parse_config(text, "t.toml", environment).problems) {
    out += render(problem);
  }
  return out;
}

TEST(Config, NothingAtAllIsFine) {
  const ConfigAnswer answer = parse_config("", "", {});
  EXPECT_TRUE(answer.ok());
  EXPECT_TRUE(answer.problems.empty());
  EXPECT_EQ(answer.config.name, "turnout");
  EXPECT_EQ(answer.config.database, "sqlite:turnout.db");
  EXPECT_EQ(answer.config.listen, "127.0.0.1:7100");
  EXPECT_TRUE(answer.config.group.listen.empty());
}

TEST(Config, ReadsEveryKindOfValue) {
  const ConfigAnswer answer = parse_config(R"(
name = "a"
allow_remote = true
[group]
listen = ["127.0.0.1:7201", "[::1]:7201"]
seeds = "127.0.0.1:7202"
cycle = "250ms"
miss_limit = 5
[smtp]
url = "smtp://mail.example.com:587"
tls = "required"
[webhooks."call centre"]
url = "https://example.com/hook"
timeout = "3s"
)",
                                           "t.toml", {});
  for (const ConfigProblem& problem : answer.problems) {
    ADD_FAILURE() << render(problem);
  }
  EXPECT_EQ(answer.config.group.listen.size(), 2U);
  EXPECT_EQ(answer.config.group.seeds, std::vector<std::string>{"127.0.0.1:7202"});
  EXPECT_EQ(answer.config.group.cycle, std::chrono::milliseconds(250));
  EXPECT_EQ(answer.config.smtp.tls, SmtpTls::kRequired);
  EXPECT_EQ(answer.config.webhooks.at("call centre").timeout, std::chrono::seconds(3));
}

// Measure 5: every mistake at once, each with file, line, column and remedy.
TEST(Config, SaysAllMistakesAtOnceWithTheirPlaces) {
  EXPECT_EQ(problems_of(R"(nmae = "a"
listen = "7100"
[group]
cycel = "1s"
miss_limit = 2
[smpt]
url = "x"
[webhooks.sales]
urll = "http://example.com"
)"),
            R"(t.toml:1:1: error: "nmae" is no key of the configuration
    did you mean "name"?
t.toml:2:10: error: "listen": "7100" is not an address
    write host:port, such as "127.0.0.1:7100" or "[::1]:7100"
t.toml:4:1: error: "group.cycel" is no key of the configuration
    did you mean "group.cycle"?
t.toml:5:14: error: "group.miss_limit": must be a whole number from 3 to 100
t.toml:6:2: error: "smpt" is no key of the configuration
    did you mean "smtp"?
t.toml:9:1: error: "webhooks.sales.urll" is no key of the configuration
    did you mean "url"?
)");
}

TEST(Config, PeersAreSecuredByAKeyOrByCertificates) {
  EXPECT_EQ(problems_of("[group]\ncertificate = 'a.pem'\nprivate_key = 'a.key'\nca = 'ca.pem'\n"),
            "");
  EXPECT_EQ(
      problems_of("[group]\nkey_file = 'g.key'\n",
                  {{"TURNOUT_GROUP_CERTIFICATE", "a.pem"}, {"TURNOUT_GROUP_CA", "ca.pem"}}),
      "t.toml: error: \"group.key_file\" and \"group.certificate\", \"group.ca\" are both set\n"
      "    peers are secured by the group's key or by certificates: leave one out\n");
  EXPECT_EQ(problems_of("[group]\ncertificate = 'a.pem'\n"),
            "t.toml: error: \"group.certificate\" is set without \"group.private_key\", "
            "\"group.ca\"\n"
            "    certificates need all three: the peer's certificate, its private key and the "
            "group's CA\n");
  const ConfigAnswer answer = parse_config("", "",
                                           {{"TURNOUT_GROUP_CERTIFICATE", "a.pem"},
                                            {"TURNOUT_GROUP_PRIVATE_KEY", "a.key"},
                                            {"TURNOUT_GROUP_CA", "ca.pem"}});
  EXPECT_TRUE(answer.ok());
  EXPECT_EQ(answer.config.group.private_key, "a.key");
}

TEST(Config, BrokenTomlIsSaidWithItsPlace) {
  const std::string said = problems_of("name = \n");
  EXPECT_EQ(said.substr(0, 14), "t.toml:1:8: er") << said;
}

TEST(Config, TheEnvironmentGoesOverTheFile) {
  const ConfigAnswer answer = parse_config("name = \"a\"", "t.toml",
                                           {{"TURNOUT_NAME", "b"},
                                            {"TURNOUT_GROUP_SEEDS", "h:1,h:2"},
                                            {"TURNOUT_GROUP_MISS_LIMIT", "6"},
                                            {"TURNOUT_ALLOW_REMOTE", "true"},
                                            {"TURNOUT_SERVER", "http://x"}});
  EXPECT_TRUE(answer.problems.empty());
  EXPECT_EQ(answer.config.name, "b");
  EXPECT_EQ(answer.config.group.seeds, (std::vector<std::string>{"h:1", "h:2"}));
  EXPECT_EQ(answer.config.group.miss_limit, 6);
  EXPECT_TRUE(answer.config.allow_remote);
  EXPECT_EQ(answer.config.group.listen, std::vector<std::string>{"127.0.0.1:7101"})
      << "seeds make a group";
}

TEST(Config, AProfileSetsTheCycleUnlessItIsSetItself) {
  using std::chrono::milliseconds;
  const auto cycle = [](const char* text, const Environment& environment = {}) {
    const ConfigAnswer answer = parse_config(text, "t.toml", environment);
    EXPECT_TRUE(answer.problems.empty()) << text;
    return answer.config.group.cycle;
  };
  EXPECT_EQ(cycle(""), milliseconds(1'000));
  EXPECT_EQ(cycle("[group]\nprofile = \"lan\"\n"), milliseconds(1'000));
  EXPECT_EQ(cycle("[group]\nprofile = \"wan\"\n"), milliseconds(15'000));
  EXPECT_EQ(cycle("[group]\nprofile = \"slow\"\n"), milliseconds(30'000));
  EXPECT_EQ(cycle("[group]\ncycle = \"5s\"\nprofile = \"slow\"\n"), milliseconds(5'000));
  EXPECT_EQ(cycle("[group]\ncycle = \"5s\"\n", {{"TURNOUT_GROUP_PROFILE", "wan"}}),
            milliseconds(5'000));
  EXPECT_EQ(problems_of("[group]\nprofile = \"wide\"\n"),
            "t.toml:2:11: error: \"group.profile\": \"wide\" is not a profile\n    use lan, wan or "
            "slow\n");
}

TEST(Config, AVariableThatSetsNothingIsAWarning) {
  const ConfigAnswer answer = parse_config("", "", {{"TURNOUT_NAMR", "b"}});
  EXPECT_TRUE(answer.ok());
  ASSERT_EQ(answer.problems.size(), 1U);
  EXPECT_EQ(render(answer.problems[0]),
            "environment variable TURNOUT_NAMR: warning: sets no key of the configuration\n    did "
            "you mean TURNOUT_NAME?\n");
}

TEST(Config, AFileThatIsNotThere) {
  EXPECT_FALSE(load_config("/nonexistent/x.toml", {}).ok());
  EXPECT_FALSE(load_config(std::nullopt, {{"TURNOUT_CONFIG", "/nonexistent/x.toml"}}).ok());
}

TEST(Config, ValuesThatMustFitTogether) {
  EXPECT_NE(problems_of("[group]\nmiss_limit = 3\nclaim_counter = 3\n").find("must be below"),
            std::string::npos);
  EXPECT_NE(problems_of("[smtp]\nuser = \"u\"\n").find("smtp.password"), std::string::npos);
}

TEST(Config, HostsAndPorts) {
  EXPECT_EQ(parse_host_port("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_host_port("example.com:0")->port, 0);
  for (const char* const bad :
       {"7100", "host:", ":80", "host:65536", "::1:80", "a b:1", "host:8x"}) {
    EXPECT_FALSE(parse_host_port(bad)) << bad;
  }
}

TEST(Config, Durations) {
  EXPECT_EQ(parse_duration("2m"), std::chrono::minutes(2));
  for (const char* const bad : {"", "5", "s", "-1s", "1.5s", "1d"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

}  // namespace
}  // namespace turnout::cli
