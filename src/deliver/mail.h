#pragma once

// A plain e-mail as bytes (RFC 5322, MIME), made so that no value can put in a header, a recipient
// or a line of its own. Pure. Thread-safe.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/time.h"

namespace turnout::deliver {

inline constexpr std::size_t kMaxAddressBytes = 320;
inline constexpr std::size_t kMaxSubjectBytes = 2'000;

struct Mailbox {
  std::string name;     // may be empty
  std::string address;  // "user@example.com"
};

// Reads "user@example.com", "Name <user@example.com>" or "\"Name, Inc.\" <…>": exactly one address,
// in ASCII. nullopt when it is none.
std::optional<Mailbox> parse_mailbox(std::string_view text);

struct Mail {
  Mailbox from;
  std::string to;          // one address
  std::string subject;     // UTF-8; line ends become blanks
  std::string text;        // UTF-8, lines ending in LF or CRLF
  std::string message_id;  // without angle brackets
  base::Instant date;
};

// Headers and body with CRLF line ends; the body as it is when it is ASCII with lines of at most 76
// bytes, else quoted-printable.
std::string render_mail(const Mail& mail);

}  // namespace turnout::deliver
