#include "link/key.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "link/small_file.h"

namespace turnout::link {
namespace {

using base::ErrorCode;
using base::fail;
using base::Result;

constexpr std::string_view kMagic = "turnout-group-key";
constexpr std::string_view kIdentityMagic = "turnout/1";
constexpr std::size_t kMaxKeyFile = 4096;
constexpr std::size_t kMaxField = 64;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(size * 2);
  for (std::size_t i = 0; i < size; ++i) {
    text += kDigits[bytes[i] >> 4];
    text += kDigits[bytes[i] & 15];
  }
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  if (c >= 'a' && c <= 'f') {
    return c - 'a' + 10;
  }
  if (c >= 'A' && c <= 'F') {
    return c - 'A' + 10;
  }
  return -1;
}

bool from_hex(std::string_view text, std::array<unsigned char, kKeyBytes>& bytes) {
  if (text.size() != bytes.size() * 2) {
    return false;
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const int high = hex_digit(text[2 * i]);
    const int low = hex_digit(text[2 * i + 1]);
    if (high < 0 || low < 0) {
      return false;
    }
    bytes[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return true;
}

bool is_key_id(std::string_view id) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  bool all = !id.empty() && id.size() <= kMaxKeyId;
  for (const char c : id) {
    all = all && good(c);
  }
  return all;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) {
    return {};
  }
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

// What has been read of a key file so far.
struct Draft {
  GroupKey key;
  bool version = false;
  bool secret = false;
};

// Takes one line in. Returns what is wrong with it; never repeats a secret.
std::string take_line(std::string_view line, Draft& draft) {
  const std::size_t space = line.find_first_of(" \t");
  const std::string_view word = line.substr(0, space);
  const std::string_view value =
      space == std::string_view::npos ? std::string_view() : trim(line.substr(space));
  if (word == kMagic) {
    if (value != "1") {
      return "key files of this version are not known here; update turnout";
    }
    draft.version = true;
  } else if (!draft.version) {
    return "this is no Turnout key file; make one with `turnout keygen`";
  } else if (word == "id") {
    if (!draft.key.id.empty() || !is_key_id(value)) {
      return "expected one id of 1 to 32 letters, digits, dots, dashes or underscores";
    }
    draft.key.id = value;
  } else if (word == "key") {
    if (draft.secret || !from_hex(value, draft.key.secret)) {
      return "expected one key of 64 hexadecimal digits";
    }
    draft.secret = true;
  } else {
    return "expected `id` or `key`";
  }
  return {};
}

std::string system_error(int error) { return std::strerror(error); }

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void append_field(std::string& bytes, std::string_view field) {
  CHECK(field.size() <= kMaxField);
  bytes += static_cast<char>(field.size());
  bytes += field;
}

bool take_field(std::string_view& bytes, std::string& field) {
  if (bytes.empty()) {
    return false;
  }
  const std::size_t size = static_cast<unsigned char>(bytes.front());
  if (size > kMaxField || bytes.size() < 1 + size) {
    return false;
  }
  field = bytes.substr(1, size);
  bytes.remove_prefix(1 + size);
  return true;
}

}  // namespace

GroupKey::~GroupKey() { OPENSSL_cleanse(secret.data(), secret.size()); }

Result<GroupKey> generate_key() {
  GroupKey key;
  std::array<unsigned char, 8> id{};
  if (RAND_priv_bytes(key.secret.data(), static_cast<int>(key.secret.size())) != 1 ||
      RAND_bytes(id.data(), static_cast<int>(id.size())) != 1) {
    return fail(ErrorCode::kInternal, "the system's random source gave nothing; no key was made");
  }
  key.id = to_hex(id.data(), id.size());
  return key;
}

std::string format_key(const GroupKey& key) {
  std::string text = "# Turnout group key: who holds this can join the group. Keep it secret.\n";
  text += std::string(kMagic) + " 1\n";
  text += "id " + key.id + "\n";
  text += "key " + to_hex(key.secret.data(), key.secret.size()) + "\n";
  return text;
}

Result<GroupKey> parse_key(std::string_view text, std::string_view origin) {
  const auto wrong = [&](int line, const std::string& what) {
    return fail(ErrorCode::kInvalid,
                std::string(origin) + ", line " + std::to_string(line) + ": " + what);
  };
  if (text.size() > kMaxKeyFile) {
    return fail(ErrorCode::kInvalid, std::string(origin) + " is too large to be a key file");
  }
  Draft draft;
  int number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (line.empty() || line.front() == '#') {
      continue;
    }
    const std::string problem = take_line(line, draft);
    if (!problem.empty()) {
      return wrong(number, problem);
    }
  }
  if (!draft.version || draft.key.id.empty() || !draft.secret) {
    return wrong(number, "the file ends without id and key; make one with `turnout keygen`");
  }
  return draft.key;
}

Result<GroupKey> generate_key_file(const std::string& path) {
  TRY(auto key, generate_key());
  std::string text = format_key(key);
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0 && errno == EEXIST) {
    return fail(ErrorCode::kConflict,
                path + " exists and is not overwritten; name another file or remove it");
  }
  if (file.get() < 0) {
    return fail(ErrorCode::kUnavailable, "cannot create " + path + ": " + system_error(errno));
  }
  // The umask may have taken rights away, never given some; a file system without modes may ignore
  // both.
  const bool written =
      ::fchmod(file.get(), 0600) == 0 && write_all(file.get(), text) && ::fsync(file.get()) == 0;
  const int error = errno;
  OPENSSL_cleanse(text.data(), text.size());
  if (!written) {
    ::unlink(path.c_str());
    return fail(ErrorCode::kUnavailable, "cannot write " + path + ": " + system_error(error));
  }
  return key;
}

Result<GroupKey> read_key_file(const std::string& path) {
  auto text = read_small_file(path, "the group key", kMaxKeyFile, Privacy::kSecret);
  if (!text) {
    const base::Error& error = text.error();
    const bool unreadable = error.code != ErrorCode::kInvalid;
    return fail(error.code,
                error.message + (unreadable ? "; `turnout keygen` makes one" : std::string()));
  }
  auto key = parse_key(text.value(), path);
  OPENSSL_cleanse(text.value().data(), text.value().size());
  return key;
}

std::string encode_identity(const PskIdentity& identity) {
  std::string bytes(kIdentityMagic);
  append_field(bytes, identity.group);
  append_field(bytes, identity.key_id);
  append_field(bytes, identity.caller.get());
  append_field(bytes, identity.callee.get());
  return bytes;
}

Result<PskIdentity> decode_identity(std::string_view bytes) {
  const auto wrong = [] { return fail(ErrorCode::kInvalid, "this is no identity of a peer"); };
  if (!bytes.starts_with(kIdentityMagic)) {
    return wrong();
  }
  bytes.remove_prefix(kIdentityMagic.size());
  PskIdentity identity;
  std::string caller;
  std::string callee;
  if (!take_field(bytes, identity.group) || !take_field(bytes, identity.key_id) ||
      !take_field(bytes, caller) || !take_field(bytes, callee) || !bytes.empty()) {
    return wrong();
  }
  identity.caller = base::PeerName(std::move(caller));
  identity.callee = base::PeerName(std::move(callee));
  return identity;
}

std::array<unsigned char, kKeyBytes> derive_psk(const GroupKey& key, std::string_view identity) {
  const std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)> kdf(
      EVP_KDF_fetch(nullptr, OSSL_KDF_NAME_HKDF, nullptr), EVP_KDF_free);
  CHECK(kdf != nullptr);
  const std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)> context(
      EVP_KDF_CTX_new(kdf.get()), EVP_KDF_CTX_free);
  CHECK(context != nullptr);
  // OSSL_PARAM takes mutable pointers although it reads only, so it gets copies.
  std::string digest = "SHA256";
  std::string salt = "turnout group key 1";
  std::string info(identity);
  std::array<unsigned char, kKeyBytes> secret = key.secret;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, secret.data(), secret.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, salt.data(), salt.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  std::array<unsigned char, kKeyBytes> psk{};
  const int derived = EVP_KDF_derive(context.get(), psk.data(), psk.size(), parameters);
  OPENSSL_cleanse(secret.data(), secret.size());
  CHECK(derived == 1);
  return psk;
}

}  // namespace turnout::link
