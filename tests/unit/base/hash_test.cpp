#include "forebay/base/hash.hpp"

#include <gtest/gtest.h>

namespace forebay {
namespace {

TEST(Hash, Sha256GivesTheKnownDigests) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex("abc", 16), "ba7816bf8f01cfea");
  EXPECT_EQ(sha256_hex("abc", 99).size(), 64u);
  EXPECT_EQ(sha256_hex("abc", 3), "ba7");
}

TEST(Hash, Sha256IsAppendedAndItsFirstHalfIsADigest) {
  std::string out = "gzip:";
  append_sha256_hex(out, "abc", 32);
  EXPECT_EQ(out, "gzip:ba7816bf8f01cfea414140de5dae2223");
  EXPECT_EQ(to_hex(sha256_digest("abc")), sha256_hex("abc", 32));
  out.clear();
  append_hex(out, sha256_digest(""));
  EXPECT_EQ(out, sha256_hex("", 32)) << "nothing of the text before is left in the thread's context";
}

// RFC 4231, test cases 1, 2, 6 and 7.
TEST(Hash, HmacGivesTheKnownDigestsForShortAndLongKeys) {
  EXPECT_EQ(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
  EXPECT_EQ(to_hex(hmac_sha256(std::string(131, '\xaa'),
                               "This is a test using a larger than block-size key and a larger than block-size data. "
                               "The key needs to be hashed before being used by the HMAC algorithm.")),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(Hash, DigestIsTheSameInEveryProcessAndWrittenHighHalfFirst) {
  EXPECT_EQ(to_hex(Digest{0x0123456789abcdefULL, 0x1ULL}), "0123456789abcdef0000000000000001");
  EXPECT_EQ(to_hex(digest_of("")), "99aa06d3014798d86001c324468d497f");  // the published value of XXH3-128 of nothing
  EXPECT_NE(digest_of("a"), digest_of("b"));
}

TEST(Hash, TableHashTellsTextsApartAndStaysTheSameWhileWeRun) {
  EXPECT_EQ(table_hash("key"), table_hash("key"));
  EXPECT_NE(table_hash("key"), table_hash("kez"));
}

TEST(Hash, RandomHexIsTwoDigitsAByteAndDoesNotRepeat) {
  const auto a = random_hex(16);
  EXPECT_EQ(a.size(), 32u);
  EXPECT_EQ(a.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(a, random_hex(16));
  EXPECT_EQ(random_hex(0), "");
}

}  // namespace
}  // namespace forebay
