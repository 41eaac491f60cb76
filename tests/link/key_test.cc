#include "link/key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace turnout::link {
namespace {

struct KeyFileTest : testing::Test {
  std::filesystem::path folder;
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "key_test.XXXXXX").string();
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::string path(const char* name = "group.key") const { return (folder / name).string(); }
};

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST_F(KeyFileTest, IsMadeReadAndNeverOverwritten) {
  const mode_t before = umask(0);
  const auto made = generate_key_file(path());
  umask(before);
  ASSERT_TRUE(made) << made.error().message;
  struct stat about{};
  ASSERT_EQ(stat(path().c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0600u);
  const auto read = read_key_file(path());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read.value().id, made.value().id);
  EXPECT_EQ(read.value().secret, made.value().secret);

  const std::string text = text_of(path());
  const auto again = generate_key_file(path());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, base::ErrorCode::kConflict);
  EXPECT_EQ(text_of(path()), text);

  const auto other = generate_key_file(path("other.key"));
  ASSERT_TRUE(other);
  EXPECT_NE(other.value().id, made.value().id);
  EXPECT_NE(other.value().secret, made.value().secret);
}

TEST_F(KeyFileTest, ThatOthersCanReadIsRefusedWithTheRemedy) {
  ASSERT_TRUE(generate_key_file(path()));
  for (const mode_t mode : {0644U, 0604U, 0620U, 0602U}) {
    ASSERT_EQ(chmod(path().c_str(), mode), 0);
    const auto read = read_key_file(path());
    ASSERT_FALSE(read) << std::oct << mode;
    EXPECT_NE(read.error().message.find("chmod 600"), std::string::npos);
  }
  ASSERT_EQ(chmod(path().c_str(), 0440), 0);  // a secret mounted for a group of users
  EXPECT_TRUE(read_key_file(path()));
}

TEST_F(KeyFileTest, MissingOnesAndFoldersAreSaid) {
  const auto missing = read_key_file(path());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, base::ErrorCode::kNotFound);
  EXPECT_NE(missing.error().message.find("turnout keygen"), std::string::npos);
  EXPECT_FALSE(read_key_file(folder.string()));
  EXPECT_FALSE(generate_key_file((folder / "no" / "group.key").string()));
}

TEST(Key, MistakesAreSaidWithTheirLineAndNeverTheSecret) {
  const std::string good_key(64, 'a');
  const auto problem = [](const std::string& text) {
    const auto key = parse_key(text, "group.key");
    EXPECT_FALSE(key) << text;
    return key ? "" : key.error().message;
  };
  const std::string head = "# comment\n\nturnout-group-key 1\r\n";
  ASSERT_TRUE(parse_key(head + "id x.y-z_1\n  key\t" + good_key, "f"));
  EXPECT_TRUE(problem("").starts_with("group.key, line 0"));
  EXPECT_TRUE(problem("-----BEGIN PRIVATE KEY-----").starts_with("group.key, line 1: this is no"));
  EXPECT_TRUE(problem("turnout-group-key 2\n").starts_with("group.key, line 1: key files of this"));
  EXPECT_TRUE(problem(head + "id a b\n").starts_with("group.key, line 4: expected one id"));
  EXPECT_TRUE(problem(head + "id " + std::string(33, 'a')).starts_with("group.key, line 4"));
  EXPECT_TRUE(problem(head + "id a\nid b\n").starts_with("group.key, line 5: expected one id"));
  EXPECT_TRUE(problem(head + "id a\nkey " + good_key + "a").starts_with("group.key, line 5"));
  EXPECT_TRUE(problem(head + "id a\nkey g" + good_key.substr(1)).starts_with("group.key, line 5"));
  EXPECT_TRUE(problem(head + "id a\n").starts_with("group.key, line 4: the file ends"));
  EXPECT_TRUE(problem(head + "what\n").starts_with("group.key, line 4: expected `id` or `key`"));
  EXPECT_EQ(problem(head + "id a\nkey " + good_key + "a").find("aaaa"), std::string::npos);
}

TEST(Key, IdentitiesComeBackAsTheyWere) {
  const PskIdentity identity{"group", "key", base::PeerName(std::string(64, '\xff')),
                             base::PeerName("")};
  const std::string bytes = encode_identity(identity);
  const auto back = decode_identity(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back.value().group, identity.group);
  EXPECT_EQ(back.value().key_id, identity.key_id);
  EXPECT_EQ(back.value().caller, identity.caller);
  EXPECT_EQ(back.value().callee, identity.callee);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_identity(bytes.substr(0, size))) << size;
  }
  EXPECT_FALSE(decode_identity(bytes + "x"));
}

// Pins the derivation: peers of all releases must agree on it. Computed with Python's `hmac`, RFC
// 5869.
TEST(Key, DerivationIsHkdfSha256) {
  GroupKey key;
  for (std::size_t i = 0; i < key.secret.size(); ++i) {
    key.secret[i] = static_cast<unsigned char>(i);
  }
  const auto psk = derive_psk(key,
                              "turnout/1\x01g\x01k\x01"
                              "a\x01"
                              "b");
  const std::array<unsigned char, 32> expected = {0x5f, 0x40, 0x1d, 0x8a, 0xc1, 0x7a, 0x9a, 0x63,
                                                  0x32, 0x19, 0xde, 0x18, 0xcf, 0x69, 0x71, 0x94,
                                                  0xb7, 0xfd, 0x4b, 0xac, 0x05, 0xf7, 0xe2, 0xec,
                                                  0x51, 0x35, 0x0d, 0x1b, 0xa7, 0x36, 0xe0, 0xc4};
  EXPECT_EQ(psk, expected);
}

}  // namespace
}  // namespace turnout::link
