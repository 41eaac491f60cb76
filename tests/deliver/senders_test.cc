// Mailer and WebhookCaller against real servers that behave well, refuse, hang and drop the
// connection.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "deliver/carrier.h"
#include "deliver/child.h"
#include "deliver/mailer.h"
#include "deliver/webhook.h"

namespace turnout::deliver {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Child;

std::vector<std::string> python(const std::string& script, std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {
      "/usr/bin/python3", std::string(TURNOUT_SOURCE_DIR) + "/tests/deliver/" + script};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

class MailerTest : public ::testing::Test {
 protected:
  MailerTest()
      : server_(python("smtp_server.py")),
        url_("smtp://127.0.0.1:" + server_.line()),
        mailer_({.url = url_, .timeout = seconds(30)}) {}

  Outcome send(const std::string& to, milliseconds at_most = seconds(30)) {
    return mailer_.send({{"Turnout", "from@example.com"},
                         to + "@example.com",
                         "Hello",
                         ".a dot\nand text\n",
                         "id@example.com",
                         base::Instant{0}},
                        at_most);
  }

  Child server_;
  std::string url_;
  Mailer mailer_;
};

TEST_F(MailerTest, SendsOverOneConnection) {
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = send("ok");
    EXPECT_EQ(outcome.how, How::kSent) << outcome.answer;
    EXPECT_EQ(outcome.answer, "250 2.0.0 taken");
  }
  std::vector<json> mails;
  for (int i = 0; i < 3; ++i) {
    mails.push_back(json::parse(server_.line()));
  }
  EXPECT_EQ(mails[0]["from"], "from@example.com");
  EXPECT_EQ(mails[0]["to"], json::array({"ok@example.com"}));
  EXPECT_NE(mails[0]["text"].get<std::string>().find("\r\n\r\n.a dot\r\nand text\r\n"),
            std::string::npos)
      << mails[0];
  EXPECT_EQ(mails[0]["peer"], mails[1]["peer"]) << "the connection is kept";
  EXPECT_EQ(mails[0]["peer"], mails[2]["peer"]);
}

TEST_F(MailerTest, TellsWhatIsFinalFromWhatIsNot) {
  const std::tuple<const char*, How, const char*> cases[] = {
      {"reject", How::kRefused, "550 5.1.1 no such user"},
      {"later", How::kRetry, "451 4.7.1 greylisted"},
      {"refuse-data", How::kRefused, "554 5.7.1 spam"},
      {"later-data", How::kRetry, "452 4.2.2 mailbox full"},
  };
  for (const auto& [to, how, answer] : cases) {
    const Outcome outcome = send(to);
    EXPECT_EQ(outcome.how, how) << to << ": " << outcome.answer;
    EXPECT_EQ(outcome.answer, answer);
    EXPECT_FALSE(outcome.unreachable) << to;
    EXPECT_EQ(send("ok").how, How::kSent) << "after " << to;
  }
}

// A mail that was said whole may have been taken: it is never sent again by itself.
TEST_F(MailerTest, AMailSaidWholeAndNotAnsweredIsUnknown) {
  EXPECT_EQ(send("drop").how, How::kUnknown);
  EXPECT_EQ(send("ok").how, How::kSent) << "a new connection is made";
  const base::Tick begun = base::boot_now();
  EXPECT_EQ(send("silent", milliseconds(500)).how, How::kUnknown);
  EXPECT_LT(base::boot_now() - begun, seconds(20))
      << "a server that has stopped answering must not hold the thread";
}

TEST_F(MailerTest, ASilentServerDoesNotHoldUpTheEnd) {
  auto mailer = std::make_unique<Mailer>(SmtpServer{.url = url_});
  const Mail mail{{"", "a@b.de"}, "silent@example.com", "s", "t", "i@b.de", base::Instant{0}};
  const base::Tick begun = base::boot_now();
  EXPECT_EQ(mailer->send(mail, milliseconds(500)).how, How::kUnknown);
  mailer.reset();
  EXPECT_LT(base::boot_now() - begun, seconds(20));
}

TEST_F(MailerTest, AConnectionLostBeforeTheTextIsTriedAgain) {
  const Outcome outcome = send("drop-rcpt");
  EXPECT_EQ(outcome.how, How::kRetry) << outcome.answer;
  EXPECT_TRUE(outcome.unreachable);
}

TEST(Mailer, ServersThatCannotBeUsed) {
  const Mail mail{{"", "a@b.de"}, "c@d.de", "s", "t", "i@b.de", base::Instant{0}};
  Child busy(python("smtp_server.py", {"--busy"}));
  Mailer to_busy({.url = "smtp://127.0.0.1:" + busy.line(), .timeout = seconds(30)});
  Mailer to_nobody({.url = "smtp://127.0.0.1:1", .timeout = seconds(30)});
  Mailer without({.url = "", .timeout = seconds(30)});
  for (Mailer* const mailer : {&to_busy, &to_nobody, &without}) {
    const Outcome outcome = mailer->send(mail, seconds(10));
    EXPECT_EQ(outcome.how, How::kRetry) << outcome.answer;
    EXPECT_TRUE(outcome.unreachable) << outcome.answer;
  }
  Child plain(python("smtp_server.py"));
  Mailer secure(
      {.url = "smtp://127.0.0.1:" + plain.line(), .tls = Tls::kRequired, .timeout = seconds(30)});
  const Outcome outcome = secure.send(mail, seconds(10));
  EXPECT_EQ(outcome.how, How::kRetry) << outcome.answer;
}

class WebhookTest : public ::testing::Test {
 protected:
  WebhookTest() : server_(python("http_server.py")), port_(server_.line()) {}

  Outcome call(const std::string& path, milliseconds at_most = seconds(30)) {
    return caller_.call({"http://127.0.0.1:" + port_ + path, seconds(30)},
                        {"1.2.0.3.1", "{\"a\":1}", 1'700'000'000}, at_most);
  }

  Child server_;
  std::string port_;
  WebhookCaller caller_;
};

TEST_F(WebhookTest, PostsWithStandardHeaders) {
  const Outcome outcome = call("/hook");
  EXPECT_EQ(outcome.how, How::kSent);
  EXPECT_EQ(outcome.answer, "HTTP 200: thanks");
  call("/hook");
  const json first = json::parse(server_.line());
  EXPECT_EQ(first["body"], "{\"a\":1}");
  EXPECT_EQ(first["headers"]["webhook-id"], "1.2.0.3.1");
  EXPECT_EQ(first["headers"]["webhook-timestamp"], "1700000000");
  EXPECT_EQ(first["headers"]["Content-Type"], "application/json");
  EXPECT_EQ(first["peer"], json::parse(server_.line())["peer"]) << "the connection is kept";
}

TEST_F(WebhookTest, TellsWhatIsFinalFromWhatIsNot) {
  const std::pair<int, How> cases[] = {
      {201, How::kSent},  {400, How::kRefused}, {404, How::kRefused}, {410, How::kRefused},
      {408, How::kRetry}, {429, How::kRetry},   {500, How::kRetry},   {503, How::kRetry}};
  for (const auto& [status, how] : cases) {
    const Outcome outcome = call("/status/" + std::to_string(status));
    EXPECT_EQ(outcome.how, how) << status << ": " << outcome.answer;
    EXPECT_FALSE(outcome.unreachable);
    EXPECT_EQ(outcome.answer.find('\x01'), std::string::npos);
    EXPECT_EQ(outcome.answer.find('\xff'), std::string::npos);
  }
  EXPECT_EQ(call("/retry").retry_after, seconds(77));
  EXPECT_EQ(call("/long").how, How::kSent);
}

TEST_F(WebhookTest, RedirectsAreNotFollowed) {
  const Outcome outcome = call("/redirect");
  EXPECT_EQ(outcome.how, How::kRefused);
  EXPECT_NE(outcome.answer.find("redirects are not followed"), std::string::npos);
}

TEST_F(WebhookTest, NoAnswerIsTriedAgain) {
  for (const char* const path : {"/drop", "/silent"}) {
    const Outcome outcome = call(path, milliseconds(500));
    EXPECT_EQ(outcome.how, How::kRetry) << path;
    EXPECT_TRUE(outcome.unreachable) << path;
  }
  WebhookCaller caller;
  EXPECT_TRUE(
      caller.call({"http://127.0.0.1:1/", seconds(5)}, {"x", "{}", 0}, seconds(5)).unreachable);
  EXPECT_EQ(caller.call({"file:///etc/passwd", seconds(5)}, {"x", "{}", 0}, seconds(5)).how,
            How::kRetry);
}

// What cannot be sent says what to do.
TEST(Carrier, RefusesWithAReason) {
  PostOffice office;
  office.templates = TemplateFolder::load("/nonexistent");
  office.from = {"", "a@b.de"};
  const std::unique_ptr<Carrier> carrier = make_carrier(office);
  store::Delivery mail;
  mail.name = "welcome";
  EXPECT_NE(
      carrier->carry(mail, {}, seconds(1)).answer.find("put it into /nonexistent/welcome.txt"),
      std::string::npos);
  store::Delivery hook;
  hook.kind = track::ActionKind::kWebhook;
  hook.name = "sales";
  const Outcome outcome = carrier->carry(hook, {}, seconds(1));
  EXPECT_EQ(outcome.how, How::kRefused);
  EXPECT_NE(outcome.answer.find("[webhooks.sales]"), std::string::npos);
}

TEST(Carrier, TheBodyOfAWebhook) {
  store::Delivery delivery;
  delivery.key = {base::TrackId(1), base::ContactId(2), 0, 3, 1};
  delivery.kind = track::ActionKind::kWebhook;
  delivery.name = "sales";
  delivery.track = "T";
  delivery.contact_key = "k1";
  delivery.payload = R"({"score":5})";
  delivery.values = {track::Value(std::string("a@b.de"))};
  const std::vector<track::Field> fields = {{"email", track::Type::kText, "email"}};
  EXPECT_EQ(
      webhook_body(delivery, fields),
      R"({"id":"1.2.0.3.1","track":"T","webhook":"sales","contact":{"key":"k1","email":"a@b.de"},"data":{"score":5},)"
      R"("asked_at":"1970-01-01T00:00:00Z"})");
}

}  // namespace
}  // namespace turnout::deliver
