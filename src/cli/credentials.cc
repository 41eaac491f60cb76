#include "cli/credentials.h"

#include <utility>

namespace turnout::cli {

base::Result<Credentials> read_credentials(const GroupConfig& group, const base::PeerName& self) {
  Credentials credentials;
  for (const std::string& file : group.key_files) {
    TRY(link::GroupKey key, link::read_key_file(file));
    for (const link::GroupKey& other : credentials.keys) {
      if (other.id == key.id) {
        return base::fail(base::ErrorCode::kInvalid,
                          file + " has the same key id as another file of `group.key_file`, " +
                              key.id + "; each key needs an id of its own");
      }
    }
    credentials.keys.push_back(std::move(key));
  }
  if (!group.certificate.empty()) {
    TRY(credentials.certificates,
        link::Certificates::read({group.certificate, group.private_key, group.ca},
                                 {group.name, self}));
  }
  return credentials;
}

}  // namespace turnout::cli
