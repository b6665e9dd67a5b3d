// A response that may be incomplete is never stored and never looks complete. The origin is cut at every byte.
#include <atomic>
#include <thread>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Faults : public ForebayTest {
 protected:
  static std::size_t number(const Received& r) {
    return static_cast<std::size_t>(std::strtoul(r.path.substr(r.path.rfind('/') + 1).c_str(), nullptr, 10));
  }

  // Asks once for each cut from 0 to size - 1, on two threads, and hands each answer to the check.
  template <class Check>
  void every_cut(const std::string& prefix, std::size_t size, std::size_t every, Check check) {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      auto c = std::make_unique<Client>(daemon->port());
      for (std::size_t at = next++; at < size; at = next++) {
        if (at > 300 && at % every != 0 && at + 300 < size) continue;
        auto a = c->get(prefix + std::to_string(at));
        if (a.status == 0 && at > 0) {  // the connection had been closed behind the last answer
          c = std::make_unique<Client>(daemon->port());
          a = c->get(prefix + std::to_string(at));
        }
        check(at, a);
        if (!a.complete() || a.framing == Answer::Framing::UntilClose || a.get("Connection") == "close")
          c = std::make_unique<Client>(daemon->port());
      }
    };
    std::thread other(work);
    work();
    other.join();
  }
  void cut_everywhere(const std::string& framing, End how, std::size_t every = 1) {
    auto whole = Reply::fresh(pattern(10000)).field("ETag", "\"v\"");
    if (framing == "chunked") whole.chunked(1000);
    if (framing == "close") whole.until_close();
    const auto size = whole.size();
    origin.otherwise([=](const Received& r) { return Reply(whole).cut(number(r), how); });
    start("origins: {o: {url: '" + origin.url() +
          "', retries: 0, passive: {failures: 0}}}\norigin: o\nlog: {level: error, access: {output: 'off'}}\nroutes: "
          "[{path: /**}]\n");
    const auto head = size - (framing == "length" ? 10000 : 0);
    std::atomic<int> completed{0}, wrong{0};
    std::atomic<std::size_t> worst{0};
    every_cut("/", size, every, [&](std::size_t at, const Answer& a) {
      const bool whole_answer = a.complete() && a.status == 200;
      if (whole_answer) {
        ++completed;
        worst = at;
      }
      if (a.status != 200 && a.status != 502 && a.status != 0) ++wrong;
      if (framing == "length" && at < head && a.status == 200) ++wrong;
    });
    EXPECT_EQ(wrong, 0);
    if (framing == "close" && how == End::Fin) {
      EXPECT_GT(completed, 0) << "a close-delimited body that ends by FIN is passed on";
    } else {
      EXPECT_EQ(completed, 0) << "at " << worst;
    }
    EXPECT_EQ(metric("forebay_cache_entries"), 0) << "nothing is stored";
    EXPECT_EQ(metric("forebay_cache_stored_total"), 0);
  }
};

TEST_F(Faults, CutByFinAtEveryByteUnderContentLength) { cut_everywhere("length", End::Fin); }
TEST_F(Faults, CutByFinAtEveryByteUnderChunked) { cut_everywhere("chunked", End::Fin); }
TEST_F(Faults, CutByResetAtEveryByteOfACloseDelimitedAnswer) { cut_everywhere("close", End::Rst); }
TEST_F(Faults, CutByResetUnderContentLength) { cut_everywhere("length", End::Rst, 13); }
TEST_F(Faults, CutByResetUnderChunked) { cut_everywhere("chunked", End::Rst, 13); }
TEST_F(Faults, CutByFinInACloseDelimitedAnswer) { cut_everywhere("close", End::Fin, 13); }

TEST_F(Faults, AnHttp10ClientCanTellThatAnAnswerWasCut) {
  origin.on("/chunked", Reply::fresh(pattern(5000)).chunked(500).cut(3000, End::Fin));
  origin.on("/length", Reply::fresh(pattern(5000)).cut(3000, End::Fin));
  origin.on("/close", Reply::fresh(pattern(5000)).until_close().cut(3000, End::Rst));
  start();
  for (const std::string path : {"/chunked", "/length", "/close"})
    EXPECT_FALSE(send_raw("GET " + path + " HTTP/1.0\r\nHost: shop.test\r\n\r\n").complete()) << path;
}

TEST_F(Faults, APassThatIsCutNeverLooksCompleteEither) {
  origin.on("/chunked", Reply::with("private", pattern(5000)).chunked(500).cut(3000, End::Fin));
  origin.on("/length", Reply::with("private", pattern(5000)).cut(3000, End::Rst));
  start("routes: [{path: /**, cache: false}]\n");
  for (const auto* path : {"/chunked", "/length"}) {
    for (const auto* method : {"GET", "POST"}) EXPECT_FALSE(ask(method, path).complete()) << path;
  }
}

TEST_F(Faults, ACloseDelimitedAnswerIsPassedOnAndStoredOnlyWhereTheRouteSaysSo) {
  for (const auto* path : {"/pass", "/store"}) origin.on(path, Reply::fresh(pattern(5000)).until_close());
  start("routes: [{path: /store, close_delimited: store}, {path: /**}]\n");
  const auto first = get("/pass");
  EXPECT_TRUE(first.complete());
  EXPECT_TRUE(first.body == pattern(5000));
  EXPECT_EQ(first.cache_param("detail"), "unproven");
  EXPECT_NE(get("/pass").x_cache(), "HIT");
  get("/store");
  const auto stored = get("/store");
  EXPECT_EQ(stored.x_cache(), "HIT");
  EXPECT_TRUE(stored.body == pattern(5000));
}

TEST_F(Faults, ATransferCodingThatDoesNotEndInChunkedRunsUntilClose) {
  origin.on("/a", Reply::raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: abc\r\n\r\nthe rest")
                      .close_silently());
  start("routes: [{path: /**, close_delimited: store}]\n");
  const auto a = get("/a");
  if (a.status == 200) {
    EXPECT_EQ(a.body, "the rest");
    EXPECT_FALSE(get("/a").has("Transfer-Encoding") && get("/a").get("Transfer-Encoding") == "abc");
  } else {
    EXPECT_EQ(a.status, 502);
  }
}

TEST_F(Faults, GarbageIsA502) {
  const std::vector<std::string> garbage{
      "garbage\r\n\r\n",
      "HTTP/1.1\r\n\r\n",
      "HTTP/1.1 abc OK\r\n\r\n",
      "HTTP/1.1 99 Low\r\n\r\n",
      "HTTP/1.1 1000 High\r\n\r\n",
      "HTTP/2.0 200 OK\r\n\r\n",
      "HTTP/1.1 200 OK\r\nBad Field: x\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX: a\r\n folded\r\nBad\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
      "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nabcde",
      "\r\n\r\n\r\n\r\n",
      std::string(3, '\0') + "\r\n\r\n",
      "\x16\x03\x01\r\n\r\n",
  };
  for (std::size_t i = 0; i < garbage.size(); ++i)
    origin.on("/" + std::to_string(i), Reply::raw(garbage[i]).close_silently());
  start();
  for (std::size_t i = 0; i < garbage.size(); ++i) {
    const auto a = get("/" + std::to_string(i));
    EXPECT_TRUE(is_problem(a, 502)) << garbage[i] << "\n->\n" << a;
    EXPECT_FALSE(a.has("Cache-Status")) << "none on Forebay's own errors";
  }
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"reason", "protocol"}}, 1));
}

TEST_F(Faults, MalformedChunksOfTheOriginNeverCompleteAndAreNeverStored) {
  const std::vector<std::string> bodies{"x\r\nabc\r\n0\r\n\r\n",
                                        "3\r\nabcd\r\n0\r\n\r\n",
                                        "3\nabc\r\n0\r\n\r\n",
                                        "fffffffffffffffff\r\nabc",
                                        "3\r\nabc\r\n0\r\nBad T: x\r\n\r\n",
                                        "-3\r\nabc\r\n0\r\n\r\n"};
  for (std::size_t i = 0; i < bodies.size(); ++i)
    origin.on(
        "/" + std::to_string(i),
        Reply::raw("HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n" +
                   bodies[i])
            .close_silently());
  start();
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const auto a = get("/" + std::to_string(i));
    EXPECT_FALSE(a.complete() && a.status == 200) << bodies[i] << a;
  }
  EXPECT_EQ(metric("forebay_cache_entries"), 0);
}

TEST_F(Faults, BytesBeyondContentLengthNeverBecomeTheNextAnswer) {
  const std::string evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nCache-Control: max-age=60\r\n\r\nevil";
  origin.on("/a", Reply::fresh("0123456789").surplus(evil));
  origin.on("/n", Reply(204).field("Cache-Control", "max-age=60").surplus(evil));
  origin.on("/304", Reply(304).surplus(evil));
  origin.on("/h", Reply::fresh("head").surplus(evil));
  origin.otherwise([](const Received& r) { return Reply::fresh("right " + r.path); });
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(get("/a").body, "0123456789");
    EXPECT_EQ(get("/right" + std::to_string(i)).body, "right /right" + std::to_string(i));
    get("/n");
    EXPECT_EQ(get("/after-n" + std::to_string(i)).body, "right /after-n" + std::to_string(i));
    ask("HEAD", "/h");
    EXPECT_EQ(get("/after-h" + std::to_string(i)).body, "right /after-h" + std::to_string(i));
    get("/304", {{"If-None-Match", "\"x\""}});
    EXPECT_EQ(get("/after-304" + std::to_string(i)).body, "right /after-304" + std::to_string(i));
  }
}

TEST_F(Faults, AnAnswerThatComesUnaskedOnAnIdleConnectionIsNobodys) {
  origin.on("/a", Reply::fresh("a").chunked().surplus("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
  origin.otherwise([](const Received& r) { return Reply::fresh("right " + r.path); });
  start("server: {threads: 1}\nroutes: [{path: /**}]\n");
  EXPECT_EQ(get("/a").body, "a");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(get("/" + std::to_string(i)).body, "right /" + std::to_string(i));
}

TEST_F(Faults, ARefusedConnectionIsA502AndRecoversByItself) {
  origin.on("/a", Reply::fresh("back"));
  start();
  origin.refuse();
  const auto a = get("/a");
  EXPECT_TRUE(is_problem(a, 502)) << a;
  EXPECT_TRUE(metric_reaches("forebay_origin_errors_total", {{"reason", "connect"}}, 1));
  EXPECT_TRUE(metric_reaches("forebay_request_errors_total", {{"reason", "connect"}}, 1));
  origin.resume();
  EXPECT_EQ(get("/a").body, "back");
}

TEST_F(Faults, ATruncatedAnswerIsCountedWithItsReasonAndTheNextOneIsStored) {
  origin.on("/a", {Reply::fresh(pattern(5000)).cut(3000, End::Fin), Reply::fresh(pattern(5000))});
  start("origins: {o: {url: '" + origin.url() + "', retries: 0}}\norigin: o\nroutes: [{path: /**}]\n");
  EXPECT_FALSE(get("/a").complete());
  EXPECT_TRUE(metric_reaches("forebay_cache_not_stored_total", {{"reason", "truncated"}}, 1));
  EXPECT_TRUE(get("/a").body == pattern(5000));
  EXPECT_EQ(get("/a").x_cache(), "HIT");
}

TEST_F(Faults, FollowersOfACutAnswerAreCutAsWell) {
  auto hold = gate();
  origin.on("/a", Reply::fresh(pattern(50000)).gate_at(20000, hold).cut(30000, End::Rst));
  start();
  std::vector<Client> all;
  for (int i = 0; i < 10; ++i) {
    all.push_back(connect());
    all.back().request("GET", "/a");
  }
  EXPECT_TRUE(origin.wait_for("/a", 1));
  EXPECT_TRUE(hold->reached());
  hold->open();
  for (auto& c : all) {
    const auto a = c.read();
    EXPECT_FALSE(a.status == 200 && a.complete());
  }
}

}  // namespace
}  // namespace forebay::test
