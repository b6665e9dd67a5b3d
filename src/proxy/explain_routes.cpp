#include <algorithm>

#include "explain_case.hpp"
#include "forebay/config/secrecy.hpp"
#include "forebay/rules/condition.hpp"

// The routes that were tried for a request, and why they did not match.

namespace forebay::proxy {
namespace {

using rules::Judged;
using rules::Reason;
using rules::Verdict;

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kMost = 80;
  std::string out = "\"" + std::string(text.substr(0, kMost));
  return out + (text.size() > kMost ? "...\"" : "\"");
}

std::string listed(const std::vector<std::string>& all) {
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i > 0) out += i + 1 == all.size() ? " or " : ", ";
    out += all[i];
  }
  return out;
}

/// Replaces values that may be secrets.
constexpr const char* kHidden = "a value that is hidden";

std::string asked_text(const rules::ValueCondition& asked, bool shown) {
  std::vector<std::string> all;
  if (!shown && !asked.globs.empty()) all.emplace_back(kHidden);
  if (shown)
    for (const auto& glob : asked.globs) all.push_back(in_quotes(glob));
  if (asked.present) all.emplace_back("any value");
  if (asked.absent) all.emplace_back("no value");
  return listed(all);
}

std::string asked_text(const std::vector<rules::JsonValue>& asked, bool shown) {
  using Kind = rules::JsonValue::Kind;
  std::vector<std::string> all;
  for (const auto& one : asked) {
    if (one.kind == Kind::Anything)
      all.emplace_back("any value");
    else if (one.kind == Kind::Nothing)
      all.emplace_back("null or no value");
    else if (!shown && one.kind != Kind::Bool)
      all.emplace_back(kHidden);
    else
      all.push_back(one.kind == Kind::Text ? in_quotes(one.text) : one.text);
  }
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return listed(all);
}

/// `match.headers.x-env requires "staging"`
std::string asked_for(const ExplainCase& c, const config::Route& route, const Judged& judged) {
  using config::Named;
  const auto& match = route.match;
  const auto shown = [&](Named kind, std::string_view name) {
    return config::shows_value(c.context.config.access, kind, name);
  };
  const auto named = [&](const char* list, const rules::NamedCondition& asked, Named kind) {
    return std::string("match.") + list + '.' + asked.name + " requires " +
           asked_text(asked.value, shown(kind, asked.name));
  };
  if (judged.reason == Reason::MatchHeader) return named("headers", match.headers[judged.at], Named::Field);
  if (judged.reason == Reason::MatchQuery) return named("query", match.query[judged.at], Named::Parameter);
  if (judged.at == Judged::kUnreadable) return "match.body needs the content";
  const auto& pointer = match.body.pointers[judged.at].text();
  return "match.body " + in_quotes(pointer) + " requires " +
         asked_text(match.body.values[judged.at], shown(Named::Member, pointer));
}

Judged judge(const ExplainCase& c, const config::Route& route) {
  auto judged = rules::match_head(route.match, c.request.fields, c.reading.target.query());
  if (judged.verdict == Verdict::Yes && !route.match.body.empty())
    judged = judge_content(route, c.request, !c.content().empty(), c.read_content());
  return judged;
}

}  // namespace

void tell_routes(ExplainCase& c) {
  std::vector<const config::Route*> routes;
  c.context.routes.find_all(c.reading.host, c.reading.target.path(), routes, config::RouteTable::Which::All);
  for (const auto* route : routes) {
    // Routes after the selected one were not tried; if no route lists the method, all were tried.
    if (route == c.reading.route && c.reading.method_fits) return;
    if (route == c.reading.route) continue;
    std::string why;
    if (route->answers == config::Answers::Redirect && route->redirect.only_http && c.reading.scheme != "http") {
      why = "it redirects requests over http alone";
    } else if (!route->any_method && !rules::lists_method(route->policy, c.request.method, c.request.method_text)) {
      why = "its methods do not include " + c.asked.method;
    } else {
      const auto judged = judge(c, *route);
      if (judged.verdict != Verdict::No) continue;
      why = asked_for(c, *route, judged);
    }
    c.out.tried.push_back({route->name, route->index, std::move(why)});
  }
}

std::string unclear_because(const ExplainCase& c) {
  const auto judged = judge(c, c.route());
  if (judged.verdict != Verdict::Unclear) return {};
  auto text = asked_for(c, c.route(), judged);
  if (judged.at != Judged::kUnreadable) return text;
  const auto cause = unreadable_because(c, c.route().match.body.pointers, "match.body");
  return cause.empty() ? text : text + ", and " + cause;
}

}  // namespace forebay::proxy
