#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <type_traits>

#include "support/client.hpp"
#include "support/daemon.hpp"
#include "support/gate.hpp"
#include "support/origin.hpp"

namespace forebay::test {

using ::testing::AnyOf;
using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;

/// How many seconds a slow machine may take between two steps of a test. Ages and lifetimes are compared with this much
/// of tolerance, so lifetimes that a test tells apart differ by more.
inline constexpr long kSlack = 30;

/// A number of seconds (a number or its text) that was `n` when it was stored and has counted down since.
MATCHER_P(CountedDownFrom, n, "is " + std::to_string(n) + " or up to " + std::to_string(kSlack) + " less") {
  long got = 0;
  if constexpr (std::is_arithmetic_v<std::decay_t<decltype(arg)>>)
    got = static_cast<long>(arg);
  else
    got = std::strtol(std::string(arg).c_str(), nullptr, 10);
  return got <= n && got >= n - kSlack;
}
/// The same as an expression for a lifetime of 60 s at the end of Cache-Status.
inline constexpr const char* kTtlOf60 = "ttl=(60|[345][0-9])";

/// At the beginning of a test that makes no sense over TLS.
#define FOREBAY_NOT_OVER_TLS(why) \
  if (over_tls()) GTEST_SKIP() << (why)

/// One scripted origin, and Forebay in front of it. Every test ends with SIGTERM and exit code 0, and without a request
/// at the origin that a strict reader would refuse.
class ForebayTest : public ::testing::Test {
 protected:
  ForebayTest();
  ~ForebayTest() override = default;

  /// Starts the daemon; `origin:` and the listeners are filled in. An empty text is one route `/**`.
  void start(std::string_view yaml = "routes: [{path: /**}]");
  /// The same without filling in `origin:`.
  void start_without_origin(std::string_view yaml);
  void TearDown() override;

  /// Of requests to the listener that the fixture makes.
  static std::string scheme() { return over_tls() ? "https" : "http"; }
  /// By HTTP/2 where `over_http2` says so; the test sees HTTP/1.1 in any case.
  Client connect();
  /// One request on a connection of its own.
  Answer ask(std::string_view method, std::string_view target, const FieldLines& fields = {},
             std::string_view body = {});
  Answer get(std::string_view target, const FieldLines& fields = {}) { return ask("GET", target, fields); }
  /// Asks until the answer is whole and has this status: where a time-out of the configuration is short, a slow machine
  /// may need several attempts for what has to be there first.
  bool get_until(std::string_view target, int status = 200);
  /// The origin by two names: `patient`, the default one, and `hasty` with these options, for routes whose requests
  /// have to run into a time-out.
  std::string patient_and_hasty(std::string_view options) const;
  /// Bytes on a connection of their own, and the first answer.
  Answer send_raw(std::string_view bytes);

  /// Polls until the condition holds; false when it does not in time.
  static bool eventually(const std::function<bool()>& condition, Clock::duration limit = kPatience);
  /// Waits for a sum of metrics to be at least a value.
  bool metric_reaches(std::string_view name, const Metrics::Labels& labels, double at_least);
  /// Waits for a sum of metrics to equal a value: what a client has received may be counted a moment later.
  testing::AssertionResult metric_becomes(std::string_view name, const Metrics::Labels& labels, double value);
  double metric(std::string_view name, const Metrics::Labels& labels = {}) {
    return daemon->metrics().sum(name, labels);
  }
  /// Waits until the access log has a line for the path that satisfies the condition; gives the last such line, or an
  /// empty one.
  std::map<std::string, std::string> access_line(
      std::string_view path, const std::function<bool(const std::map<std::string, std::string>&)>& condition = nullptr);
  /// Whether the daemon still serves: a request to an unrelated path is answered.
  bool alive();
  /// Whether the daemon was built with a sanitizer, which takes memory of its own.
  bool sanitized() const;

  std::string with_origin(std::string_view yaml) const;

  Origin origin;
  std::unique_ptr<Daemon> daemon;
  /// What the daemon must exit with at the end.
  int expected_exit = 0;
};

/// Whether this is one of Forebay's own errors as RFC 9457 has it.
bool is_problem(const Answer& a, int status);

/// Text of so many bytes in which every position can be told from its neighbours.
std::string pattern(std::size_t bytes);

}  // namespace forebay::test
