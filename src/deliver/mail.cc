#include "deliver/mail.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "base/text.h"

namespace turnout::deliver {
namespace {

constexpr std::size_t kMaxLine = 76;
// "=?UTF-8?B?" and "?=" leave 63 of the 75 characters of an encoded word, which hold 45 bytes (RFC
// 2047 §2).
constexpr std::size_t kEncodedWordBytes = 45;

bool is_ascii_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

bool is_atom_char(char c) {
  constexpr std::string_view kOthers = "!#$%&'*+-/=?^_`{|}~";
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         kOthers.find(c) != std::string_view::npos;
}

bool is_dotted(std::string_view text, bool (*fits)(char)) {
  if (text.empty() || text.front() == '.' || text.back() == '.' ||
      text.find("..") != std::string_view::npos) {
    return false;
  }
  return std::all_of(text.begin(), text.end(), [&](char c) { return c == '.' || fits(c); });
}

// dot-atom "@" domain (RFC 5321 §4.1.2 without quoted local parts and address literals).
bool is_address(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || text.size() > kMaxAddressBytes || at > 64) {
    return false;
  }
  return is_dotted(text.substr(0, at), is_atom_char) && is_dotted(text.substr(at + 1), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t have = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (k < have ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out.push_back(k <= have ? kDigits[group >> (18U - 6U * k) & 63U] : '=');
    }
  }
  return out;
}

// One line: each run of line ends and control characters becomes one blank.
std::string one_line(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    if (!control) {
      out.push_back(c);
    } else if (!out.empty() && out.back() != ' ') {
      out.push_back(' ');
    }
  }
  return out;
}

// Header text: as it is when it is short ASCII, else encoded words, each on a line of its own.
// `used` is what stands before it on the line.
std::string encoded(std::string_view text, std::size_t used) {
  if (is_ascii_printable(text) && used + text.size() <= kMaxLine &&
      text.find("=?") == std::string_view::npos) {
    return std::string(text);
  }
  std::string out;
  std::size_t from = 0;
  while (from < text.size()) {
    std::size_t to = std::min(
        text.size(), from + kEncodedWordBytes - (from == 0 ? std::min<std::size_t>(used, 15) : 0));
    while (to > from + 1 && to < text.size() &&
           (static_cast<unsigned char>(text[to]) & 0xC0U) == 0x80U) {
      --to;  // a character stays in one word
    }
    out += fmt::format("{}=?UTF-8?B?{}?=", out.empty() ? "" : "\r\n ",
                       base64(text.substr(from, to - from)));
    from = to;
  }
  return out;
}

std::string from_header(const Mailbox& mailbox) {
  const std::string name = one_line(mailbox.name);
  if (name.empty()) {
    return mailbox.address;
  }
  const bool plain =
      std::all_of(name.begin(), name.end(), [](char c) { return is_atom_char(c) || c == ' '; });
  if (plain && name.size() + mailbox.address.size() < 60 && name.find("=?") == std::string::npos) {
    return fmt::format("{} <{}>", name, mailbox.address);
  }
  return fmt::format("{}\r\n <{}>",
                     encoded(is_ascii_printable(name) && !plain ? name + " " : name, kMaxLine),
                     mailbox.address);
}

std::string date_header(base::Instant at) {
  static constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed",
                                                       "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::sys_time<std::chrono::microseconds> time{std::chrono::microseconds(at.us)};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
  return fmt::format(
      "{}, {} {} {} {:02}:{:02}:{:02} +0000", kDays.at(std::chrono::weekday(day).c_encoding()),
      static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1),
      static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
      clock.seconds().count());
}

// The text's lines without their ends.
template <class F>
void for_each_line(std::string_view text, F f) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    f(line);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
}

bool is_plain(std::string_view text) {
  bool plain = true;
  for_each_line(text, [&](std::string_view line) {
    plain = plain && line.size() <= kMaxLine && !line.starts_with("From ") &&
            std::all_of(line.begin(), line.end(),
                        [](char c) { return c == '\t' || (c >= 0x20 && c < 0x7f); });
  });
  return plain;
}

// RFC 2045 §6.7.
void append_quoted_printable(std::string_view line, std::string& out) {
  std::size_t column = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    const bool last = i + 1 == line.size();
    const bool literal = (c >= 0x21 && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last);
    const std::size_t width = literal ? 1 : 3;
    if (column + width > kMaxLine - 1) {
      out += "=\r\n";
      column = 0;
    }
    if (literal && !(column == 0 && (c == '.' || c == 'F'))) {
      out.push_back(c);
      column += 1;
    } else {  // "." and "From " at the beginning of a line are safer encoded
      out += fmt::format("={:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
      column += 3;
    }
  }
}

}  // namespace

std::optional<Mailbox> parse_mailbox(std::string_view text) {
  if (!is_ascii_printable(text) && base::first_invalid_utf8(text) != std::string_view::npos) {
    return std::nullopt;
  }
  Mailbox mailbox;
  const std::size_t open = text.rfind('<');
  if (open == std::string_view::npos) {
    mailbox.address = std::string(text);
  } else {
    if (!text.ends_with('>')) {
      return std::nullopt;
    }
    mailbox.address = std::string(text.substr(open + 1, text.size() - open - 2));
    std::string_view name = text.substr(0, open);
    while (!name.empty() && name.back() == ' ') {
      name.remove_suffix(1);
    }
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') {
      name = name.substr(1, name.size() - 2);
    }
    mailbox.name = one_line(name);
  }
  return is_address(mailbox.address) ? std::optional(mailbox) : std::nullopt;
}

std::string render_mail(const Mail& mail) {
  const bool plain = is_plain(mail.text);
  std::string subject = one_line(mail.subject);
  if (subject.size() > kMaxSubjectBytes) {
    subject.resize(kMaxSubjectBytes);
    while (!subject.empty() && base::first_invalid_utf8(subject) != std::string::npos) {
      subject.pop_back();
    }
  }
  std::string out = fmt::format(
      "Date: {}\r\nFrom: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{}>\r\nMIME-Version: 1.0\r\n"
      "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {}\r\n\r\n",
      date_header(mail.date), from_header(mail.from), one_line(mail.to), encoded(subject, 9),
      one_line(mail.message_id), plain ? "7bit" : "quoted-printable");
  for_each_line(mail.text, [&](std::string_view line) {
    if (plain) {
      out += line;
    } else {
      append_quoted_printable(line, out);
    }
    out += "\r\n";
  });
  return out;
}

}  // namespace turnout::deliver
