#include "deliver/carrier.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "deliver/key.h"
#include "deliver/zone_offset.h"

namespace turnout::deliver {
namespace {

using Json = nlohmann::ordered_json;

// A contact's value as templates know it; a missing one is nil, times are texts in ISO 8601.
tmpl::Value template_value(const track::Value& value) {
  struct Visitor {
    tmpl::Value operator()(track::Missing) const { return tmpl::Value::nil(); }
    tmpl::Value operator()(bool b) const { return tmpl::Value::boolean(b); }
    tmpl::Value operator()(double number) const { return tmpl::Value::number(number); }
    tmpl::Value operator()(const std::string& text) const { return tmpl::Value(text); }
    tmpl::Value operator()(base::Instant at) const { return tmpl::Value(base::format_instant(at)); }
    tmpl::Value operator()(base::Date date) const { return tmpl::Value(base::format_date(date)); }
  };
  return std::visit(Visitor{}, value);
}

std::optional<tmpl::Value> field_value(const store::Delivery& delivery,
                                       const std::vector<track::Field>& fields,
                                       std::string_view name) {
  if (name == "key") {
    return tmpl::Value(delivery.contact_key);
  }
  for (std::size_t i = 0; i < fields.size() && i < delivery.values.size(); ++i) {
    if (fields[i].name == name) {
      return template_value(delivery.values[i]);
    }
  }
  return std::nullopt;
}

// The contact's address; empty if it has none.
std::string address_of(const store::Delivery& delivery, const std::vector<track::Field>& fields) {
  const auto email = field_value(delivery, fields, "email");
  return email && email->is_text() ? email->as_text() : "";
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
      default:
        break;
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
  std::string to = address_of(delivery, fields);
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
    return field_value(delivery, fields, name);
  };
  // Times in a template are those of the asking, so that a mail that is tried again is the same.
  const tmpl::RenderOptions options{.now = delivery.asked_at, .zones = zone_offset};
  auto subject = found->subject.render(lookup, options);
  auto text = found->text.render(lookup, options);
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
  const std::string email = address_of(delivery, fields);
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
