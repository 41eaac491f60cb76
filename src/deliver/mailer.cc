#include "deliver/mailer.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "deliver/curl.h"

namespace turnout::deliver {
namespace {

constexpr std::size_t kMaxReplyLine = 500;

// What is said and heard during one mail.
struct Talk {
  std::string_view text;  // the mail
  std::size_t said = 0;   // bytes of it given to libcurl
  bool all_said = false;
  bool data_agreed = false;  // 354: the server waits for the mail
  int code = 0;              // of the server's last reply
  std::string reply;         // its last line
  std::chrono::steady_clock::time_point end_by;
};

// libcurl's own time-out does not cover the QUIT that it says when it closes a connection: from a
// server which has stopped answering it waits two minutes for the answer. This ends that within a
// transfer; Handle::hang_up() does otherwise.
int look_at_clock(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return std::chrono::steady_clock::now() >= static_cast<Talk*>(user)->end_by ? 1 : 0;
}

std::size_t give_text(char* to, std::size_t size, std::size_t count, void* user) {
  auto& talk = *static_cast<Talk*>(user);
  const std::size_t bytes = std::min(size * count, talk.text.size() - talk.said);
  std::memcpy(to, talk.text.data() + talk.said, bytes);
  talk.said += bytes;
  talk.all_said = bytes == 0 || talk.said == talk.text.size();
  return bytes;
}

std::size_t take_reply(char* data, std::size_t size, std::size_t count, void* user) {
  auto& talk = *static_cast<Talk*>(user);
  std::string_view line(data, size * count);
  while (line.ends_with('\n') || line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  const auto is_digit = [&](std::size_t i) {
    return i < line.size() && line[i] >= '0' && line[i] <= '9';
  };
  // 221 is the farewell behind a refusal: it says nothing about the mail.
  if (is_digit(0) && is_digit(1) && is_digit(2) && !line.starts_with("221")) {
    talk.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    talk.data_agreed = talk.data_agreed || talk.code == 354;
    talk.reply = line.substr(0, kMaxReplyLine);
  }
  return size * count;
}

Outcome judge(CURLcode result, const Talk& talk, const std::string& url, const char* detail) {
  if (result == CURLE_OK) {
    return {How::kSent, talk.reply, false, {}};
  }
  const std::string why =
      detail != nullptr && *detail != '\0' ? detail : curl_easy_strerror(result);
  // Whether the server's last word was about this mail, rather than about us.
  const bool about_mail =
      result == CURLE_SEND_ERROR || (result == CURLE_WEIRD_SERVER_REPLY && talk.data_agreed);
  if (about_mail && talk.code >= 500 && talk.code != 530) {
    return {How::kRefused, talk.reply, false, {}};
  }
  if (about_mail && talk.code >= 400) {
    return {How::kRetry, talk.reply, false, {}};
  }
  if (talk.data_agreed && talk.all_said && talk.code == 354) {
    return {
        How::kUnknown, fmt::format("the mail was said whole and not answered: {}", why), true, {}};
  }
  const std::string reply = talk.code >= 400 ? fmt::format(" ({})", talk.reply) : "";
  return {How::kRetry,
          fmt::format("the mail server at {} cannot be used: {}{}", url, why, reply),
          true,
          {}};
}

}  // namespace

struct Mailer::Handle {
  CurlHandle curl = make_curl();
  char error[CURL_ERROR_SIZE] = {};
  int socket = -1;  // of the connection that is kept

  Handle() = default;
  ~Handle() {
    hang_up();
    curl.reset();
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  // The connection is of no use any more: libcurl finds it ended and says no farewell.
  void hang_up() const {
    if (socket >= 0) {
      shutdown(socket, SHUT_RDWR);
    }
  }

  static int opened(void* handle, curl_socket_t socket, curlsocktype /*purpose*/) {
    static_cast<Handle*>(handle)->socket = socket;
    return CURL_SOCKOPT_OK;
  }
  static int closing(void* handle, curl_socket_t socket) {
    if (static_cast<Handle*>(handle)->socket == socket) {
      static_cast<Handle*>(handle)->socket = -1;
    }
    return close(socket);
  }
};

Mailer::Mailer(SmtpServer server)
    : server_(std::move(server)), handle_(std::make_unique<Handle>()) {
  CHECK(handle_->curl != nullptr);
}

Mailer::~Mailer() = default;

Outcome Mailer::send(const Mail& mail, std::chrono::milliseconds at_most) {
  if (server_.url.empty()) {
    return {How::kRetry, "no mail server is configured: set smtp.url (TURNOUT_SMTP_URL)", true, {}};
  }
  const std::string text = render_mail(mail);
  CURL* const curl = handle_->curl.get();
  curl_easy_reset(curl);  // keeps the connection
  const std::string url =
      server_.helo.empty() ? server_.url : fmt::format("{}/{}", server_.url, server_.helo);
  const std::string from = fmt::format("<{}>", mail.from.address);
  const std::string to = fmt::format("<{}>", mail.to);
  CurlList recipients;
  append(recipients, to.c_str());
  const long tls = server_.tls == Tls::kNone       ? CURLUSESSL_NONE
                   : server_.tls == Tls::kOptional ? CURLUSESSL_TRY
                                                   : CURLUSESSL_ALL;
  const auto timeout = std::max(std::chrono::milliseconds(1), std::min(server_.timeout, at_most));
  Talk talk{text, 0, false, false, 0, "", std::chrono::steady_clock::now() + timeout};
  handle_->error[0] = '\0';
  curl_easy_setopt(curl, CURLOPT_SOCKOPTFUNCTION, Handle::opened);
  curl_easy_setopt(curl, CURLOPT_SOCKOPTDATA, handle_.get());
  curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, Handle::closing);
  curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, handle_.get());
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_at_clock);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &talk);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_USE_SSL, tls);
  if (!server_.user.empty()) {
    curl_easy_setopt(curl, CURLOPT_USERNAME, server_.user.c_str());
    curl_easy_setopt(curl, CURLOPT_PASSWORD, server_.password.c_str());
  }
  curl_easy_setopt(curl, CURLOPT_MAIL_FROM, from.c_str());
  curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients.get());
  curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_text);
  curl_easy_setopt(curl, CURLOPT_READDATA, &talk);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_reply);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &talk);
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(std::min<std::int64_t>(timeout.count(), 10'000)));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, handle_->error);
  const CURLcode result = curl_easy_perform(curl);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  Outcome outcome = judge(result, talk, server_.url, handle_->error);
  if (outcome.unreachable) {
    handle_->hang_up();  // what the server still says on it would be taken for the answer to
                         // another mail
  }
  return outcome;
}

}  // namespace turnout::deliver
