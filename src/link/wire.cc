#include "link/wire.h"

#include <algorithm>

#include "base/check.h"
#include "link/address.h"
#include "link/frame.h"
#include "link/wire_convert.h"

namespace turnout::link {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::size_t kMaxRefusalText = 1'000;

std::string to_frame(const wire::Envelope& envelope) {
  const std::size_t size = envelope.ByteSizeLong();
  std::string frame(kFrameHeader, '\0');
  frame.reserve(kFrameHeader + size);
  CHECK(envelope.AppendToString(&frame));
  write_frame_header(frame);
  return frame;
}

// One overload per kind of message, so that a new one does not compile until it has a place in the
// envelope.
struct Body {
  wire::Envelope& to;

  void operator()(const group::Advertisement& m) const { write(m, *to.mutable_advertisement()); }
  void operator()(const group::OwnedList& m) const { write(m, *to.mutable_owned_list()); }
  void operator()(const group::OwnedRequest& m) const { write(m, *to.mutable_owned_request()); }
  void operator()(const group::Assign& m) const { write(m, *to.mutable_assign()); }
  void operator()(const group::Cede& m) const { write(m, *to.mutable_cede()); }
  void operator()(const group::BlockMessage& m) const { write(m, *to.mutable_block()); }
  void operator()(const group::BlockReport& m) const { write(m, *to.mutable_block_report()); }
  void operator()(const group::Refusal& m) const { write(m, *to.mutable_block_refusal()); }
  void operator()(const group::CreditGrant& m) const { write(m, *to.mutable_credit_grant()); }
};

Result<Incoming> invalid(const char* what) {
  return fail(ErrorCode::kInvalid, std::string("a ") + what + " with values out of range");
}

template <class To, class From>
Result<Incoming> take(const From& from, const char* what) {
  To to;
  switch (read(from, to)) {
    case Read::kOk:
      if constexpr (std::is_same_v<To, group::Handout>) {
        return Incoming(std::move(to));
      } else {
        return Incoming(group::Message(std::move(to)));
      }
    case Read::kUnknown:
      return Incoming(Unknown());
    case Read::kInvalid:
      break;
  }
  return invalid(what);
}

Result<Incoming> take_hello(const wire::Hello& from) {
  // A peer of a version that we do not speak may fill the rest otherwise, and must be told of the
  // version.
  Hello hello;
  hello.oldest = static_cast<std::int32_t>(from.protocol());
  hello.newest = std::max(hello.oldest, static_cast<std::int32_t>(from.newest()));
  if (hello.oldest > group::kProtocolVersion || hello.newest < group::kOldestProtocolVersion) {
    hello.group = from.group().substr(0, group::kMaxGroupBytes);
    return Incoming(std::move(hello));
  }
  const std::size_t name = from.name().size();
  if (name == 0 || name > group::kMaxNameBytes || from.group().size() > group::kMaxGroupBytes ||
      from.address().size() > group::kMaxAddressBytes || !wire::Channel_IsValid(from.channel())) {
    return invalid("hello");
  }
  hello.group = from.group();
  hello.name = base::PeerName(from.name());
  hello.incarnation = base::Incarnation(from.incarnation());
  hello.life = from.life();
  hello.address = from.address();
  hello.channel = from.channel() == wire::BULK ? Channel::kBulk : Channel::kControl;
  hello.session = from.session();
  return Incoming(std::move(hello));
}

Result<Incoming> take_addresses(const wire::Addresses& from) {
  if (from.name_size() != from.address_size()) {
    return invalid("list of addresses");
  }
  Addresses addresses;
  for (int i = 0; i < from.name_size(); ++i) {
    const std::size_t name = from.name(i).size();
    if (name == 0 || name > group::kMaxNameBytes || !parse_address(from.address(i))) {
      return invalid("list of addresses");
    }
    addresses.peers.emplace_back(base::PeerName(from.name(i)), from.address(i));
  }
  return Incoming(std::move(addresses));
}

}  // namespace

std::string encode(const Hello& hello) {
  wire::Envelope envelope;
  wire::Hello& to = *envelope.mutable_hello();
  to.set_protocol(static_cast<std::uint32_t>(hello.oldest));
  to.set_newest(static_cast<std::uint32_t>(hello.newest));
  to.set_group(hello.group);
  to.set_name(hello.name.get());
  to.set_incarnation(hello.incarnation.get());
  to.set_life(hello.life);
  to.set_address(hello.address);
  to.set_channel(hello.channel == Channel::kBulk ? wire::BULK : wire::CONTROL);
  to.set_session(hello.session);
  return to_frame(envelope);
}

std::string encode(const Refuse& refuse) {
  wire::Envelope envelope;
  envelope.mutable_refuse()->set_code(refuse.code);
  envelope.mutable_refuse()->set_message(refuse.message.substr(0, kMaxRefusalText));
  return to_frame(envelope);
}

std::string encode(const Addresses& addresses) {
  wire::Envelope envelope;
  wire::Addresses& to = *envelope.mutable_addresses();
  for (const auto& [name, address] : addresses.peers) {
    to.add_name(name.get());
    to.add_address(address);
  }
  return to_frame(envelope);
}

std::string encode(const group::Message& message) {
  wire::Envelope envelope;
  std::visit(Body{envelope}, message);
  return to_frame(envelope);
}

std::string encode(const group::Handout& handout) {
  wire::Envelope envelope;
  write(handout, *envelope.mutable_deliveries());
  return to_frame(envelope);
}

std::string encode(const Hint& hint) {
  wire::Envelope envelope;
  envelope.mutable_hint()->set_contacts(hint.contacts);
  envelope.mutable_hint()->set_outbox(hint.outbox);
  return to_frame(envelope);
}

Result<Incoming> decode(std::string_view body) {
  wire::Envelope envelope;
  if (body.size() > kMaxBulkFrame ||
      !envelope.ParseFromArray(body.data(), static_cast<int>(body.size()))) {
    return fail(ErrorCode::kInvalid, "bytes that are no message of Turnout");
  }
  switch (envelope.body_case()) {
    case wire::Envelope::kHello:
      return take_hello(envelope.hello());
    case wire::Envelope::kRefuse:
      return Incoming(
          Refuse{envelope.refuse().code(), envelope.refuse().message().substr(0, kMaxRefusalText)});
    case wire::Envelope::kAddresses:
      return take_addresses(envelope.addresses());
    case wire::Envelope::kAdvertisement:
      return take<group::Advertisement>(envelope.advertisement(), "advertisement");
    case wire::Envelope::kOwnedList:
      return take<group::OwnedList>(envelope.owned_list(), "list of owned tracks");
    case wire::Envelope::kOwnedRequest:
      return take<group::OwnedRequest>(envelope.owned_request(), "request for owned tracks");
    case wire::Envelope::kAssign:
      return take<group::Assign>(envelope.assign(), "assignment");
    case wire::Envelope::kCede:
      return take<group::Cede>(envelope.cede(), "cede");
    case wire::Envelope::kBlock:
      return take<group::BlockMessage>(envelope.block(), "block");
    case wire::Envelope::kBlockReport:
      return take<group::BlockReport>(envelope.block_report(), "block report");
    case wire::Envelope::kBlockRefusal:
      return take<group::Refusal>(envelope.block_refusal(), "refusal");
    case wire::Envelope::kCreditGrant:
      return take<group::CreditGrant>(envelope.credit_grant(), "credit");
    case wire::Envelope::kDeliveries:
      return take<group::Handout>(envelope.deliveries(), "list of deliveries");
    case wire::Envelope::kHint:
      return Incoming(Hint{envelope.hint().contacts(), envelope.hint().outbox()});
    case wire::Envelope::BODY_NOT_SET:
      break;
  }
  return Incoming(Unknown());
}

}  // namespace turnout::link
