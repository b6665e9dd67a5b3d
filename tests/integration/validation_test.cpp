// Conditional requests on both sides: RFC 9110 section 13, RFC 9111 section 4.3.
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Validation : public ForebayTest {};

const char* const kModified = "Tue, 15 Nov 1994 12:45:26 GMT";

TEST_F(Validation, ConditionsOfTheClientAreAnsweredFromTheStore) {
  origin.on("/a", Reply::fresh().field("ETag", "\"v1\"").field("Last-Modified", kModified));
  origin.on("/weak", Reply::fresh().field("ETag", "W/\"v1\""));
  start();
  get("/a");
  get("/weak");
  struct Case {
    const char* path;
    FieldLines request;
    int status;
  };
  const Case cases[] = {
      {"/a", {{"If-None-Match", "\"v1\""}}, 304},
      {"/a", {{"If-None-Match", "W/\"v1\""}}, 304},
      {"/a", {{"If-None-Match", "\"x\", \"v1\""}}, 304},
      {"/a", {{"If-None-Match", "\"x\""}, {"If-None-Match", "\"v1\""}}, 304},
      {"/a", {{"If-None-Match", "*"}}, 304},
      {"/a", {{"If-None-Match", "\"x\""}}, 200},
      {"/a", {{"If-None-Match", "\"V1\""}}, 200},
      {"/weak", {{"If-None-Match", "\"v1\""}}, 304},
      {"/weak", {{"If-None-Match", "W/\"v1\""}}, 304},
      {"/a", {{"If-Modified-Since", kModified}}, 304},
      {"/a", {{"If-Modified-Since", "Tuesday, 15-Nov-94 12:45:26 GMT"}}, 304},
      {"/a", {{"If-Modified-Since", "Tue Nov 15 12:45:26 1994"}}, 304},
      {"/a", {{"If-Modified-Since", "Tue, 15 Nov 1994 12:45:25 GMT"}}, 200},
      {"/a", {{"If-Modified-Since", "yesterday"}}, 200},
      {"/a", {{"If-None-Match", "\"x\""}, {"If-Modified-Since", kModified}}, 200},
      {"/a", {{"If-None-Match", "\"v1\""}, {"If-Modified-Since", "Tue, 15 Nov 1994 12:45:25 GMT"}}, 304},
  };
  for (const auto& c : cases) {
    for (const auto* method : {"GET", "HEAD"}) {
      const auto a = ask(method, c.path, c.request);
      EXPECT_EQ(a.status, c.status) << method << ' ' << c.request[0].first << ": " << c.request[0].second;
      EXPECT_TRUE(a.complete());
      EXPECT_EQ(a.x_cache(), "HIT");
    }
  }
  EXPECT_EQ(origin.count(), 2u);
}

TEST_F(Validation, A304CarriesTheFieldsThatTheRfcNamesAndLeavesTheConnectionInStep) {
  origin.on("/a", Reply::fresh("content")
                      .field("ETag", "\"v1\"")
                      .field("Expires", http_date(60))
                      .field("Vary", "Accept")
                      .field("Content-Location", "/a.html")
                      .field("Content-Type", "text/html"));
  start();
  auto c = connect();
  const auto full = c.get("/a");
  const auto a = c.get("/a", {{"If-None-Match", "\"v1\""}});
  EXPECT_EQ(a.status, 304);
  for (const auto* name : {"ETag", "Date", "Cache-Control", "Content-Location", "Expires", "Vary"})
    EXPECT_EQ(a.get(name), full.get(name)) << name;
  EXPECT_FALSE(a.has("Transfer-Encoding"));
  EXPECT_EQ(c.get("/a").body, "content");
}

TEST_F(Validation, AMissIsFetchedWithoutTheClientsConditionsWhichApplyAtDelivery) {
  origin.on("/a", Reply::fresh("content").field("ETag", "\"v1\""));
  start();
  const auto a = get("/a", {{"If-None-Match", "\"v1\""}, {"If-Modified-Since", kModified}});
  EXPECT_EQ(a.status, 304);
  const auto r = origin.last("/a");
  EXPECT_FALSE(r.has("If-None-Match"));
  EXPECT_FALSE(r.has("If-Modified-Since"));
  EXPECT_EQ(get("/a").body, "content");
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Validation, APassKeepsTheClientsConditionsForTheOrigin) {
  origin.on("/a", Reply(304).field("ETag", "\"v1\""));
  start("routes: [{path: /**, cache: false}]\n");
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"v1\""}}).status, 304);
  EXPECT_EQ(origin.last("/a").get("If-None-Match"), "\"v1\"");
}

TEST_F(Validation, AStaleEntryIsValidatedByItsETagAndTheStoredBodyIsServed) {
  origin.on("/a", [](const Received& r) {
    if (r.get("If-None-Match") == "\"v1\"")
      return Reply(304).field("ETag", "\"v1\"").field("Cache-Control", "max-age=50").field("X-New", "2");
    return Reply::with("max-age=60", "content")
        .field("Age", "61")
        .field("ETag", "\"v1\"")
        .field("X-New", "1")
        .field("X-Old", "o");
  });
  start();
  get("/a");
  const auto a = get("/a");
  EXPECT_EQ(a.status, 200);
  EXPECT_EQ(a.body, "content");
  EXPECT_EQ(a.x_cache(), "REVALIDATED");
  EXPECT_EQ(a.get("X-New"), "2") << "fields of the 304 replace the stored ones in this answer";
  EXPECT_EQ(a.get("X-Old"), "o") << "the others stay";
  EXPECT_EQ(a.get("Cache-Control"), "max-age=50");
  EXPECT_EQ(a.get("Content-Length"), "7");
  const auto hit = get("/a");
  EXPECT_EQ(hit.x_cache(), "HIT") << "freshness restarts";
  EXPECT_EQ(hit.get("X-New"), "2");
  EXPECT_EQ(hit.body, "content");
  EXPECT_LE(hit.age(), kSlack) << "not the 61 s of what was stored";
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Validation, FramingAndCodingFieldsOfA304DoNotTouchTheStoredEntry) {
  origin.on("/a", [](const Received& r) {
    if (r.has("If-None-Match"))
      return Reply(304)
          .field("ETag", "\"v1\"")
          .field("Cache-Control", "max-age=60")
          .field("Content-Length", "999")
          .field("Content-Encoding", "gzip")
          .field("Content-Range", "bytes 0-1/2")
          .field("Connection", "X-Hop")
          .field("X-Hop", "no");
    return Reply::with("no-cache", "content").field("ETag", "\"v1\"");
  });
  start();
  get("/a");
  auto c = connect();
  for (const auto& a : {c.get("/a"), c.get("/a")}) {
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.body, "content");
    EXPECT_EQ(a.get("Content-Length"), "7");
    EXPECT_FALSE(a.has("Content-Encoding"));
    EXPECT_FALSE(a.has("Content-Range"));
    EXPECT_FALSE(a.has("X-Hop"));
  }
}

TEST_F(Validation, WithoutAnETagLastModifiedValidates) {
  origin.on("/a", [](const Received& r) {
    if (r.has("If-Modified-Since")) return Reply(304).field("Cache-Control", "max-age=60");
    return Reply::with("max-age=60", "content").field("Age", "61").field("Last-Modified", kModified);
  });
  start();
  get("/a");
  EXPECT_EQ(get("/a").x_cache(), "REVALIDATED");
  EXPECT_EQ(origin.last("/a").get("If-Modified-Since"), kModified);
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(Validation, AWeakETagIsSentAsReceivedAndServes) {
  origin.on("/a", [](const Received& r) {
    if (r.get("If-None-Match") == "W/\"v1\"") return Reply(304).field("ETag", "W/\"v1\"");
    return Reply::with("no-cache", "content").field("ETag", "W/\"v1\"");
  });
  start();
  get("/a");
  const auto a = get("/a");
  EXPECT_EQ(a.x_cache(), "REVALIDATED");
  EXPECT_EQ(a.body, "content");
}

TEST_F(Validation, NoCacheIsStoredAndValidatedAtEachUse) {
  origin.on("/a", [](const Received& r) {
    if (r.has("If-None-Match"))
      return Reply(304).field("ETag", "\"v1\"").field("Cache-Control", "max-age=60, no-cache");
    return Reply::with("max-age=60, no-cache", "content").field("ETag", "\"v1\"");
  });
  start();
  get("/a");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/a").x_cache(), "REVALIDATED");
  EXPECT_EQ(origin.count("/a"), 4u);
}

TEST_F(Validation, AFull200ReplacesTheStaleEntry) {
  origin.on("/a", {Reply::with("max-age=60", "old").field("Age", "61").field("ETag", "\"v1\""),
                   Reply::with("max-age=60", "new").field("ETag", "\"v2\"")});
  start();
  get("/a");
  const auto a = get("/a");
  EXPECT_EQ(a.body, "new");
  EXPECT_EQ(a.x_cache(), "MISS");
  EXPECT_THAT(a.cache_status(), StartsWith("forebay; fwd=stale"));
  const auto hit = get("/a");
  EXPECT_EQ(hit.body, "new");
  EXPECT_EQ(hit.x_cache(), "HIT");
}

TEST_F(Validation, A304WithAnotherStrongETagDoesNotUpdateTheEntry) {
  origin.on("/a", [](const Received& r) {
    if (r.has("If-None-Match"))
      return Reply(304).field("ETag", "\"other\"").field("Cache-Control", "max-age=60").field("X-New", "2");
    return Reply::with("no-cache", "content").field("ETag", "\"v1\"").field("X-New", "1");
  });
  start();
  get("/a");
  get("/a");
  const auto later = get("/a", {{"If-None-Match", "\"other\""}});
  EXPECT_NE(later.x_cache(), "HIT") << "the 304 was about another representation";
  EXPECT_NE(get("/a").get("ETag"), "\"other\"");
}

TEST_F(Validation, AConditionalRequestOnAStaleEntryIsAnsweredAfterValidation) {
  origin.on("/a", [](const Received& r) {
    if (r.get("If-None-Match").find("\"v1\"") != std::string::npos)
      return Reply(304).field("ETag", "\"v1\"").field("Cache-Control", "max-age=60");
    return Reply::with("max-age=60", "content").field("Age", "61").field("ETag", "\"v1\"");
  });
  start();
  get("/a");
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"v1\""}}).status, 304);
  EXPECT_EQ(get("/a", {{"If-None-Match", "\"v0\""}}).status, 200);
  EXPECT_EQ(get("/a").x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 2u);
}

TEST_F(Validation, AValidationSendsTheETagOfTheSelectedVariantAlone) {
  origin.on("/a", [](const Received& r) {
    const auto lang = r.get("Accept-Language");
    if (r.has("If-None-Match"))
      return Reply(304)
          .field("ETag", "\"" + lang + "\"")
          .field("Vary", "Accept-Language")
          .field("Cache-Control", "max-age=60");
    return Reply::with("no-cache", lang).field("ETag", "\"" + lang + "\"").field("Vary", "Accept-Language");
  });
  start();
  get("/a", {{"Accept-Language", "de"}});
  get("/a", {{"Accept-Language", "fr"}});
  const auto a = get("/a", {{"Accept-Language", "de"}});
  EXPECT_EQ(a.body, "de");
  EXPECT_EQ(origin.last("/a").get("If-None-Match"), "\"de\"");
}

TEST_F(Validation, AHeadThatAgreesFreshensTheStoredGetAndOneThatDiffersMakesItStale) {
  origin.on("/same", [](const Received& r) {
    if (r.method == "HEAD") return Reply::with("max-age=60", "content").field("ETag", "\"v1\"");
    return Reply::with("max-age=60", "content").field("Age", "61").field("ETag", "\"v1\"");
  });
  origin.on("/other", [](const Received& r) {
    if (r.method == "HEAD") return Reply::with("max-age=60", "longer content").field("ETag", "\"v2\"");
    return r.has("If-None-Match") ? Reply::with("max-age=60", "third").field("ETag", "\"v3\"")
                                  : Reply::with("max-age=60", "content").field("Age", "61").field("ETag", "\"v1\"");
  });
  start();
  get("/same");
  ask("HEAD", "/same");
  EXPECT_EQ(get("/same").body, "content");
  get("/other");
  ask("HEAD", "/other");
  EXPECT_NE(get("/other").body, "content");
}

// A part of a download is not to be taken from another version than the one that its client has begun.
TEST_F(Validation, IfMatchIsServedFromTheStoreWhereItHoldsAndElseGoesToTheOrigin) {
  origin.on("/a", [](const Received& r) {
    if (!r.get("If-Match").empty() && r.get("If-Match") != "\"v2\"") return Reply(412);
    if (r.has("Range")) return Reply(206).field("Content-Range", "bytes 0-1/7").field("ETag", "\"v2\"").body("V2");
    return Reply::fresh("v1 body").field("ETag", "\"v1\"").field("Last-Modified", kModified);
  });
  start();
  get("/a");
  const auto held = get("/a", {{"If-Match", "\"v1\""}, {"Range", "bytes=0-1"}});
  EXPECT_EQ(held.status, 206);
  EXPECT_EQ(held.body, "v1");
  EXPECT_EQ(held.x_cache(), "HIT");
  const auto failed = get("/a", {{"If-Match", "\"v0\""}, {"Range", "bytes=0-1"}});
  EXPECT_EQ(failed.status, 412);
  EXPECT_EQ(failed.cache_status(), "forebay; fwd=request; detail=precondition");
  const auto newer = get("/a", {{"If-Match", "\"v2\""}, {"Range", "bytes=0-1"}});
  EXPECT_EQ(newer.status, 206);
  EXPECT_EQ(newer.body, "V2") << "what the origin has by now";
  EXPECT_EQ(origin.last("/a").get("Range"), "bytes=0-1");
  EXPECT_EQ(get("/a", {{"If-Unmodified-Since", kModified}}).x_cache(), "HIT");
  EXPECT_EQ(get("/a", {{"If-Unmodified-Since", "Tue, 15 Nov 1994 12:45:25 GMT"}}).x_cache(), "MISS");
  EXPECT_EQ(get("/a").x_cache(), "HIT") << "what is stored stays";
}

TEST_F(Validation, APreconditionGoesToTheOriginWhereNothingFreshIsStored) {
  origin.on("/a", [](const Received& r) {
    if (r.has("If-Match")) return Reply(412).field("Cache-Control", "max-age=60");
    return Reply::with("max-age=60", "old").field("Age", "61").field("ETag", "\"v1\"");
  });
  start();
  EXPECT_EQ(get("/a", {{"If-Match", "\"v1\""}}).status, 412);
  EXPECT_THAT(get("/a", {{"If-Match", "\"v1\""}}).cache_status(), HasSubstr("detail=precondition"));
  EXPECT_EQ(get("/a").status, 200) << "the 412 was not stored";
  EXPECT_EQ(get("/a", {{"If-Match", "\"v1\""}}).status, 412) << "a stale response does not decide";
  EXPECT_FALSE(origin.last("/a").has("If-None-Match"));
}

TEST_F(Validation, ARequestWithAPreconditionWaitsForNobody) {
  auto hold = gate();
  origin.on("/a", [hold](const Received& r) {
    if (r.has("If-Match")) return Reply(412);
    return Reply::fresh("new").field("ETag", "\"v2\"").after(hold);
  });
  start();
  auto leader = connect();
  leader.request("GET", "/a");
  ASSERT_TRUE(origin.wait_for("/a", 1));
  EXPECT_EQ(get("/a", {{"If-Match", "\"v1\""}}).status, 412);
  hold->open();
  EXPECT_EQ(leader.read().body, "new");
}

TEST_F(Validation, APreconditionThatFailsBesideOnlyIfCachedForwardsNothing) {
  origin.on("/a", [](const Received& r) {
    return r.has("If-Match") || r.has("If-Unmodified-Since")
               ? Reply(412)
               : Reply::fresh("body").field("ETag", "\"v1\"").field("Last-Modified", kModified);
  });
  origin.on("/refreshed", [](const Received& r) {
    return Reply::with("max-age=0, stale-while-revalidate=600", "body")
        .field("ETag", '"' + std::to_string(r.number) + '"');
  });
  start();
  get("/a");
  get("/refreshed");
  const std::pair<const char*, const char*> fail[] = {
      {"If-Match", "\"v0\""}, {"If-Match", "W/\"v1\""}, {"If-Unmodified-Since", "Tue, 15 Nov 1984 12:45:25 GMT"}};
  for (const auto& [name, value] : fail) {
    EXPECT_TRUE(is_problem(get("/a", {{name, value}, {"Cache-Control", "only-if-cached"}}), 504)) << name;
    EXPECT_EQ(get("/a", {{name, value}}).status, 412) << name;
  }
  EXPECT_EQ(get("/a", {{"If-Match", "\"v1\""}, {"Cache-Control", "only-if-cached"}}).x_cache(), "HIT");
  EXPECT_EQ(origin.count("/a"), 4u);
  EXPECT_EQ(get("/refreshed", {{"If-Match", "\"v0\""}, {"Cache-Control", "only-if-cached"}}).status, 504);
  EXPECT_EQ(origin.count("/refreshed"), 1u);
}

// RFC 9110 section 15.4.5: a 304 answers a condition. Where none was sent it stands for nothing that anybody could use.
TEST_F(Validation, A304ThatNobodyAskedForIsNoAnswer) {
  auto hold = gate();
  origin.on("/miss", Reply(304).field("ETag", "\"v1\"").field("Cache-Control", "max-age=60"));
  origin.on("/twice", [](const Received& r) {
    if (r.number == 1) return Reply::with("max-age=0", "old").field("ETag", "\"v1\"");
    return Reply(304).field("ETag", "\"other\"").field("Cache-Control", "max-age=60");
  });
  origin.on("/together", [hold](const Received& r) {
    if (r.has("X-Special")) return Reply(304).field("Cache-Control", "max-age=60").after(hold);
    return Reply::fresh("for all").after(hold);
  });
  origin.on("/pass", Reply(304).field("ETag", "\"v1\""));
  start("routes: [{path: /pass, cache: false}, {path: /**, pass_memory: 0}]\n");
  get("/twice");
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(is_problem(get("/miss"), 502));
    const auto conditional = get("/miss", {{"If-None-Match", "\"v1\""}});
    EXPECT_TRUE(is_problem(conditional, 502)) << "the client's condition is not sent with a fetch that is shared";
    EXPECT_TRUE(is_problem(get("/twice"), 502)) << "neither the question nor the whole was answered";
  }
  EXPECT_EQ(origin.count("/twice"), 5u);
  EXPECT_EQ(origin.last("/miss").get("If-None-Match"), "");

  auto special = connect(), other = connect();
  special.request("GET", "/together", {{"X-Special", "1"}});
  EXPECT_TRUE(origin.wait_for("/together", 1));
  other.request("GET", "/together");
  EXPECT_TRUE(metric_reaches("forebay_coalesced_waiting", {}, 1));
  hold->open();
  EXPECT_EQ(special.read().status, 502);
  EXPECT_EQ(other.read().body, "for all") << "it may have been the other request's doing";
  EXPECT_EQ(get("/together").x_cache(), "HIT");

  EXPECT_EQ(get("/pass", {{"If-None-Match", "\"v1\""}}).status, 304) << "what is not looked up is the client's own";
  EXPECT_TRUE(metric_becomes("forebay_cache_entries", {}, 2)) << "/twice and /together";
}

TEST_F(Validation, AHeadWhoseOwnFieldsForbidStoringTakesNothingFromOthers) {
  origin.otherwise([](const Received& r) {
    auto reply = r.path == "/configured" ? Reply().body("body") : Reply::with("max-age=60", "body");
    reply.field("ETag", "\"v1\"");
    return reply;
  });
  start("routes: [{path: /configured, ttl: 60s}, {path: /**, client_cache_control: respect}]\n");
  const std::pair<const char*, FieldLines> cases[] = {
      {"/stated", {{"Cache-Control", "no-cache, no-store"}}},
      {"/stated", {{"Authorization", "Bearer anna"}}},
      {"/configured", {{"Cookie", "session=anna"}}},
      {"/configured", {{"X-Api-Key", "anna"}}},
  };
  for (const auto& [path, fields] : cases) {
    EXPECT_EQ(get(path).body, "body");
    const auto seen = origin.count(path);
    EXPECT_EQ(ask("HEAD", path, fields).status, 200);
    EXPECT_EQ(origin.count(path), seen + 1) << path << ": it went forward";
    EXPECT_EQ(get(path).x_cache(), "HIT") << path << ": and what is stored stays fresh for the others";
    EXPECT_EQ(origin.count(path), seen + 1);
  }
}

// A server that weakens the tag of what it compresses, and forgets that in its 304 (nginx).
TEST_F(Validation, AStrongTagInA304DoesNotFreshenAWeakOneAndIsNotAskedForTwice) {
  origin.on("/a", [](const Received& r) {
    if (r.has("If-None-Match")) return Reply(304).field("ETag", "\"v1\"").field("Cache-Control", "max-age=60");
    return Reply::with("max-age=60", "zipped").field("Age", "61").field("ETag", "W/\"v1\"");
  });
  start();
  get("/a");
  for (int i = 0; i < 3; ++i) {
    const auto a = get("/a");
    EXPECT_EQ(a.x_cache(), "MISS");
    EXPECT_EQ(a.get("ETag"), "W/\"v1\"");
  }
  const auto requests = origin.requests("/a");
  std::size_t conditional = 0;
  for (const auto& r : requests) conditional += r.has("If-None-Match");
  EXPECT_EQ(conditional, 1u);
  EXPECT_EQ(requests.size(), 5u);
}

TEST_F(Validation, AnotherValidatorIsAskedAboutAgain) {
  int version = 1;
  origin.on("/a", [&version](const Received& r) {
    const auto tag = "v" + std::to_string(version);
    if (r.get("If-None-Match") == "W/\"" + tag + "\"")
      return Reply(304).field("ETag", (version < 2 ? "\"" : "W/\"") + tag + "\"");
    return Reply::with("max-age=60", tag).field("Age", "61").field("ETag", "W/\"" + tag + "\"");
  });
  start();
  get("/a");
  get("/a");  // the 304 of v1 fails
  version = 2;
  EXPECT_EQ(get("/a").body, "v2");
  EXPECT_FALSE(origin.last("/a").has("If-None-Match"));
  EXPECT_EQ(get("/a").x_cache(), "REVALIDATED");
}

// Fields that only Forebay reads are in force until the origin says otherwise.
TEST_F(Validation, A304ThatOmitsATargetedFieldLeavesItInForce) {
  struct Case {
    const char* path;
    const char* name;
    const char* value;
  };
  const Case cases[] = {{"/own", "Forebay-Cache-Control", "max-age=100"},
                        {"/cdn", "CDN-Cache-Control", "max-age=100"},
                        {"/surrogate", "Surrogate-Control", "max-age=100"}};
  for (const auto& c : cases)
    origin.on(c.path, [c](const Received& r) {
      if (r.has("If-None-Match")) return Reply(304).field("ETag", "\"1\"").field("Cache-Control", "no-store");
      return Reply::with("no-store", "body").field(c.name, c.value).field("ETag", "\"1\"").field("Age", "101");
    });
  start(
      "routes: [{path: /**, targeted: {fields: [Forebay-Cache-Control, CDN-Cache-Control, Surrogate-Control], strip: "
      "true}}]\n");
  for (const auto& c : cases) {
    get(c.path);
    const auto a = get(c.path);
    EXPECT_EQ(a.x_cache(), "REVALIDATED") << c.name;
    EXPECT_FALSE(a.has(c.name));
    const auto hit = get(c.path);
    EXPECT_EQ(hit.x_cache(), "HIT") << c.name;
    EXPECT_FALSE(hit.has(c.name));
    EXPECT_EQ(hit.get("Cache-Control"), "no-store") << "what clients may do is another matter";
    EXPECT_EQ(origin.count(c.path), 2u);
  }
}

TEST_F(Validation, AHeadThatOmitsATargetedFieldLeavesItInForce) {
  origin.on("/a", [](const Received& r) {
    if (r.method == "HEAD") return Reply(200).field("ETag", "\"1\"").field("Cache-Control", "no-store").body("body");
    return Reply::with("no-store", "body")
        .field("Forebay-Cache-Control", "max-age=100")
        .field("ETag", "\"1\"")
        .field("Age", "101");
  });
  start();
  get("/a");
  EXPECT_EQ(ask("HEAD", "/a").status, 200);
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

}  // namespace
}  // namespace forebay::test
