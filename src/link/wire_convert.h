#pragma once

// Between group/message.h and the generated classes; for wire.cc only. kInvalid: a value is out of
// range; kUnknown: it holds an enumeration value of a later version.

#include "group/message.h"
#include "link/wire.pb.h"

namespace turnout::link {

void write(const group::Advertisement& from, wire::Advertisement& to);
void write(const group::OwnedList& from, wire::OwnedList& to);
void write(const group::OwnedRequest& from, wire::OwnedRequest& to);
void write(const group::Assign& from, wire::Assign& to);
void write(const group::Cede& from, wire::Cede& to);
void write(const group::BlockMessage& from, wire::Block& to);
void write(const group::BlockReport& from, wire::BlockReport& to);
void write(const group::Refusal& from, wire::BlockRefusal& to);
void write(const group::CreditGrant& from, wire::CreditGrant& to);
void write(const group::Handout& from, wire::Deliveries& to);

enum class Read { kOk, kInvalid, kUnknown };

Read read(const wire::Advertisement& from, group::Advertisement& to);
Read read(const wire::OwnedList& from, group::OwnedList& to);
Read read(const wire::OwnedRequest& from, group::OwnedRequest& to);
Read read(const wire::Assign& from, group::Assign& to);
Read read(const wire::Cede& from, group::Cede& to);
Read read(const wire::Block& from, group::BlockMessage& to);
Read read(const wire::BlockReport& from, group::BlockReport& to);
Read read(const wire::BlockRefusal& from, group::Refusal& to);
Read read(const wire::CreditGrant& from, group::CreditGrant& to);
Read read(const wire::Deliveries& from, group::Handout& to);

}  // namespace turnout::link
