#include "deliver/carrier.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "deliver/key.h"

namespace turnout::deliver {
namespace {

using Json = nlohmann::ordered_json;

// A value as text in a mail; a missing one is empty.
std::string text_of(const track::Value& value) {
  struct Visitor {
    std::string operator()(track::Missing) const { return ""; }
    std::string operator()(bool b) const { return b ? "true" : "false"; }
    std::string operator()(double number) const { return fmt::format("{}", number); }
    std::string operator()(const std::string& text) const { return text; }
    std::string operator()(base::Instant at) const { return base::format_instant(at); }
    std::string operator()(base::Date date) const { return base::format_date(date); }
  };
  return std::visit(Visitor{}, value);
}

std::optional<std::string> field_text(const store::Delivery& delivery,
                                      const std::vector<track::Field>& fields,
                                      std::string_view name) {
  if (name == "key") {
    return delivery.contact_key;
  }
  for (std::size_t i = 0; i < fields.size() && i < delivery.values.size(); ++i) {
    if (fields[i].name == name) {
      return text_of(delivery.values[i]);
    }
  }
  return std::nullopt;
}

std::chrono::system_clock::time_point wall_now() { return std::chrono::system_clock::now(); }

Outcome refused(std::string why) { return {How::kRefused, std::move(why), false, {}}; }

class PostCarrier : public Carrier {
 public:
  explicit PostCarrier(const PostOffice& office) : office_(office), mailer_(office.smtp) {}

  Outcome carry(const store::Delivery& delivery, const std::vector<track::Field>& fields,
                std::chrono::milliseconds at_most) override {
    switch (delivery.kind) {
      case track::ActionKind::kEmail:
        return mail(delivery, fields, at_most);
      case track::ActionKind::kWebhook:
        return call(delivery, fields, at_most);
    }
    return refused("an action of a kind that this version does not know");
  }

 private:
  Outcome mail(const store::Delivery& delivery, const std::vector<track::Field>& fields,
               std::chrono::milliseconds at_most);
  Outcome call(const store::Delivery& delivery, const std::vector<track::Field>& fields,
               std::chrono::milliseconds at_most);

  const PostOffice& office_;
  Mailer mailer_;
  WebhookCaller caller_;
};

// The recipient: `to` of the payload when the track names one, else the contact's address.
std::optional<Mailbox> recipient(const store::Delivery& delivery,
                                 const std::vector<track::Field>& fields, std::string& why) {
  std::string to = field_text(delivery, fields, "email").value_or("");
  if (!delivery.payload.empty()) {
    const Json payload = Json::parse(delivery.payload, nullptr, false);
    if (payload.is_object() && payload.contains("to")) {
      to = payload["to"].is_string() ? payload["to"].get<std::string>() : "";
    }
  }
  if (to.empty()) {
    why = "the contact has no address";
    return std::nullopt;
  }
  auto mailbox = parse_mailbox(to);
  if (!mailbox) {
    why = fmt::format("\"{}\" is no e-mail address", to);
  }
  return mailbox;
}

Outcome PostCarrier::mail(const store::Delivery& delivery, const std::vector<track::Field>& fields,
                          std::chrono::milliseconds at_most) {
  const MailTemplate* const found = office_.templates.find(delivery.name);
  if (found == nullptr) {
    return refused(office_.templates.why_not(delivery.name));
  }
  std::string why;
  const auto to = recipient(delivery, fields, why);
  if (!to) {
    return refused(why);
  }
  const tmpl::Lookup lookup = [&](std::string_view name) {
    return field_text(delivery, fields, name);
  };
  auto subject = found->subject.render(lookup);
  auto text = found->text.render(lookup);
  if (!subject || !text) {
    return refused(fmt::format("template \"{}\": {}", delivery.name,
                               !subject ? subject.error().message : text.error().message));
  }
  const Mailbox& from = found->from ? *found->from : office_.from;
  const auto now =
      std::chrono::duration_cast<std::chrono::microseconds>(wall_now().time_since_epoch());
  const std::string domain = from.address.substr(from.address.rfind('@') + 1);
  return mailer_.send(
      {from, to->address, std::move(subject.value().text), std::move(text.value().text),
       fmt::format("{}@{}", key_text(delivery.key), domain), base::Instant{now.count()}},
      at_most);
}

Outcome PostCarrier::call(const store::Delivery& delivery, const std::vector<track::Field>& fields,
                          std::chrono::milliseconds at_most) {
  const auto target = office_.webhooks.find(delivery.name);
  if (target == office_.webhooks.end()) {
    return refused(
        fmt::format("there is no webhook \"{}\": add [webhooks.{}] with its url to the "
                    "configuration and restart "
                    "the peer",
                    delivery.name, delivery.name));
  }
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(wall_now().time_since_epoch());
  return caller_.call(target->second,
                      {key_text(delivery.key), webhook_body(delivery, fields), now.count()},
                      at_most);
}

}  // namespace

std::chrono::milliseconds PostOffice::longest() const {
  std::chrono::milliseconds longest = smtp.timeout;
  for (const auto& [name, target] : webhooks) {
    longest = std::max(longest, target.timeout);
  }
  return longest;
}

std::unique_ptr<Carrier> make_carrier(const PostOffice& office) {
  return std::make_unique<PostCarrier>(office);
}

std::string destination_of(const store::Delivery& delivery) {
  return delivery.kind == track::ActionKind::kEmail ? "smtp" : "webhook " + delivery.name;
}

std::string webhook_body(const store::Delivery& delivery, const std::vector<track::Field>& fields) {
  Json contact{{"key", delivery.contact_key}};
  const std::string email = field_text(delivery, fields, "email").value_or("");
  contact["email"] = email.empty() ? Json(nullptr) : Json(email);
  Json data =
      delivery.payload.empty() ? Json(nullptr) : Json::parse(delivery.payload, nullptr, false);
  if (data.is_discarded()) {
    data = nullptr;
  }
  const Json body{
      {"id", key_text(delivery.key)}, {"track", delivery.track},
      {"webhook", delivery.name},     {"contact", std::move(contact)},
      {"data", std::move(data)},      {"asked_at", base::format_instant(delivery.asked_at)}};
  return body.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace turnout::deliver
