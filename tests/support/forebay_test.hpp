#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>

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

  Client connect() { return Client(daemon->port()); }
  /// One request on a connection of its own.
  Answer ask(std::string_view method, std::string_view target, const FieldLines& fields = {},
             std::string_view body = {});
  Answer get(std::string_view target, const FieldLines& fields = {}) { return ask("GET", target, fields); }
  /// Bytes on a connection of their own, and the first answer.
  Answer send_raw(std::string_view bytes);

  /// Polls until the condition holds; false when it does not in time.
  static bool eventually(const std::function<bool()>& condition, Clock::duration limit = kPatience);
  /// Waits for a sum of metrics to be at least (or, for `exactly`, equal to) a value.
  bool metric_reaches(std::string_view name, const Metrics::Labels& labels, double at_least);
  double metric(std::string_view name, const Metrics::Labels& labels = {}) {
    return daemon->metrics().sum(name, labels);
  }
  /// Waits until the access log has a line for the path that satisfies the condition; gives the last such line, or an
  /// empty one.
  std::map<std::string, std::string> access_line(
      std::string_view path, const std::function<bool(const std::map<std::string, std::string>&)>& condition = nullptr);
  /// Whether the daemon still serves: a request to an unrelated path is answered.
  bool alive();

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
