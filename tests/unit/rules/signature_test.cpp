#include "forebay/rules/signature.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "forebay/rules/storability.hpp"

namespace forebay::rules {
namespace {

bool signed_by(const std::vector<std::pair<std::string, std::string>>& lines, const std::string& target = "/",
               const Policy& policy = {}) {
  http::Fields fields;
  for (const auto& [name, value] : lines) fields.add(name, value);
  http::RequestView request;
  request.target = target;
  request.fields = fields.view();
  return is_signed(request, policy);
}

TEST(Signature, SchemesThatSignTheRequestAreKnownInAnyCase) {
  for (const char* credentials :
       {"AWS4-HMAC-SHA256 Credential=x", "AWS4-ECDSA-P256-SHA256 x", "aws4-hmac-sha256 x", "AWS key:sig",
        "GOOG4-RSA-SHA256 x", "GOOG1 x:y", "SharedKey a:b", "SharedKeyLite a:b", "Signature keyId=\"x\"",
        "Hawk id=\"x\"", "OAuth oauth_token=\"x\"", "HMAC-SHA256 x", "TC3-HMAC-SHA256 x", "EG1-HMAC-SHA256 x", "Hawk"})
    EXPECT_TRUE(signed_by({{"Authorization", credentials}})) << credentials;
  for (const char* credentials : {"Basic x", "Bearer AWS4-HMAC-SHA256", "Digest x", "NTLM x", "Signatures x", ""})
    EXPECT_FALSE(signed_by({{"Authorization", credentials}})) << credentials;
}

TEST(Signature, FieldsOfSignaturesCountWhateverTheRouteSays) {
  Policy policy;
  policy.signed_schemes.clear();
  EXPECT_TRUE(signed_by({{"Signature-Input", "sig=()"}}, "/", policy));
  EXPECT_TRUE(signed_by({{"signature", "keyId=\"x\""}}, "/", policy));
  EXPECT_FALSE(signed_by({{"Authorization", "AWS4-HMAC-SHA256 x"}}, "/", policy));
  EXPECT_FALSE(signed_by({{"X-Signature", "x"}}, "/", policy));
}

TEST(Signature, AQueryCountsWhereItIsSignedOverWhatAFetchForTheStoreLeavesOut) {
  const std::pair<const char*, bool> rows[] = {{"/a?X-Amz-SignedHeaders=host", false},
                                               {"/a?X-Amz-SignedHeaders=host%3Brange", true},
                                               {"/a?X-Amz-SignedHeaders=host%3bif-none-match%3bx", true},
                                               {"/a?x-amz-signedheaders=range", true},
                                               {"/a?X-Goog-SignedHeaders=host;RANGE", true},
                                               {"/a?X-Amz-SignedHeaders=host%3Bx-range", false},
                                               {"/a?X-Amz-SignedHeaders=%", false},
                                               {"/a?X-Amz-SignedHeaders=", false},
                                               {"/a?X-Amz-SignedHeaders", false},
                                               {"/a?q=X-Amz-SignedHeaders=range", false},
                                               {"/a", false}};
  for (const auto& [target, expected] : rows) {
    EXPECT_EQ(signed_by({{"Range", "bytes=0-1"}}, target), expected) << target;
    EXPECT_FALSE(signed_by({{"Accept", "x"}}, target)) << "there is nothing to leave out: " << target;
  }
}

TEST(Signature, HandshakesThatAuthenticateTheConnectionAreNotLookedUp) {
  const std::pair<const char*, bool> rows[] = {{"NTLM TlRM", true},     {"ntlm x", true},
                                               {"Negotiate YII", true}, {"Kerberos x", true},
                                               {"Basic NTLM", false},   {"Bearer Negotiate", false}};
  for (const auto& [credentials, expected] : rows) {
    http::Fields fields;
    fields.add("Authorization", credentials);
    http::RequestView request;
    request.target = "/";
    request.method_text = "GET";
    request.fields = fields.view();
    Policy policy;
    policy.authorization = AuthorizationRule::Share;
    const auto facts = facts_of(request, policy);
    EXPECT_EQ(may_look_up(facts, request, std::nullopt, UnkeyedContent::None, policy),
              expected ? Reason::Authorization : Reason::None)
        << credentials;
  }
}

}  // namespace
}  // namespace forebay::rules
