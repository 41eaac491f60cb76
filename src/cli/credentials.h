#pragma once

// What proves to the other peers that this one belongs to the group, read from the files that the
// configuration names.

#include <memory>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "cli/config.h"
#include "link/certificate.h"
#include "link/key.h"

namespace turnout::cli {

// Keys, certificates, or neither.
struct Credentials {
  std::vector<link::GroupKey> keys;
  std::shared_ptr<const link::Certificates> certificates;
};

// Errors name the file and what to do.
base::Result<Credentials> read_credentials(const GroupConfig& group, const base::PeerName& self);

}  // namespace turnout::cli
