#pragma once

// Hands e-mails to a mail server by SMTP (libcurl), over one connection that is kept.

#include <chrono>
#include <memory>
#include <string>

#include "deliver/mail.h"
#include "deliver/outcome.h"

namespace turnout::deliver {

enum class Tls : std::uint8_t {
  kNone,
  kOptional,
  kRequired
};  // STARTTLS; smtps:// is TLS from the first byte

struct SmtpServer {
  std::string url = "";   // "smtp://host:port", "smtps://host:port"; "": none
  std::string user = "";  // "": no login
  std::string password = "";
  Tls tls = Tls::kOptional;
  std::string helo = "";                      // "": this machine's name
  std::chrono::milliseconds timeout{30'000};  // of one mail, connecting included
};

// Used by one thread at a time.
class Mailer {
 public:
  explicit Mailer(SmtpServer server);
  ~Mailer();
  Mailer(const Mailer&) = delete;
  Mailer& operator=(const Mailer&) = delete;

  // Blocks for at most the server's timeout and `at_most`, and two seconds to close the connection.
  // A refusal of this mail (5xx to sender, recipient or data) is kRefused; a refusal of us (login,
  // TLS, greeting) and what keeps the mail from being said whole is kRetry; a mail said whole and
  // not answered is kUnknown.
  Outcome send(const Mail& mail, std::chrono::milliseconds at_most);

 private:
  struct Handle;
  SmtpServer server_;
  std::unique_ptr<Handle> handle_;
};

}  // namespace turnout::deliver
