#pragma once

// Carries deliveries out: an e-mail from its template, a webhook from its payload.

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "deliver/mailer.h"
#include "deliver/outcome.h"
#include "deliver/template_folder.h"
#include "deliver/webhook.h"
#include "store/types.h"

namespace turnout::deliver {

// Used by one thread at a time.
class Carrier {
 public:
  virtual ~Carrier() = default;
  // Blocks for at most `at_most`. `fields` are those that delivery.values is parallel to.
  virtual Outcome carry(const store::Delivery& delivery, const std::vector<track::Field>& fields,
                        std::chrono::milliseconds at_most) = 0;
};

// What this peer delivers with. Immutable; outlives the carriers made from it.
struct PostOffice {
  TemplateFolder templates;
  SmtpServer smtp;
  Mailbox from;  // where a template has no sender of its own
  std::map<std::string, WebhookTarget> webhooks;

  // The longest that one delivery may take.
  std::chrono::milliseconds longest() const;
};

// Each thread's own, with its own connections.
std::unique_ptr<Carrier> make_carrier(const PostOffice& office);

// Whatever goes to one destination shares its fate: "smtp", "webhook NAME".
std::string destination_of(const store::Delivery& delivery);

// The body of a webhook's call: {"id", "track", "webhook", "contact": {"key", "email"}, "data",
// "asked_at"}.
std::string webhook_body(const store::Delivery& delivery, const std::vector<track::Field>& fields);

}  // namespace turnout::deliver
