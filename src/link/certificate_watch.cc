#include "link/certificate_watch.h"

#include <algorithm>
#include <chrono>

#include "base/check.h"

namespace turnout::link {
namespace {

constexpr base::Duration kDay = std::chrono::hours(24);
constexpr base::Duration kWarnBefore = 30 * kDay;

}  // namespace

void CertificateWatch::shows(const Certificates* certificates) {
  shown_.reset();
  if (certificates != nullptr) {
    const base::Instant ends = certificates->ends();
    const base::Duration third = (ends - certificates->begins()) / 3;
    shown_ = Shown{certificates->serial(), ends, ends - std::min(third, kWarnBefore)};
  }
}

std::string CertificateWatch::about() const {
  CHECK(shown_);
  return "serial " + shown_->serial + ", valid until " + base::format_instant(shown_->ends);
}

std::optional<base::Instant> CertificateWatch::ends() const {
  return shown_ ? std::optional(shown_->ends) : std::nullopt;
}

std::optional<std::string> CertificateWatch::warning(base::Instant now) {
  if (!shown_ || now < shown_->warn_next) {
    return std::nullopt;
  }
  const bool ended = now >= shown_->ends;
  shown_->warn_next = ended ? now + kDay : std::min(now + kDay, shown_->ends);
  return "the certificate that this peer shows (serial " + shown_->serial + "), or its CA's, " +
         (ended ? "ended on " : "ends on ") + base::format_instant(shown_->ends) +
         (ended ? ", and no connection can be made anew: " : ": ") +
         "put a new one in its place and send SIGHUP";
}

}  // namespace turnout::link
