#include <algorithm>
#include <array>

#include "config/readers.hpp"
#include "config/suggest.hpp"

namespace forebay::config {
namespace {

/// Methods that only look like a slip for one of ours: those of the IANA registry, and a few that are in use.
constexpr std::array<std::string_view, 38> kOthers{"ACL",
                                                   "BAN",
                                                   "BASELINE-CONTROL",
                                                   "BIND",
                                                   "CHECKIN",
                                                   "CHECKOUT",
                                                   "COPY",
                                                   "LABEL",
                                                   "LINK",
                                                   "LIST",
                                                   "LOCK",
                                                   "M-SEARCH",
                                                   "MERGE",
                                                   "MKACTIVITY",
                                                   "MKCALENDAR",
                                                   "MKCOL",
                                                   "MKWORKSPACE",
                                                   "MOVE",
                                                   "NOTIFY",
                                                   "ORDERPATCH",
                                                   "PROPFIND",
                                                   "PROPPATCH",
                                                   "PURGE",
                                                   "READ",
                                                   "REBIND",
                                                   "REPORT",
                                                   "SEARCH",
                                                   "SUBSCRIBE",
                                                   "UNBIND",
                                                   "UNCHECKOUT",
                                                   "UNLINK",
                                                   "UNLOCK",
                                                   "UNSUBSCRIBE",
                                                   "UPDATE",
                                                   "VIEW",
                                                   "MKREDIRECTREF",
                                                   "UPDATEREDIRECTREF",
                                                   "VERSION-CONTROL"};

bool is_other(std::string_view method) noexcept {
  return std::find(kOthers.begin(), kOthers.end(), method) != kOthers.end();
}

/// What to write for `GET POST`, `GET|POST` and `GET, POST`; empty for what is no such list.
std::string several_methods(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == ' ' || c == '|'; }, ',');
  text.erase(std::unique(text.begin(), text.end(), [](char a, char b) { return a == ',' && b == ','; }), text.end());
  const auto names = names_in(text);
  const bool all = std::all_of(names.begin(), names.end(), [](auto name) {
    return http::method_of(name) != http::Method::Other || is_other(name);
  });
  return all ? list_hint(text) : std::string();
}

/// What is wrong with the text of a method: a sentence and what to write instead; nothing for a good one.
std::optional<Fault> fault_of(const std::string& text) {
  const auto several = several_methods(text);
  if (!several.empty() || !is_token(text))
    return Fault{1002, in_quotes(text) + " is not a method", several.empty() ? "such as GET" : several};
  if (text.find('*') != std::string::npos)
    return Fault{1002, in_quotes(text) + " is a glob", std::string(kLiteralNames)};
  const auto method = http::method_of(text);
  if (method == http::Method::Connect || method == http::Method::Trace)
    return Fault{1002, in_quotes(text) + " is never forwarded (405)", "leave it out"};
  if (method != http::Method::Other || is_other(text)) return std::nullopt;
  const auto upper = upper_case(text);
  if (http::method_of(upper) != http::Method::Other || is_other(upper))
    return Fault{1002, in_quotes(text) + " is not a method: their case matters", "write " + upper};
  const auto near = nearest(upper, {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"});
  if (near) return Fault{1002, in_quotes(text) + " is not a method", "did you mean " + *near + "?"};
  // A longer name that is one letter away from a registered one is no name of somebody's own.
  for (const auto other : kOthers)
    if (other.size() >= 5 && edit_distance(upper, other) == 1)
      return Fault{1002, in_quotes(text) + " is not a method", "did you mean " + std::string(other) + "?"};
  return std::nullopt;
}

}  // namespace

void read_methods(const Section& block, rules::Policy& policy) {
  const auto list = block.list("methods");
  if (!list) return;
  policy.methods.reset();
  policy.other_methods.clear();
  if (list->empty())
    block.error(1004, *block.node()->find("methods"), block.path_of("methods"),
                "a route without methods matches nothing", "leave \"methods\" out");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const auto& item = *(*list)[i];
    if (const auto fault = fault_of(item.text)) {
      block.fault(item, block.path_of("methods", i), *fault);
      continue;
    }
    const auto method = http::method_of(item.text);
    auto& others = policy.other_methods;
    if (method != http::Method::Other)
      policy.methods.set(static_cast<std::size_t>(method));
    else if (std::find(others.begin(), others.end(), item.text) == others.end())
      others.push_back(item.text);
    if (method == http::Method::Get) policy.methods.set(static_cast<std::size_t>(http::Method::Head));
  }
}

}  // namespace forebay::config
