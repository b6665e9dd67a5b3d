// `compress`: identity and every coding out of one origin fetch. RFC 9110 sections 8.4, 8.8.3 and 12.5.3.
#include <atomic>
#include <random>

#include "support/content.hpp"
#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

constexpr const char* kRoutes = "routes: [{path: /**, compress: [zstd, br, gzip]}]\n";

std::string text_of(std::size_t bytes) {
  std::string text;
  for (unsigned i = 0; text.size() < bytes; ++i) text += "line " + std::to_string(i % 1000) + " of the page\n";
  text.resize(bytes);
  return text;
}

class Compress : public ForebayTest {
 protected:
  Reply page_reply(const std::string& body) const {
    return Reply::fresh(body).field("Content-Type", "text/html; charset=utf-8").field("ETag", "\"v1\"");
  }
  static FieldLines accepting(const std::string& codings) { return {{"Accept-Encoding", codings}}; }
  static std::string text(const Answer& a) { return decoded(a.get("Content-Encoding"), a.body); }
  /// Asks until it comes in this coding.
  Answer in_coding(const std::string& target, const std::string& coding) {
    Answer a;
    EXPECT_TRUE(eventually([&] {
      a = get(target, accepting(coding));
      return a.get("Content-Encoding") == coding;
    })) << coding;
    return a;
  }
  double made() { return metric("forebay_compress_total", {{"outcome", "made"}}); }

  std::string page = text_of(30'000);
};

TEST_F(Compress, OneFetchServesIdentityAndEveryCoding) {
  origin.on("/a", page_reply(page));
  start(kRoutes);
  const auto miss = get("/a", accepting("gzip"));
  EXPECT_EQ(miss.body, page) << "a miss streams at once, as it comes";
  EXPECT_EQ(miss.get("Vary"), "Accept-Encoding");
  for (const std::string coding : {"gzip", "br", "zstd"}) {
    const auto a = in_coding("/a", coding);
    EXPECT_EQ(a.x_cache(), "HIT");
    EXPECT_EQ(text(a), page);
    EXPECT_LT(a.body.size() * 5, page.size());
    EXPECT_EQ(a.get("ETag"), "W/\"v1\"");
    EXPECT_EQ(a.get("Vary"), "Accept-Encoding");
    EXPECT_EQ(a.get("Content-Length"), std::to_string(a.body.size()));
    EXPECT_THAT(a.cache_status(), StartsWith("forebay; hit"));
  }
  for (const auto& fields : {FieldLines{}, accepting("identity"), accepting("gzip;q=0")}) {
    const auto a = get("/a", fields);
    EXPECT_EQ(a.body, page);
    EXPECT_EQ(a.get("ETag"), "\"v1\"");
    EXPECT_EQ(a.get("Vary"), "Accept-Encoding");
  }
  EXPECT_EQ(origin.count("/a"), 1u);
  EXPECT_EQ(origin.last("/a").get("Accept-Encoding"), "identity");
}

TEST_F(Compress, IsDoneOncePerEntryAndCodingHoweverManyRequestsCome) {
  origin.on("/a", page_reply(page));
  start(kRoutes);
  get("/a");
  for (const std::string coding : {"gzip", "br"}) in_coding("/a", coding);
  const auto used = metric("forebay_compress_cpu_seconds_total");
  auto client = connect();
  for (int i = 0; i < 10'000; ++i) {
    const auto a = client.get("/a", accepting(i % 2 == 0 ? "gzip" : "br"));
    ASSERT_TRUE(a.has("Content-Encoding")) << i;
  }
  EXPECT_EQ(made(), 2);
  EXPECT_EQ(metric("forebay_compress_cpu_seconds_total"), used);
  EXPECT_EQ(origin.count("/a"), 1u);
  const auto m = daemon->metrics();
  EXPECT_EQ(m.sum("forebay_compress_input_bytes_total"), 2.0 * static_cast<double>(page.size()));
  EXPECT_GT(m.sum("forebay_compressed_memory_bytes"), 0);
  EXPECT_EQ(m.sum("forebay_compressed_bodies"), 2);
}

TEST_F(Compress, AskedForByManyAtOnceItIsOneJob) {
  const auto large = text_of(1'000'000);
  origin.on("/a", page_reply(large));
  start("server: {threads: 2}\n" + std::string(kRoutes));
  get("/a");
  std::vector<Client> clients;
  for (int i = 0; i < 16; ++i) clients.push_back(connect());
  for (auto& client : clients) client.request("GET", "/a", accepting("br"));
  for (auto& client : clients) EXPECT_EQ(text(client.read()), large);
  EXPECT_EQ(text(in_coding("/a", "br")), large);
  EXPECT_EQ(made(), 1);
}

TEST_F(Compress, EitherTagIsAnswered304AndTheOriginGetsItsOwn) {
  origin.on("/a", [&](const Received& r) {
    auto reply = r.get("If-None-Match") == "\"v1\"" ? Reply(304) : Reply().body(page);
    return reply.field("Cache-Control", "no-cache").field("Content-Type", "text/html").field("ETag", "\"v1\"");
  });
  start(kRoutes);
  get("/a", accepting("gzip"));
  const auto a = in_coding("/a", "gzip");
  EXPECT_EQ(a.x_cache(), "REVALIDATED");
  EXPECT_EQ(text(a), page);
  EXPECT_EQ(origin.last("/a").get("If-None-Match"), "\"v1\"");
  for (const auto* tag : {"\"v1\"", "W/\"v1\""}) {
    const auto b = get("/a", {{"Accept-Encoding", "gzip"}, {"If-None-Match", tag}});
    EXPECT_EQ(b.status, 304) << tag;
    EXPECT_EQ(b.get("ETag"), "W/\"v1\"");
    EXPECT_EQ(b.get("Vary"), "Accept-Encoding");
    EXPECT_EQ(origin.last("/a").get("If-None-Match"), "\"v1\"");
  }
  EXPECT_EQ(made(), 1) << "a 304 keeps the body, and its forms";
}

TEST_F(Compress, HeadAndRangesOfACompressedResponse) {
  origin.on("/a", page_reply(page).field("Accept-Ranges", "bytes").field("Content-Digest", "sha-256=:x:"));
  start(kRoutes);
  get("/a");
  const auto whole = in_coding("/a", "gzip");
  EXPECT_FALSE(whole.has("Accept-Ranges"));
  EXPECT_FALSE(whole.has("Content-Digest"));
  const auto head = ask("HEAD", "/a", accepting("gzip"));
  EXPECT_EQ(head.get("Content-Encoding"), "gzip");
  EXPECT_EQ(head.get("Content-Length"), std::to_string(whole.body.size()));
  const auto part = get("/a", {{"Accept-Encoding", "gzip"}, {"Range", "bytes=10-19"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.get("ETag"), "\"v1\"");
  EXPECT_EQ(part.body, page.substr(10, 10));
  const auto weak = get("/a", {{"Accept-Encoding", "gzip"}, {"Range", "bytes=10-19"}, {"If-Range", "W/\"v1\""}});
  EXPECT_EQ(weak.status, 200);
  EXPECT_EQ(text(weak), page);
}

TEST_F(Compress, WhatMayNotBeCompressedIsNot) {
  struct Case {
    const char* path;
    Reply reply;
  };
  const auto html = [&](Reply reply) { return reply.field("Content-Type", "text/html").body(page); };
  const Case cases[] = {
      {"/no-transform", html(Reply::with("max-age=60, no-transform"))},
      {"/type", Reply::fresh(page).field("Content-Type", "image/jpeg")},
      {"/untyped", Reply::fresh(page)},
      {"/small", Reply::fresh("small").field("Content-Type", "text/html")},
      {"/vary", html(Reply::with("max-age=60")).field("Vary", "Cookie")},
      {"/private", html(Reply::with("private"))},
      {"/cookie", html(Reply::with("max-age=60")).field("Set-Cookie", "a=1")},
  };
  for (const auto& c : cases) origin.on(c.path, c.reply);
  start(kRoutes);
  for (int round = 0; round < 3; ++round)
    for (const auto& c : cases)
      EXPECT_FALSE(get(c.path, accepting("gzip, br, zstd")).has("Content-Encoding")) << c.path;
  EXPECT_EQ(metric("forebay_compress_total"), 0);
}

TEST_F(Compress, AVaryOfTheOriginMakesNoVariantsByCoding) {
  origin.on("/a", page_reply(page).field("Vary", "Accept-Encoding"));
  start(kRoutes);
  get("/a", accepting("gzip"));
  for (const auto* codings : {"br", "zstd", "identity", "gzip, br"})
    EXPECT_EQ(get("/a", accepting(codings)).x_cache(), "HIT") << codings;
  EXPECT_EQ(origin.count("/a"), 1u);
}

TEST_F(Compress, WhatTheOriginEncodesGoesAsItIsToWhoAcceptsIt) {
  origin.on("/a", [&](const Received&) {
    return Reply::fresh(gzip(page)).field("Content-Type", "text/html").field("Content-Encoding", "gzip");
  });
  start(kRoutes);
  EXPECT_EQ(text(get("/a", accepting("gzip"))), page);
  EXPECT_EQ(get("/a", accepting("gzip, br")).x_cache(), "HIT");
  get("/a", accepting("br"));
  EXPECT_EQ(origin.count("/a"), 2u);
  EXPECT_EQ(metric("forebay_compress_total"), 0);
}

// The origin has its pages in zstd, whatever it is asked for, names no field in Vary, and then fails.
TEST_F(Compress, WhatTheOriginEncodesWithZstdIsGivenToNobodyWhoRefusesIt) {
  std::atomic<bool> down{false};
  for (const auto* path : {"/off", "/on"})
    origin.on(path, [&](const Received&) {
      if (down) return Reply(503).body("down");
      return Reply::with("max-age=600").field("Content-Type", "text/html").field("Content-Encoding", "zstd").body("z");
    });
  start(
      "routes:\n"
      "  - { path: /off, stale: { if_error: 1h } }\n"
      "  - { path: /on, compress: [zstd, br, gzip], stale: { if_error: 1h } }\n");
  for (const auto* path : {"/off", "/on"}) {
    down = false;
    const auto stored = get(path, accepting("zstd"));
    EXPECT_EQ(stored.get("Content-Encoding"), "zstd") << path;
    EXPECT_EQ(stored.body, "z");
    EXPECT_EQ(get(path, accepting("gzip, zstd")).x_cache(), "HIT") << path;
    down = true;
    for (const auto* codings : {"gzip, br", "identity", "zstd;q=0, *", "*;q=0, gzip"}) {
      const auto refused = get(path, accepting(codings));
      EXPECT_EQ(refused.status, 503) << path << ' ' << codings << ": not even when the origin fails";
      EXPECT_FALSE(refused.has("Content-Encoding")) << path << ' ' << codings;
    }
    EXPECT_FALSE(ask("HEAD", path, accepting("gzip")).has("Content-Encoding")) << path;
    EXPECT_EQ(get(path, accepting("zstd")).x_cache(), "HIT") << path << ": it is stored all the same";
  }
}

TEST_F(Compress, WhatIsPassedOnKeepsTheCodingOfTheOrigin) {
  origin.on("/p", [&](const Received& r) {
    auto reply = Reply::with("private").field("Content-Type", "text/html");
    return r.get("Accept-Encoding") == "gzip" ? reply.field("Content-Encoding", "gzip").body(gzip(page))
                                              : reply.body(page);
  });
  start(kRoutes);
  EXPECT_EQ(text(get("/p", accepting("gzip"))), page);
  const auto second = get("/p", accepting("gzip"));
  EXPECT_EQ(second.get("Content-Encoding"), "gzip") << "it is known that nobody else gets it";
  EXPECT_EQ(text(second), page);
}

TEST_F(Compress, AStreamedMissIsNotDelayed) {
  const auto gate = std::make_shared<Gate>();
  origin.on("/a", page_reply(page).chunked().gate_at(1000, gate));
  start(kRoutes);
  auto client = connect();
  client.request("GET", "/a", accepting("gzip"));
  const auto head = client.read_head();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.get("Vary"), "Accept-Encoding");
  EXPECT_GE(client.read_raw(900).size(), 900u) << "before the rest has come";
  gate->open();
}

TEST_F(Compress, AnInvalidationFreesTheForms) {
  origin.on("/a", page_reply(page));
  start(kRoutes);
  get("/a");
  in_coding("/a", "gzip");
  EXPECT_TRUE(metric_becomes("forebay_compressed_bodies", {}, 1));
  origin.on("/a", Reply(204));
  ask("DELETE", "/a");
  EXPECT_TRUE(eventually([&] { return metric("forebay_compressed_bodies") == 0; }));
  EXPECT_TRUE(metric_becomes("forebay_compressed_memory_bytes", {}, 0));
}

TEST_F(Compress, FormsStayWithinTheMemoryAndAreEvictedWithTheirEntries) {
  const auto body = text_of(100'000);
  origin.otherwise([&](const Received&) { return page_reply(body); });
  start("cache: {memory: 4MiB}\n" + std::string(kRoutes));
  for (int i = 0; i < 100; ++i) {
    const auto target = "/" + std::to_string(i);
    get(target);
    EXPECT_EQ(text(get(target, accepting("gzip"))), body);
    EXPECT_EQ(text(get(target, accepting("br"))), body);
  }
  EXPECT_TRUE(eventually([&] { return metric("forebay_compress_queue") == 0; }));
  const auto m = daemon->metrics();
  EXPECT_LE(m.sum("forebay_cache_memory_bytes"), m.sum("forebay_cache_memory_limit_bytes"));
  EXPECT_GT(m.sum("forebay_cache_evictions_total", {{"reason", "capacity"}}), 0);
  EXPECT_LE(m.sum("forebay_compressed_bodies"), 2 * m.sum("forebay_cache_entries") + 2) << "and of what is made now";
}

TEST_F(Compress, TheAccessLogHasTheCoding) {
  origin.on("/a", page_reply(page));
  start(kRoutes);
  get("/a");
  in_coding("/a", "gzip");
  const auto line = access_line("/a", [](const auto& l) { return l.contains("cache.coding"); });
  ASSERT_FALSE(line.empty());
  EXPECT_EQ(line.at("cache.coding"), "gzip");
}

TEST_F(Compress, AReloadTurnsItOnAndOff) {
  origin.on("/a", page_reply(page));
  start("routes: [{path: /**}]\n");
  get("/a");
  EXPECT_FALSE(get("/a", accepting("gzip")).has("Vary"));
  daemon->reload(with_origin(kRoutes));
  EXPECT_TRUE(eventually([&] { return get("/a", accepting("gzip")).has("Vary"); }));
  EXPECT_EQ(text(in_coding("/a", "gzip")), page);
  EXPECT_EQ(origin.count("/a"), 1u) << "what is stored stays";
  daemon->reload(with_origin("routes: [{path: /**}]\n"));
  EXPECT_TRUE(eventually([&] { return !get("/a", accepting("gzip")).has("Content-Encoding"); }));
}

// Whatever a request accepts, it gets that, and the content is the same.
TEST_F(Compress, AnyAcceptEncodingGetsAnAcceptableCodingOfTheSameContent) {
  origin.on("/a", page_reply(page));
  start(kRoutes);
  get("/a");
  for (const std::string coding : {"gzip", "br", "zstd"}) in_coding("/a", coding);
  std::mt19937 random(20);
  const auto pick = [&](auto... words) {
    const char* const all[] = {words...};
    return std::string(all[random() % sizeof...(words)]);
  };
  auto client = connect();
  for (int i = 0; i < 2000; ++i) {
    std::map<std::string, bool> accepted;
    std::string field;
    for (unsigned n = random() % 5; n > 0; --n) {
      const auto name = pick("gzip", "br", "zstd", "identity", "*", "deflate", "GZIP", "x-own");
      const auto weight = pick("", ";q=0", ";q=1", ";q=0.5", "; q=0.001", ";q=1.000", ";q=0.0");
      std::string lower;
      for (const char c : name) lower += static_cast<char>(std::tolower(c));
      const bool is = weight != ";q=0" && weight != ";q=0.0";
      accepted[lower] = is && (!accepted.contains(lower) || accepted[lower]);
      field += (field.empty() ? "" : pick(",", ", ", " ,")) + name + weight;
    }
    const auto a = client.get("/a", accepting(field));
    ASSERT_EQ(a.status, 200) << field;
    const auto coding = a.get("Content-Encoding");
    EXPECT_EQ(decoded(coding, a.body), page) << field;
    EXPECT_EQ(a.get("ETag"), coding.empty() ? "\"v1\"" : "W/\"v1\"");
    if (coding.empty()) continue;  // identity is sent where nothing else is acceptable either
    EXPECT_TRUE(accepted.contains(coding) ? accepted[coding] : accepted.contains("*") && accepted["*"])
        << coding << " for " << field;
  }
  EXPECT_EQ(origin.count("/a"), 1u);
  EXPECT_EQ(made(), 3);
}

}  // namespace
}  // namespace forebay::test
