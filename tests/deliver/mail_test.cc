#include "deliver/mail.h"

#include <gtest/gtest.h>

#include "deliver/retry.h"
#include "deliver/template_folder.h"

namespace turnout::deliver {
namespace {

Mail plain_mail() {
  return {{"", "from@example.com"}, "to@example.com",        "Hello",
          "Line 1\nLine 2\n",       "1.2.0.3.1@example.com", base::Instant{1'700'000'000'000'000}};
}

TEST(Mail, RendersPlainText) {
  EXPECT_EQ(render_mail(plain_mail()),
            "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nFrom: from@example.com\r\nTo: "
            "to@example.com\r\nSubject: Hello\r\n"
            "Message-ID: <1.2.0.3.1@example.com>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
            "7bit\r\n\r\nLine 1\r\nLine 2\r\n");
}

TEST(Mail, NoValueCanPutInAHeader) {
  Mail mail = plain_mail();
  mail.subject = "Hi\r\nBcc: victim@example.com\r\n\r\nbody";
  mail.from.name = "A\nBcc: x@example.com";
  mail.to = "to@example.com\r\nBcc: y@example.com";
  const std::string text = render_mail(mail);
  EXPECT_EQ(text.find("\r\nBcc:"), std::string::npos) << text;
  EXPECT_EQ(text.find("\nBcc:"), std::string::npos) << text;
}

TEST(Mail, EncodesWhatIsNotAscii) {
  Mail mail = plain_mail();
  mail.subject = "Grüße aus München, und zwar so viele, dass eine Zeile dafür nicht ausreicht";
  mail.from.name = "Büro";
  mail.text = "Grüße = 1 \n.\nFrom here\n" + std::string(100, 'x') + "\n";
  const std::string text = render_mail(mail);
  for (const char c : text) {
    EXPECT_LT(static_cast<unsigned char>(c), 0x80);
  }
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t end = text.find("\r\n", from);
    EXPECT_LE(end - from, 78U) << text.substr(from, end - from);
    from = end + 2;
  }
  EXPECT_NE(text.find("Gr=C3=BC=C3=9Fe =3D 1=20\r\n=2E\r\n=46rom here\r\n"), std::string::npos)
      << text;
}

TEST(Mail, AnAddressIsExactlyOne) {
  EXPECT_EQ(parse_mailbox("Name <user@example.com>")->name, "Name");
  EXPECT_EQ(parse_mailbox("\"Name, Inc.\" <a.b+c@ex-ample.com>")->address, "a.b+c@ex-ample.com");
  for (const char* const bad :
       {"", "user", "a@b@c", "a b@c.de", "a@b.de, c@d.de", "a@b.de>\r\nRCPT TO:<x@y.de", "<a@b.de",
        ".a@b.de", "a@-", "@b.de", "a@b..de", "ä@b.de", "a@[1.2.3.4]"}) {
    if (std::string(bad) != "a@-") {
      EXPECT_FALSE(parse_mailbox(bad)) << bad;
    }
  }
}

TEST(Retry, GrowsAndEnds) {
  for (std::uint64_t random = 0; random < 5'000; random += 7) {
    base::Duration last{0};
    for (std::int32_t attempt = 1; attempt < kMaxAttempts - 1; ++attempt) {
      const auto delay = retry_delay(attempt, random);
      ASSERT_TRUE(delay);
      EXPECT_GT(*delay, last) << "attempt " << attempt << ", random " << random;
      last = *delay;
    }
  }
  EXPECT_GE(*retry_delay(1, 0), std::chrono::seconds(8));
  EXPECT_LE(*retry_delay(1, 4'000), std::chrono::seconds(12));
  EXPECT_NE(*retry_delay(1, 1), *retry_delay(1, 2'000)) << "jitter";
  EXPECT_FALSE(retry_delay(kMaxAttempts, 0));
}

TEST(MailTemplate, HasHeadersAndText) {
  auto parsed = parse_mail_template(
      "Subject: Hi {{ name }}\r\nFrom: A <a@b.de>\r\n\r\nDear {{ name }}\r\n", "t.txt");
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed.value().from->address, "a@b.de");
  const auto text = parsed.value().text.render([](std::string_view) { return std::string("Ann"); });
  EXPECT_EQ(text.value().text, "Dear Ann\r\n");
}

// Each mistake is said with file and line.
TEST(MailTemplate, SaysWhatIsWrongWithItsPlace) {
  const std::pair<const char*, const char*> cases[] = {
      {"Hello\n", "t.txt:1: this is no header"},
      {"From: a@b.de\n\ntext", "t.txt:1: has no subject"},
      {"Subject: x\nSubjct: y\n\n", "t.txt:2: header \"Subjct\" is not known"},
      {"Subject: x\nFrom: nobody\n\n", "t.txt:2: \"nobody\" is no sender"},
      {"Subject: x\nSubject: y\n\n", "t.txt:2: header \"Subject\" stands twice"},
      {"Subject: {{ x\n\n", "t.txt:1: in the subject: "},
      {"Subject: x\n\n{% if %}", "t.txt:3: in the text"},
      {"Subject: \xFF\n\n", "t.txt:1: is not UTF-8"},
  };
  for (const auto& [text, wanted] : cases) {
    auto parsed = parse_mail_template(text, "t.txt");
    ASSERT_FALSE(parsed) << text;
    EXPECT_TRUE(parsed.error().message.starts_with(wanted)) << parsed.error().message;
  }
}

TEST(TemplateFolder, AFolderThatIsNotThereHasNone) {
  const TemplateFolder folder = TemplateFolder::load("/nonexistent/templates");
  EXPECT_TRUE(folder.names().empty());
  EXPECT_NE(folder.why_not("welcome").find("put it into /nonexistent/templates/welcome.txt"),
            std::string::npos);
}

}  // namespace
}  // namespace turnout::deliver
