// Ranges of what proves not to be storable, and requests whose signature a change on their way would break.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class SignedRequests : public ForebayTest {
 protected:
  // Answers as an object store does: the range where one is asked for, and only to what is as it was signed.
  static Reply object(const Received& r, const std::string& cache_control) {
    const auto body = pattern(100000);
    auto reply = r.has("Range") ? Reply(206).field("Content-Range", "bytes 10-19/100000").body(body.substr(10, 10))
                                : Reply().body(body);
    return reply.field("Cache-Control", cache_control).field("ETag", "\"v\"");
  }
};

const FieldLines kRange{{"Range", "bytes=10-19"}};

FieldLines with(FieldLines fields, const std::string& name, const std::string& value) {
  fields.emplace_back(name, value);
  return fields;
}

TEST_F(SignedRequests, ARangeOfWhatIsNotStorableGoesToTheOriginAsARange) {
  auto never = gate();
  origin.on("/film", [never](const Received& r) {
    if (r.has("Range")) return object(r, "private");
    return Reply().field("Cache-Control", "private").body(pattern(3000000)).gate_at(1000, never);
  });
  origin.on("/cookie", [](const Received& r) { return object(r, "max-age=60").field("Set-Cookie", "a=b"); });
  origin.on("/chunked", [](const Received& r) {
    return r.has("Range") ? object(r, "no-store") : Reply::with("no-store", pattern(100000)).chunked(5000);
  });
  start();
  for (const std::string path : {"/film", "/cookie", "/chunked"}) {
    const auto a = get(path, with(kRange, "If-Range", "\"v\""));
    EXPECT_EQ(a.status, 206) << path << a;
    EXPECT_EQ(a.body, pattern(100000).substr(10, 10)) << path;
    EXPECT_EQ(a.get("Content-Range"), "bytes 10-19/100000");
    EXPECT_EQ(origin.count(path), 2u) << path;
    EXPECT_EQ(origin.last(path).get("Range"), "bytes=10-19");
    EXPECT_EQ(origin.last(path).get("If-Range"), "\"v\"");
    EXPECT_EQ(get(path, kRange).status, 206);
    EXPECT_EQ(origin.count(path), 3u) << path << ": known by now, so asked for once";
  }
  never->open();
}

TEST_F(SignedRequests, ARangeOfAnErrorIsNotAskedForOnceMore) {
  origin.on("/404", Reply(404).field("Cache-Control", "no-store").body("none"));
  origin.on("/500", Reply(500).body("broken"));
  start();
  EXPECT_EQ(get("/404", kRange).body, "none");
  EXPECT_EQ(get("/500", kRange).body, "broken");
  EXPECT_EQ(origin.count("/404"), 1u);
  EXPECT_EQ(origin.count("/500"), 1u);
}

TEST_F(SignedRequests, ASignedRequestKeepsItsRangeConditionsAndMethod) {
  origin.otherwise([](const Received& r) { return object(r, "public, max-age=60"); });
  start();
  const std::vector<std::pair<std::string, std::string>> signatures{
      {"Authorization",
       "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/s3/aws4_request, "
       "SignedHeaders=host;range;x-amz-date, Signature=00"},
      {"Authorization", "AWS4-ECDSA-P256-SHA256 Credential=AKID, Signature=00"},
      {"Authorization", "aws AKID:sig"},
      {"Authorization", "SharedKey account:sig"},
      {"Authorization", "GOOG4-RSA-SHA256 Credential=x"},
      {"Authorization", "Hawk id=\"x\", mac=\"y\""},
      {"Signature-Input", "sig1=(\"@method\" \"range\");keyid=\"k\""},
      {"Signature", "keyId=\"k\",headers=\"date range\",signature=\"x\""}};
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    const auto path = "/" + std::to_string(i);
    auto fields = with(kRange, signatures[i].first, signatures[i].second);
    fields.emplace_back("If-Match", "\"v\"");
    const auto a = get(path, fields);
    EXPECT_EQ(a.status, 206) << signatures[i].second << a;
    ASSERT_EQ(origin.count(path), 1u) << signatures[i].second;
    EXPECT_EQ(origin.last(path).get("Range"), "bytes=10-19");
    EXPECT_EQ(origin.last(path).get("If-Match"), "\"v\"");
    EXPECT_EQ(origin.last(path).get(signatures[i].first), signatures[i].second);
    EXPECT_EQ(a.cache_param("detail"), "signed") << a;
    EXPECT_EQ(a.cache_param("stored"), "-");
    EXPECT_EQ(ask("HEAD", path + "h", {{signatures[i].first, signatures[i].second}}).status, 200);
    EXPECT_EQ(origin.last(path + "h").method, "HEAD");
  }
}

TEST_F(SignedRequests, ASignedRequestCarriesNoValidatorsOfTheStore) {
  origin.on("/a", [](const Received& r) { return object(r, "public, max-age=0"); });
  start();
  const FieldLines signature{{"Signature-Input", "sig1=(\"@method\")"}};
  get("/a");
  EXPECT_EQ(get("/a", signature).status, 200);
  EXPECT_FALSE(origin.last("/a").has("If-None-Match"));
  get("/a");
  EXPECT_TRUE(origin.last("/a").has("If-None-Match")) << "as others do";
}

TEST_F(SignedRequests, ASignedRequestIsServedFromTheStoreWhereThatIsAllowed) {
  origin.on("/public", [](const Received& r) { return object(r, "public, max-age=60"); });
  origin.on("/plain", [](const Received& r) { return object(r, "max-age=60"); });
  start();
  const auto range = with(kRange, "Authorization", "AWS4-HMAC-SHA256 Credential=x");
  get("/public");
  get("/plain");
  const auto hit = get("/public", range);
  EXPECT_EQ(hit.status, 206);
  EXPECT_EQ(hit.x_cache(), "HIT");
  EXPECT_EQ(get("/plain", range).x_cache(), "MISS") << "not marked as one for everybody";
  EXPECT_EQ(origin.last("/plain").get("Range"), "bytes=10-19");
}

TEST_F(SignedRequests, AQuerySignatureOverAConditionCountsAndOneOverTheHostDoesNot) {
  origin.otherwise([](const Received& r) { return object(r, "max-age=60"); });
  start();
  const std::string presigned = "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00&X-Amz-SignedHeaders=host";
  EXPECT_EQ(get("/a" + presigned + "%3Brange", kRange).status, 206);
  EXPECT_EQ(origin.last("/a").get("Range"), "bytes=10-19");
  EXPECT_EQ(get("/b" + presigned + "%3bif-match", with(kRange, "If-Match", "\"v\"")).status, 206);
  EXPECT_EQ(origin.last("/b").get("If-Match"), "\"v\"");
  EXPECT_EQ(get("/c" + presigned, kRange).status, 206);
  EXPECT_FALSE(origin.requests("/c")[0].has("Range")) << "fetched whole, and cut here";
}

TEST_F(SignedRequests, WhichSchemesSignIsASetting) {
  origin.otherwise([](const Received& r) { return object(r, "public, max-age=60"); });
  start("routes: [{path: /own, signed_schemes: [MySign]}, {path: /**}]\n");
  get("/own", with(kRange, "Authorization", "MySign x"));
  EXPECT_TRUE(origin.last("/own").has("Range"));
  get("/own?2", with(kRange, "Authorization", "AWS4-HMAC-SHA256 x"));
  EXPECT_FALSE(origin.last("/own").has("Range"));
  get("/other", with(kRange, "Authorization", "Bearer x"));
  EXPECT_FALSE(origin.requests("/other")[0].has("Range")) << "no signature at all";
}

}  // namespace
}  // namespace forebay::test
