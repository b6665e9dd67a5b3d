// What one request causes (no memory) ends that request; a mistake of Forebay's own ends the process, with a backtrace.
#include <array>
#include <csignal>
#include <functional>

#include "support/forebay_test.hpp"

namespace forebay::test {
namespace {

class Mistakes : public ForebayTest {
 protected:
  void always(const Reply& reply) {
    origin.otherwise([reply](const Received&) { return reply; });
  }
  void start_faulty(std::string_view yaml = "routes: [{path: /**}]\nserver: {threads: 1}\n") {
    daemon = std::make_unique<Daemon>(with_origin(yaml), faulty_binary());
  }
  void expect_the_end(const FieldLines& order, const std::string& why) {
    auto c = connect();
    c.request("GET", "/", order);
    EXPECT_EQ(daemon->wait_exit(), 128 + SIGABRT);
    expected_exit = 128 + SIGABRT;
    const auto log = daemon->log();
    EXPECT_THAT(log, ContainsRegex("error the process ends: " + why + "; backtrace: [^ ]+\\+0x[0-9a-f]+"));
    EXPECT_THAT(log, HasSubstr("forebay::proxy::ProxyHandler::")) << "where it was thrown";
    EXPECT_THAT(log, HasSubstr("forebay::net::Worker::run")) << "in whose thread";
  }
};

class MistakesOfAnySize : public Mistakes {
 protected:
  static constexpr unsigned kMost = 300;
  void SetUp() override {
    Mistakes::SetUp();
    FOREBAY_NOT_OVER_TLS("an order may fall due in the handshake of the next connection, which ends then");
  }
  /// `whole(nth, order)` makes a request with the order that the nth allocation from there on fails, and calls
  /// `take_back`. Returns whether nothing has failed; ends when nothing does any more.
  void fail_each(const std::function<bool(unsigned, FieldLines)>& whole) {
    unsigned failures = 0, successes = 0;
    for (unsigned nth = 1; nth <= kMost && successes < 30; ++nth) {
      const bool done = whole(nth, {{"Forebay-Fault", "any-later=" + std::to_string(nth)}});
      failures += done ? 0 : 1;
      successes = done ? successes + 1 : 0;
      if (HasFailure()) break;
    }
    EXPECT_GT(failures, 10U);
    EXPECT_GE(successes, 30U) << "further allocations are not tried";
    EXPECT_TRUE(eventually([&] { return metric("forebay_requests_in_flight") == 0; }));
    EXPECT_TRUE(eventually([&] { return metric("forebay_origin_requests_in_flight") == 0; }));
  }
  /// What is left of an order goes, or fails a request of this.
  void take_back() {
    EXPECT_TRUE(eventually([&] { return get("/off", {{"Forebay-Fault", "any-later=0"}}).status == 200; }));
  }
};

TEST_F(Mistakes, WithoutMemoryARequestGets503AndItsConnectionCloses) {
  always(Reply::fresh());
  start_faulty();
  auto c = connect();
  const auto a = c.get("/", {{"Forebay-Fault", "memory"}});
  EXPECT_TRUE(is_problem(a, 503)) << a;
  EXPECT_EQ(a.get("Connection"), "close");
  EXPECT_TRUE(c.closed());
  const auto line = access_line("/", [](const auto& l) { return l.contains("error.code"); });
  EXPECT_EQ(line.at("error.code"), "overload");
  EXPECT_GE(metric("forebay_request_errors_total", {{"reason", "overload"}}), 1);
  EXPECT_EQ(get("/").status, 200);
}

TEST_F(Mistakes, WithoutMemoryTheWorkerAndItsTimersGoOn) {
  always(Reply::fresh());
  start_faulty("routes: [{path: /**}]\nserver: {threads: 1, timeouts: {header: 300ms}}\n");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(get("/", {{"Forebay-Fault", "memory"}}).status, 503);
  // A head that does not come to its end: a deadline of the worker ends it.
  auto c = connect();
  c.send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(c.read().status, 408);
}

TEST_F(Mistakes, WhereverMemoryRunsOutOneRequestFailsAndNothingElse) {
  FOREBAY_NOT_OVER_TLS("an order may fall due in a handshake, which ends then");
  const auto body = pattern(300000);
  always(Reply::fresh(body).chunked(30000));
  start_faulty("routes: [{path: /**, methods: [GET, POST], key: {body: ['']}}]\nserver: {threads: 1}\n");
  const auto document = '"' + std::string(20000, 'a') + '"';
  unsigned failures = 0;
  auto other = connect();
  ASSERT_EQ(other.get("/first").status, 200);
  for (unsigned nth = 1; nth <= 60; ++nth) {
    const auto path = "/" + std::to_string(nth);
    auto c = connect();
    const FieldLines order{{"Forebay-Fault", "memory-later=" + std::to_string(nth)},
                           {"Content-Type", "application/json"}};
    const auto a = nth % 2 == 0 ? c.ask("POST", path, order, document) : c.get(path, order);
    const bool whole = a.complete() && a.status == 200 && a.body == body;
    EXPECT_TRUE(whole || a.status == 503 || !a.complete()) << nth << a;
    if (!whole) {
      ++failures;
      EXPECT_TRUE(c.closed()) << nth;
    }
    // Takes back the order, where the request came to its end before; this one may fail in its place.
    get(path, {{"Forebay-Fault", "memory-later=0"}});
    const auto again = other.get(path);
    EXPECT_TRUE(again.complete() && again.status == 200 && again.body == body) << nth << again;
  }
  EXPECT_GT(failures, 5U);
  EXPECT_TRUE(eventually([&] { return metric("forebay_requests_in_flight") == 0; }));
  EXPECT_TRUE(eventually([&] { return metric("forebay_origin_requests_in_flight") == 0; }));
}

TEST_F(Mistakes, ThoseWhoFollowAFetchWithoutMemoryAreServedByAnother) {
  FOREBAY_NOT_OVER_TLS("an order may fall due in a handshake, which ends then");
  start_faulty();
  int served_by_another = 0;
  for (int nth = 1; nth <= 8; ++nth) {
    const auto path = '/' + std::to_string(nth);
    const auto held = gate();
    origin.on(path, Reply::fresh(pattern(100000)).after(held));
    std::array<Client, 3> clients{connect(), connect(), connect()};
    clients[0].request("GET", path, {{"Forebay-Fault", "memory-later=" + std::to_string(nth)}});
    for (std::size_t i = 1; i < clients.size(); ++i) clients[i].request("GET", path);
    ASSERT_TRUE(origin.wait_for(path, 1));
    held->open();
    const auto first = clients[0].read();
    bool all_served = true;
    int failed = first.status == 503 ? 1 : 0;  // a follower, too, needs memory
    for (std::size_t i = 1; i < clients.size(); ++i) {
      const auto a = clients[i].read();
      // Cut where memory ran out behind the head; without a status where there was none to read the request into.
      EXPECT_TRUE(a.status == 200 || a.status == 503 || a.status == 0) << a;
      failed += a.status == 200 ? 0 : 1;
      all_served = all_served && a.complete();
    }
    EXPECT_LE(failed, 1) << nth;
    if (first.status == 503 && all_served) ++served_by_another;
  }
  EXPECT_GT(served_by_another, 0);
}

// In this and the next tests each allocation that a request makes fails once, however small it is.

TEST_F(MistakesOfAnySize, OfAFirstRequestToAnOrigin) {
  const auto body = pattern(3000);
  always(Reply::fresh(body));
  std::string origins = "off: {url: '" + origin.url() + "'}", routes;
  for (unsigned n = 1; n <= kMost; ++n) {  // with a pool of its own for each
    const auto name = std::to_string(n);
    origins += ", o" + name + ": {url: '" + origin.url() + "'}";
    routes += "- {path: /" + name + "/**, origin: o" + name + "}\n";
  }
  start_faulty("server: {threads: 1}\norigins: {" + origins + "}\norigin: off\nroutes:\n" + routes + "- {path: /**}\n");
  fail_each([&](unsigned nth, const FieldLines& order) {
    const auto path = '/' + std::to_string(nth);
    auto c = connect();
    const auto a = c.get(path + "/a", order);
    const bool whole = a.complete() && a.status == 200 && a.body == body;
    EXPECT_TRUE(whole || a.status == 503 || !a.complete()) << nth << a;
    take_back();
    const auto again = get(path + "/b");
    EXPECT_TRUE(again.complete() && again.status == 200) << nth << again;
    return whole;
  });
}

TEST_F(MistakesOfAnySize, OfARequestWithContent) {
  always(Reply::fresh());
  start_faulty("routes: [{path: /**, methods: [POST], key: {body: [/a]}}]\nserver: {threads: 1}\n");
  fail_each([&](unsigned nth, FieldLines order) {
    auto c = connect();
    order.emplace_back("Content-Type", "application/json");
    const auto a = c.ask("POST", "/", order, "{\"a\":" + std::to_string(nth) + "}");
    EXPECT_TRUE(a.status == 200 || a.status == 503 || !a.complete()) << nth << a;
    take_back();
    return a.complete() && a.status == 200;
  });
}

// A 304 with another validator: the origin is asked again while its first answer is read.
TEST_F(MistakesOfAnySize, OfARequestThatAsksTwice) {
  always(Reply::with("max-age=0").field("ETag", "\"a\""));
  start_faulty("routes: [{path: /**}]\nserver: {threads: 1}\n");
  const auto not_modified = Reply(304).field("ETag", "\"b\"").body("");
  fail_each([&](unsigned nth, const FieldLines& order) {
    const auto path = '/' + std::to_string(nth);
    EXPECT_EQ(get(path).status, 200) << nth;
    origin.on(path, {not_modified, Reply::fresh("new")});
    auto c = connect();
    const auto a = c.get(path, order);
    EXPECT_TRUE((a.status == 200 && a.body == "new") || a.status == 503 || !a.complete()) << nth << a;
    EXPECT_NE(a.end, Ending::Timeout) << nth;
    take_back();
    return a.complete() && a.status == 200;
  });
}

TEST_F(MistakesOfAnySize, OfARefreshInTheBackground) {
  always(Reply::with("max-age=0", "old"));
  start_faulty("routes: [{path: /**, stale: {while_revalidate: 1h}}]\nserver: {threads: 1}\n");
  fail_each([&](unsigned nth, const FieldLines& order) {
    const auto path = '/' + std::to_string(nth);
    EXPECT_EQ(get(path).status, 200) << nth;
    auto c = connect();
    const auto a = c.get(path, order);
    EXPECT_TRUE(a.status == 200 || a.status == 503 || !a.complete()) << nth << a;
    take_back();
    return a.complete() && a.status == 200;
  });
}

// The connection goes from one request to the next, from worker to worker.
TEST_F(MistakesOfAnySize, OfARequestThatWaitsForAConnection) {
  start_faulty("origins: {o: {url: '" + origin.url() +
               "', pool: {max_connections: 1}}}\norigin: o\nroutes: [{path: /**}]\nserver: {threads: 2}\n");
  origin.otherwise([](const Received&) { return Reply::fresh(); });
  fail_each([&](unsigned nth, const FieldLines& order) {
    const auto name = std::to_string(nth);
    const auto held = gate();
    origin.on("/first" + name, Reply::fresh("1").after(held));
    std::array<Client, 3> clients{connect(), connect(), connect()};
    clients[0].request("GET", "/first" + name);
    EXPECT_TRUE(origin.wait_for("/first" + name, 1));
    clients[1].request("GET", "/second" + name, order);
    clients[2].request("GET", "/third" + name);
    EXPECT_TRUE(metric_reaches("forebay_requests_in_flight", {}, 2)) << nth;
    held->open();
    int whole = 0;
    for (auto& c : clients) {
      const auto a = c.read();
      EXPECT_NE(a.end, Ending::Timeout) << nth;
      whole += a.complete() && a.status == 200 ? 1 : 0;
    }
    EXPECT_GE(whole, 2) << nth;
    take_back();
    return whole == 3;
  });
}

TEST_F(Mistakes, AnUnexpectedExceptionEndsTheProcessWhereItWasThrown) {
  start_faulty();
  expect_the_end({{"Forebay-Fault", "logic"}}, "uncaught std::logic_error: a fault on purpose");
}

TEST_F(Mistakes, AnInvariantThatDoesNotHoldEndsTheProcess) {
  start_faulty();
  expect_the_end({{"Forebay-Fault", "invariant"}}, "an invariant does not hold: a fault on purpose");
}

TEST_F(Mistakes, AnExceptionInATaskEndsTheProcess) {
  always(Reply::fresh(pattern(100000)));
  start_faulty();
  auto c = connect();
  c.request("GET", "/", {{"Forebay-Fault", "logic-later"}});
  EXPECT_EQ(daemon->wait_exit(), 128 + SIGABRT);
  expected_exit = 128 + SIGABRT;
  EXPECT_THAT(daemon->log(), HasSubstr("uncaught std::logic_error: a fault on purpose; backtrace: "));
}

TEST_F(Mistakes, TheFieldMeansNothingToTheDaemonItself) {
  always(Reply::fresh());
  start();
  for (const auto* order : {"logic", "memory", "invariant"})
    EXPECT_EQ(get("/", {{"Forebay-Fault", order}}).status, 200);
}

}  // namespace
}  // namespace forebay::test
