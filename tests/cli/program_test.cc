// The program itself: its commands against a peer of its own on an embedded database in a temporary
// folder.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>
#include <algorithm>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "deliver/child.h"

namespace turnout::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct Ended {
  int code = -1;
  std::string out;
  std::string err;
};

std::string contents(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    std::string name = (fs::temp_directory_path() / "turnout-cli-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~ProgramTest() override { fs::remove_all(folder_); }

  std::string file(const std::string& name, const std::string& text) {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return name;
  }

  // Runs the program in the folder with these arguments and variables ("A=B").
  Ended run(std::vector<std::string> arguments, std::vector<std::string> variables = {}) {
    const fs::path out = folder_ / ".out";
    const fs::path err = folder_ / ".err";
    const pid_t pid = fork();
    if (pid == 0) {
      enter(variables);
      dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDOUT_FILENO);
      dup2(open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
      std::vector<char*> argv = {const_cast<char*>(TURNOUT_PROGRAM)};
      for (std::string& argument : arguments) {
        argv.push_back(argument.data());
      }
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    int status = 0;
    waitpid(pid, &status, 0);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), contents(out),
            contents(err)};
  }

  // What a child process does first.
  void enter(const std::vector<std::string>& variables) const {
    if (chdir(folder_.c_str()) != 0) {
      _exit(126);
    }
    unsetenv("TURNOUT_CONFIG");
    setenv("TURNOUT_SERVER", server_.empty() ? "http://127.0.0.1:1" : server_.c_str(), 1);
    for (const std::string& variable : variables) {
      const std::size_t equals = variable.find('=');
      setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
    }
  }

  // Starts a peer without any configuration but a free port, and waits until it answers.
  void serve() {
    file("serve.sh", "cd \"$1\"; TURNOUT_LISTEN=127.0.0.1:0 exec \"$2\" serve 2>&1\n");
    peer_ = std::make_unique<testing::Child>(std::vector<std::string>{
        "/bin/sh", (folder_ / "serve.sh").string(), folder_.string(), TURNOUT_PROGRAM});
    std::string line;
    do {
      line = peer_->line();
      if (const std::size_t at = line.find("http://127.0.0.1:"); at != std::string::npos) {
        server_ = line.substr(at, line.find_first_not_of("0123456789", at + 17) - at);
      }
    } while (server_.empty() && !line.empty());
    ASSERT_FALSE(server_.empty()) << "the peer did not start";
  }

  fs::path folder_;
  std::string server_;
  std::unique_ptr<testing::Child> peer_;
};

TEST_F(ProgramTest, UsageIsExitCode2) {
  EXPECT_EQ(run({"--version"}).code, 0);
  EXPECT_EQ(run({}).code, 2);
  EXPECT_EQ(run({"nothing"}).code, 2);
  EXPECT_EQ(run({"import"}).code, 2);
  EXPECT_EQ(run({"outbox", "--limit", "0"}).code, 2);
  EXPECT_EQ(run({"import", "x.csv", "--type", "age"}).code, 2);
}

TEST_F(ProgramTest, NoServerIsExitCode3) {
  file("a.csv", "key\na\n");
  file("a.track", "track \"A\"\nstep \"S\"\n  otherwise:\n    stop\n");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"peers"},
                                                    {"tracks"},
                                                    {"report", "x"},
                                                    {"why", "x"},
                                                    {"outbox"},
                                                    {"import", "a.csv"},
                                                    {"apply", "a.track"}}) {
    const Ended result = run(arguments);
    EXPECT_EQ(result.code, 3) << arguments[0] << "\n" << result.err;
    EXPECT_NE(result.err.find("turnout serve"), std::string::npos) << result.err;
  }
}

// Measure 5: a configuration with unknown keys.
TEST_F(ProgramTest, ABadConfigurationStartsNothing) {
  file("turnout.toml", "nmae = \"a\"\n[group]\ncycel = \"1s\"\n");
  const Ended result = run({"serve"});
  EXPECT_EQ(result.code, 1);
  EXPECT_NE(result.err.find("turnout.toml:1:1: error: \"nmae\" is no key"), std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("turnout.toml:3:1: error: \"group.cycel\" is no key"),
            std::string::npos)
      << result.err;
  EXPECT_FALSE(fs::exists(folder_ / "turnout.db"));
}

// Measure 5: a database that is not there.
TEST_F(ProgramTest, ADatabaseThatIsNotThereIsExitCode3) {
  const Ended result =
      run({"serve"}, {"TURNOUT_DATABASE=postgresql://nobody@127.0.0.1:1/none?connect_timeout=2",
                      "TURNOUT_DATABASE_WAIT=100ms", "TURNOUT_LISTEN=127.0.0.1:0"});
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_NE(result.err.find("waits for the database, at most 0.1 s: cannot connect"),
            std::string::npos)
      << result.err;
  EXPECT_NE(result.err.find("error: cannot connect"), std::string::npos) << result.err;
}

TEST_F(ProgramTest, AKeyIsNeverOverwritten) {
  EXPECT_EQ(run({"keygen", "group.key"}).code, 0);
  const std::string key = contents(folder_ / "group.key");
  EXPECT_EQ(run({"keygen", "group.key"}).code, 1);
  EXPECT_EQ(contents(folder_ / "group.key"), key);
  EXPECT_EQ(fs::status(folder_ / "group.key").permissions(),
            fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(ProgramTest, FormatsAndChecks) {
  file("a.track",
       "track \"A\"\n\n  gather contacts where age is at least 60\n   continuously\nstep \"S\"\n "
       "otherwise:\n  stop as \"x\"\n");
  EXPECT_EQ(run({"fmt", "--check", "a.track"}).code, 1);
  EXPECT_EQ(run({"fmt", "a.track"}).code, 0);
  EXPECT_EQ(run({"fmt", "--check", "a.track"}).code, 0);
  EXPECT_EQ(run({"check", "a.track", "--field", "age=number"}).code, 0);
  const Ended wrong = run({"check", "a.track", "--field", "agee=number"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_NE(wrong.err.find("a.track:2:25: error:"), std::string::npos) << wrong.err;
  EXPECT_NE(wrong.err.find("did you mean"), std::string::npos) << wrong.err;
  EXPECT_EQ(
      json::parse(run({"check", "--json", "a.track", "--field", "agee=number"}).out)[0]["line"], 2);
  EXPECT_EQ(run({"check", "not-there.track", "--field", "a=text"}).code, 1);
  EXPECT_EQ(run({"fmt", "."}).code, 1);
}

TEST_F(ProgramTest, RunsTheTestsBesideATrack) {
  file("fields.toml", "templates = [\"hello\"]\n[fields]\nage = \"number\"\n");
  const std::string track =
      "track \"A\"\n  gather contacts where age is at least 60 continuously\n"
      "step \"S\"\n  otherwise:\n    send email \"hello\"\n    stop as \"x\"\n";
  file("a.track",
       track + "test \"greets <everybody>\"\n  given age is 70\n  expect email \"hello\"\n");
  const Ended good = run({"test", "a.track"});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ(good.out, "a.track\n  ok    greets <everybody>\n1 test, none failed\n");
  file("a.track",
       track + "test \"greets <everybody>\"\n  given age is 70\n  expect no email \"hello\"\n");
  const Ended bad = run({"test", "a.track", "--junit", "out.xml"});
  EXPECT_EQ(bad.code, 1);
  EXPECT_NE(bad.out.find("  FAIL  greets <everybody>\n        a.track:9:3: email \"hello\" was"),
            std::string::npos)
      << bad.out;
  const std::string xml = contents(folder_ / "out.xml");
  EXPECT_NE(xml.find("<testsuite name=\"a.track\" tests=\"1\" failures=\"1\">"), std::string::npos)
      << xml;
  EXPECT_NE(xml.find("name=\"greets &lt;everybody&gt;\""), std::string::npos) << xml;
  // What it is checked against stands beside it; what is wrong with that is said with its line.
  file("a.track", track + "test \"t\"\n  given agee is 70\n  expect stopped\n");
  EXPECT_NE(run({"test", "a.track"}).err.find("a.track:8:9: error"), std::string::npos);
  file("fields.toml", "[fields]\nage = \"numbre\"\n");
  const Ended wrong = run({"check", "a.track"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_NE(wrong.err.find("fields.toml:2: field age needs a type"), std::string::npos)
      << wrong.err;
}

TEST_F(ProgramTest, TheExamplesAreRightAndDoWhatTheirTestsSay) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(TURNOUT_SOURCE_DIR "/examples/tracks")) {
    if (entry.path().extension() == ".track") {
      files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  ASSERT_GE(files.size(), 10U);
  const auto with = [&](std::vector<std::string> command) {
    command.insert(command.end(), files.begin(), files.end());
    return run(std::move(command));
  };
  const Ended checked = with({"check"});
  EXPECT_EQ(checked.code, 0);
  EXPECT_EQ(checked.err, "") << "not even a warning";
  EXPECT_EQ(with({"fmt", "--check"}).code, 0);
  const Ended tested = with({"test"});
  EXPECT_EQ(tested.code, 0) << tested.out;
  EXPECT_NE(tested.out.find(" tests, none failed"), std::string::npos) << tested.out;
}

TEST_F(ProgramTest, TriesATrackWithoutAServer) {
  file("fields.toml", "[fields]\nage = \"number\"\n");
  file("a.track",
       "track \"A\"\n  gather contacts where age is at least 60 continuously\n"
       "step \"S\"\n  otherwise:\n    send email \"hello\"\n    go to \"T\" after 2 days\n"
       "step \"T\"\n  when age is 70:\n    stop as \"x\"\n");
  const std::vector<std::string> command = {"try",           "a.track", "--contact",
                                            "{\"age\": 65}", "--at",    "2026-12-01T09:00:00Z"};
  const std::string start =
      "2026-12-01T09:00:00Z  \"S\" → \"T\", closed until 2026-12-03T09:00:00Z\n    otherwise\n"
      "    email \"hello\"\n    saw {}\n";
  const Ended waits = run(command);
  EXPECT_EQ(waits.code, 0) << waits.err;
  EXPECT_EQ(waits.out, start + "2027-12-01T09:00:00Z  waits on \"T\", for something to change\n");
  auto changed = command;
  changed.insert(changed.end(), {"--set", "age=70@3 days"});
  EXPECT_EQ(run(changed).out,
            start +
                "2026-12-04T09:00:00Z  \"T\" → stops as \"x\"\n    when age is 70\n"
                "    saw {\"age\":70}\n");
  changed.push_back("--json");
  EXPECT_EQ(json::parse(run(changed).out)["moves"][1]["head"], "when age is 70");
  const Ended nobody = run({"try", "a.track", "--contact", "{\"age\": 5}"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_NE(nobody.err.find("--anyhow"), std::string::npos) << nobody.err;
  EXPECT_EQ(run({"try", "a.track", "--contact", "{\"agee\": 5}"}).code, 1);
  EXPECT_EQ(run({"try", "a.track", "--until", "soon"}).code, 1);
}

TEST_F(ProgramTest, RendersTemplates) {
  file("welcome.txt", "Subject: Hi {{ name }}\n\nDear {{ name }}, {{ plna }}\n");
  const Ended mail = run({"render", "welcome.txt", "--contact", "{\"name\": \"A\\nB\"}"});
  EXPECT_EQ(mail.code, 0);
  EXPECT_EQ(mail.out, "Subject: Hi A B\n\nDear A\nB, \n");
  EXPECT_EQ(mail.err, "note: there is no \"plna\" in the data; it is left empty\n");

  file("page.html", "<b>{{ order.name }}</b> {{ 'now' | date: '%H:%M' }}");
  file("data.json", R"({"order": {"name": "<i>"}})");
  const std::vector<std::string> page = {"render",    "page.html", "--data",
                                         "data.json", "--now",     "2026-12-01T09:00:00Z"};
  EXPECT_EQ(run(page).out, "<b>&lt;i&gt;</b> 09:00\n");
  auto more = page;
  more.insert(more.end(), {"--text", "--zone", "Europe/Berlin"});
  EXPECT_EQ(run(more).out, "<b><i></b> 10:00\n");

  file("wrong.txt", "one\n{{ name | upcas }}");
  const Ended wrong = run({"render", "wrong.txt"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_EQ(wrong.err,
            "error: wrong.txt: line 2, column 11: there is no filter \"upcas\"; did you mean "
            "\"upcase\"?\n");
  EXPECT_EQ(run({"render", "page.html", "--contact", "[]"}).code, 1);
  EXPECT_EQ(run({"render", "page.html", "--zone", "Nowhere"}).code, 1);
  EXPECT_EQ(run({"render", "not-there.txt"}).code, 1);
  EXPECT_EQ(run({"render"}).code, 2);
  EXPECT_EQ(run({"render", "page.html", "--html", "--text"}).code, 2);
}

TEST_F(ProgramTest, ConvertsToJsonAndBack) {
  const std::string text =
      "# why\ntrack \"A\"  # here\n\nstep \"S\"\n  otherwise:\n    stop as \"x\"\n";
  file("a.track", text);
  const Ended printed = run({"convert", "--to", "json", "a.track"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_EQ(json::parse(printed.out)["comments"],
            json::parse(R"({"before":["why"],"behind":"here"})"));
  EXPECT_EQ(run({"convert", "--to", "json", "a.track", "--output", "a.json"}).out, "");
  EXPECT_EQ(contents(folder_ / "a.json"), printed.out);
  EXPECT_EQ(run({"convert", "--to", "track", "a.json"}).out, text);
  const std::string compact = run({"convert", "--to", "json", "--compact", "a.track"}).out;
  EXPECT_EQ(compact, json::parse(compact).dump().size() + 1 == compact.size() ? compact : "");
  EXPECT_EQ(run({"convert", "--schema"}).out,
            contents(fs::path(TURNOUT_SOURCE_DIR) / "docs/formats/track.schema.json"));
}

TEST_F(ProgramTest, ConvertSaysWhatIsWrong) {
  file("a.track", "track \"A\"\nstep \"S\"\n  othrwise:\n    stop\n");
  file("a.json", R"({"format":1,"track":"A","parts":[{"part":"step","nmae":"S"}]})");
  const Ended text = run({"convert", "--to", "json", "a.track"});
  EXPECT_EQ(text.code, 1);
  EXPECT_NE(text.err.find("a.track:3:3: error:"), std::string::npos) << text.err;
  const Ended form = run({"convert", "--to", "track", "a.json"});
  EXPECT_EQ(form.code, 1);
  EXPECT_EQ(form.out, "");
  EXPECT_EQ(form.err,
            "a.json: error: /parts/0: expected a member \"name\"\n"
            "a.json: error: /parts/0/nmae: this member is not known here; did you mean "
            "\"name\"?\n");
  EXPECT_EQ(run({"convert", "--to", "json", "not-there.track"}).code, 1);
  EXPECT_EQ(run({"convert"}).code, 2);
  EXPECT_EQ(run({"convert", "a.track"}).code, 2);
  EXPECT_EQ(run({"convert", "--to", "xml", "a.track"}).code, 2);
  EXPECT_EQ(run({"convert", "--to", "json", "--schema"}).code, 2);
  EXPECT_EQ(run({"convert", "--to", "json", "a.track", "a.track", "--output", "b"}).code, 2);
}

TEST_F(ProgramTest, GraphDrawsATrack) {
  file("a.track", "track \"A\"\nleave on \"e\"\nstep \"S\"\n  otherwise:\n    stop as \"x\"\n");
  const Ended printed = run({"graph", "a.track"});
  EXPECT_EQ(printed.code, 0) << printed.err;
  EXPECT_TRUE(printed.out.starts_with("<svg ")) << printed.out;
  EXPECT_TRUE(printed.out.ends_with("</svg>\n"));
  EXPECT_NE(printed.out.find(">S</text>"), std::string::npos);
  EXPECT_EQ(run({"graph", "a.track", "--svg", "-"}).out, printed.out);
  EXPECT_EQ(run({"graph", "a.track", "--svg", "a.svg"}).out, "");
  EXPECT_EQ(contents(folder_ / "a.svg"), printed.out);
}

TEST_F(ProgramTest, GraphSaysWhatIsWrong) {
  file("a.track", "track \"A\"\nstep \"S\"\n  othrwise:\n    stop\n");
  const Ended wrong = run({"graph", "a.track", "--svg", "a.svg"});
  EXPECT_EQ(wrong.code, 1);
  EXPECT_NE(wrong.err.find("a.track:3:3: error:"), std::string::npos) << wrong.err;
  EXPECT_FALSE(fs::exists(folder_ / "a.svg"));
  std::string many = "track \"A\"\n";
  for (int step = 0; step <= 2'000; ++step) {
    many += "step \"S" + std::to_string(step) + "\"\n  otherwise:\n    stay\n";
  }
  file("many.track", many);
  const Ended large = run({"graph", "many.track"});
  EXPECT_EQ(large.code, 1);
  EXPECT_NE(large.err.find("too large for a picture, with 2001 nodes"), std::string::npos)
      << large.err;
  EXPECT_EQ(run({"graph", "not-there.track"}).code, 1);
  EXPECT_EQ(run({"graph", "a.track", "--svg", "no/such/folder.svg"}).code, 1);
  EXPECT_EQ(run({"graph"}).code, 2);
}

// A folder of tracks against the server that runs: planned, published, published anew over contacts
// that wait, and pulled back.
TEST_F(ProgramTest, TracksAsFiles) {
  serve();
  file("contacts.csv", "key,age\nk1,31\nk2,50\nk3,70\n");
  ASSERT_EQ(run({"import", "contacts.csv"}).code, 0);
  const std::string trial =
      "track \"Trial\"\n  gather contacts continuously\nstep \"A\"\n  otherwise:\n    stop\n";
  file("t.track", trial);
  ASSERT_EQ(run({"apply", "t.track"}).code, 0);
  const std::string head = "  gather contacts continuously\n    start at \"A\"\n";
  file("tracks/deep/wait.track", "track \"Wait\"\n" + head +
                                     "step \"A\"\n  otherwise:\n    go to \"B\" after 1 year\n"
                                     "step \"B\"\n  otherwise:\n    stop\n");
  file("tracks/other.track", "track \"Other\"\n" + head + "step \"A\"\n  othrwise:\n    stop\n");
  file("tracks/.hidden/not.track", "no track at all");
  const Ended half = run({"apply", "tracks"});
  EXPECT_EQ(half.code, 1);
  EXPECT_NE(half.err.find("tracks/other.track:5:3: error:"), std::string::npos) << half.err;
  EXPECT_NE(half.err.find("nothing was published"), std::string::npos) << half.err;
  EXPECT_EQ(run({"report", "Wait"}).code, 1) << "the good one neither";

  file("tracks/other.track",
       "track \"Other\"\n" + head + "step \"A\"\n  after 1 year:\n    stop\n");
  const Ended first = run({"plan", "tracks"});
  EXPECT_EQ(first.code, 0) << first.err;
  EXPECT_EQ(first.out,
            "tracks/deep/wait.track: track \"Wait\" is new\n"
            "tracks/other.track: track \"Other\" is new\n"
            "track \"Trial\" is on the server only, and stays as it is\n");
  EXPECT_EQ(run({"report", "Wait"}).code, 1) << "a plan publishes nothing";
  EXPECT_EQ(run({"apply", "tracks"}).code, 0);
  json report;
  do {
    report = json::parse(run({"report", "Wait", "--json"}).out);
  } while (report["waiting"] != json::parse(R"({"B":3})"));

  file("tracks/deep/wait.track", "track \"Wait\"\n" + head +
                                     "step \"A\"\n  after 1 year:\n    go to \"C\"\n" +
                                     "step \"C\"\n  after 1 year:\n    stop\n");
  const Ended gone = run({"plan", "tracks"});
  EXPECT_EQ(gone.code, 1);
  EXPECT_NE(gone.out.find("track \"Wait\" goes from version 1 to 2"), std::string::npos)
      << gone.out;
  EXPECT_NE(gone.out.find("B  "), std::string::npos) << gone.out;
  EXPECT_NE(gone.out.find("have nowhere to go"), std::string::npos) << gone.out;
  const Ended refused = run({"apply", "tracks"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("step \"B\" is gone and holds 3 contacts"), std::string::npos)
      << refused.err;
  EXPECT_NE(run({"plan", "tracks", "--map", "B=C"}).out.find("go to \"C\""), std::string::npos);
  EXPECT_EQ(run({"apply", "tracks", "--map", "B=Z"}).code, 1) << "no such step";
  const Ended mapped = run({"apply", "tracks", "--map", "B=C", "--map", "Nowhere="});
  EXPECT_EQ(mapped.code, 0) << mapped.err;
  EXPECT_NE(mapped.err.find("--map \"Nowhere\": no contact waits"), std::string::npos)
      << mapped.err;
  EXPECT_EQ(json::parse(run({"report", "Wait", "--json"}).out)["waiting"],
            json::parse(R"({"C":3})"));

  EXPECT_EQ(run({"pull", "pulled"}).code, 0);
  EXPECT_EQ(contents(folder_ / "pulled/wait.track"), contents(folder_ / "tracks/deep/wait.track"));
  EXPECT_EQ(contents(folder_ / "pulled/trial.track"), contents(folder_ / "t.track"));
  file("pulled/wait.track", "track \"Wait\" # mine");
  const Ended differs = run({"pull", "pulled", "--track", "Wait"});
  EXPECT_EQ(differs.code, 1);
  EXPECT_NE(differs.err.find("--force writes over it"), std::string::npos) << differs.err;
  EXPECT_EQ(contents(folder_ / "pulled/wait.track"), "track \"Wait\" # mine");
  EXPECT_EQ(run({"pull", "pulled", "--track", "Wait", "--force"}).code, 0);
  EXPECT_EQ(contents(folder_ / "pulled/wait.track"), contents(folder_ / "tracks/deep/wait.track"));
  EXPECT_EQ(run({"pull", "pulled", "--track", "Nobody"}).code, 1);
  file("twice/a.track", contents(folder_ / "t.track"));
  file("twice/b.track", contents(folder_ / "t.track"));
  EXPECT_NE(run({"plan", "twice"}).err.find("are both the track \"Trial\""), std::string::npos);
  EXPECT_EQ(run({"plan", "pulled/.none"}).code, 1);
}

TEST_F(ProgramTest, FromImportToReport) {
  serve();
  // Measure 5: broken lines are said with file, line and remedy, and nothing else stops.
  file("bad.csv",
       "key;email;age;contact;default\nk1;k1@example.com;30;cellular;no\nk2;k2@example.com;30\nk3;"
       "x;abc;y;no\n"
       "k4;\xff;1;y;no\nk5;k5@example.com;;\"un;known\";yes\nk6;\"open;1;y;no\n");
  const Ended bad = run({"import", "bad.csv", "--type", "age=number"});
  EXPECT_EQ(bad.code, 1) << bad.err;
  for (const char* const wanted :
       {"bad.csv:3: error: has 3 columns where the header has 5",
        "bad.csv:4: error: column \"age\": \"abc\" is not a number",
        "bad.csv:5: error: column \"email\" is not UTF-8", "bad.csv:7: error: a quote is opened"}) {
    EXPECT_NE(bad.err.find(wanted), std::string::npos) << wanted << "\n" << bad.err;
  }
  EXPECT_NE(
      bad.out.find("2 contacts imported (2 new, 0 updated, 0 unchanged); 4 bad lines left out"),
      std::string::npos)
      << bad.out;
  const Ended strict = run({"import", "bad.csv", "--strict"});
  EXPECT_EQ(strict.code, 1);
  EXPECT_NE(strict.err.find("stopped at the first bad line"), std::string::npos) << strict.err;
  file("good.csv",
       "key,age,contact,default,email\nk1,31,cellular,no,k1@example.com\nk7,70,unknown,yes,k7@"
       "example.com\n");
  const json counts = json::parse(run({"import", "good.csv", "--json"}).out);
  EXPECT_EQ(counts["inserted"], 1);
  EXPECT_EQ(counts["updated"], 1);

  file("bad.track",
       "track \"T\"\n  gather contacts continuously\nstep \"A\"\n  when agee is at least 3:\n    "
       "go to \"B\"\n  when contact is at least 3:\n    send email \"none\"\n");
  const Ended refused = run({"apply", "bad.track"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("bad.track:4:8: error:"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("bad.track:5:11: error:"), std::string::npos) << refused.err;
  EXPECT_EQ(json::parse(run({"tracks", "--json"}).out)["tracks"], json::array());

  file("t.track",
       "track \"Trial\"\n  gather contacts continuously\n    start at \"A\"\nstep \"A\"\n  when "
       "default:\n    stop as \"out\"\n"
       "  when age is missing or age is at most 30:\n    stop as \"young\"\n  otherwise:\n    add "
       "tag \"old\"\n    stop as \"old\"\n");
  EXPECT_EQ(run({"apply", "t.track"}).code, 0);
  EXPECT_NE(run({"apply", "t.track"}).out.find("unchanged"), std::string::npos);
  // Until all three have stopped; ctest's time-out ends a test in which they never do.
  json report;
  do {
    const Ended asked = run({"report", "Trial", "--json"});
    ASSERT_EQ(asked.code, 0) << asked.err;
    report = json::parse(asked.out);
  } while (report["stopped"] != json::parse(R"({"old":1,"out":2})"));
  EXPECT_EQ(report["entered"], 3);
  EXPECT_EQ(report["moves"], 3);
  const json why = json::parse(run({"why", "k1", "--json"}).out);
  EXPECT_EQ(why["tags"], json::array({"old"}));
  EXPECT_EQ(why["moves"][0]["rule_text"], "otherwise");
  EXPECT_EQ(why["moves"][0]["seen"]["age"], 31);
  EXPECT_NE(run({"why", "k1"}).out.find("stopped as \"old\""), std::string::npos);
  EXPECT_EQ(run({"why", "nobody"}).code, 1);
  EXPECT_NE(run({"report", "Trial"}).out.find("stopped as"), std::string::npos);
  EXPECT_EQ(json::parse(run({"peers", "--json"}).out)["self"], "turnout");
  EXPECT_EQ(json::parse(run({"outbox", "--json"}).out)["outbox"], json::array());

  // Measure 5: a port in use.
  const Ended second =
      run({"serve"}, {"TURNOUT_LISTEN=" + server_.substr(7), "TURNOUT_DATABASE=sqlite:other.db"});
  EXPECT_EQ(second.code, 3) << second.err;
  EXPECT_NE(second.err.find("is in use"), std::string::npos) << second.err;
}

}  // namespace
}  // namespace turnout::cli
