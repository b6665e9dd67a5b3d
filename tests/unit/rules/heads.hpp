#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "forebay/base/clock.hpp"
#include "forebay/http/date.hpp"
#include "forebay/http/message.hpp"
#include "forebay/rules/freshness.hpp"
#include "forebay/rules/storability.hpp"

namespace forebay::rules::test {

using Lines = std::initializer_list<std::pair<std::string_view, std::string_view>>;

inline http::Fields fields(Lines lines) {
  http::Fields f;
  for (const auto& [name, value] : lines) f.add(name, value);
  return f;
}

/// The moment at which everything in these tests begins.
inline Now start() { return ManualClock{}.now(); }
inline Timestamp t0() { return start().mono; }

/// A date field's value that many seconds from the start.
inline std::string date(std::int64_t offset) { return http::format_date(start().wall + Seconds{offset}); }

/// A response's head that came in at once.
struct Answer {
  http::Fields lines;
  int status = 200;
  ExchangeTimes times{start(), start()};

  Answer(Lines l, int s = 200) : lines(fields(l)), status(s) {}
  Answer(std::string_view cache_control) { lines.add("Cache-Control", cache_control); }
  Answer& with(std::string_view name, std::string_view value) {
    lines.add(name, value);
    return *this;
  }
  http::ResponseView view() const { return {status, http::Version::Http11, lines.view()}; }
};

struct Ask {
  http::Fields lines;
  http::Method method = http::Method::Get;
  Ask(Lines l = {}, http::Method m = http::Method::Get) : lines(fields(l)), method(m) {}
  http::RequestView view() const { return {method, http::to_string(method), "/", http::Version::Http11, lines.view()}; }
};

inline RequestFacts facts(const Ask& ask, const Policy& policy = {}) { return facts_of(ask.view(), policy); }

inline Storability judged(const Answer& answer, const Policy& policy = {}, const Ask& ask = {}) {
  return judge(facts(ask, policy), answer.view(), policy, answer.times, true, 0);
}

inline double lifetime_seconds(const Answer& answer, const Policy& policy = {}) {
  const auto directives = read_response_directives(answer.view().fields, policy.targeted_fields);
  const auto life = freshness_lifetime(answer.view(), directives, policy, answer.times, false, 0);
  return std::chrono::duration<double>(life.value).count();
}

}  // namespace forebay::rules::test
