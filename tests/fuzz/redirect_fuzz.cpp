#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/cache/key.hpp"
#include "forebay/config/config.hpp"
#include "forebay/config/redirect_target.hpp"
#include "forebay/http/target.hpp"
#include "invariant.hpp"

// The first byte chooses the pattern of a route. Lines follow: the target of the redirect, Host, the request's target.

namespace {

using namespace forebay;
using fuzz::require;
using Part = config::RedirectTarget::Part;

std::vector<config::PathPattern> make_patterns() {
  std::vector<config::PathPattern> patterns;
  std::string why;
  for (const auto* text : {"/**", "/{a}", "/{a+}", "/{a}/{b+}", "/old/{a}/x/{b}", "/**/{a}", "~ ^/(?P<a>.*)$",
                           "~ ^(?P<a>/[^/]*)?(?P<path>.*)$"})
    patterns.push_back(config::PathPattern::parse(text, why).value());
  return patterns;
}

std::string_view next_line(std::string_view& text) {
  const auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(line.size() + 1, text.size()));
  return line;
}

std::string_view authority_of(std::string_view url) {
  url.remove_prefix(url.find("://") + 3);
  return url.substr(0, url.find_first_of("/?#\\"));
}

std::size_t count(std::string_view text, std::string_view any) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [&](char c) { return any.find(c) != std::string_view::npos; }));
}

// The authority is what the configuration says, with the request's own host where that is asked for.
void check_authority(const config::RedirectTarget& target, std::string_view to, std::string_view host,
                     std::string_view location) {
  if (!to.starts_with("http://") && !to.starts_with("https://")) {
    require(location.starts_with('/') && !location.starts_with("//") && !location.starts_with("/\\"));
    return;
  }
  require(location.substr(0, location.find("://")) == to.substr(0, to.find("://")));
  std::string expected;
  bool over = false;
  for (const auto& piece : target.pieces) {
    expected += piece.text;
    over = count(expected, "/?#") > 2 || piece.part != Part::Host;
    if (over) break;
    expected += host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  }
  if (!over) expected += target.end;
  require(authority_of(location) == authority_of(expected));
}

void check_location(const config::RedirectTarget& target, std::string_view to,
                    const config::RedirectTarget::Request& request) {
  const auto location = target.expand(request);
  if (!location) {
    require(request.host.empty());
    return;
  }
  require(std::all_of(location->begin(), location->end(), [](char c) { return c > 0x20 && c < 0x7F; }));
  require(count(*location, "\"<>\\^`|{}") == 0);
  check_authority(target, to, request.host, *location);

  // No part is longer than three bytes for each of its own, and a "/".
  std::size_t most = to.size(), marks = count(target.end, "?#"), hashes = count(target.end, "#");
  bool has_query = false;
  for (const auto& piece : target.pieces) {
    most += 1 + request.host.size() + 3 * (request.path.size() + request.query.value_or("").size());
    marks += count(piece.text, "?#");
    hashes += count(piece.text, "#");
    has_query |= piece.part == Part::Query;
  }
  require(location->size() <= most);
  // A part of the path begins neither a query nor a fragment, and the query no fragment.
  require(count(*location, "#") == hashes);
  if (!has_query) require(count(*location, "?#") == marks);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto patterns = make_patterns();
  if (size == 0) return 0;
  const auto& pattern = patterns[data[0] % patterns.size()];
  const fuzz::Exact input(fuzz::as_text(data + 1, size - 1));
  std::string_view rest = input.view();
  const auto to = next_line(rest), host = next_line(rest), raw = next_line(rest);

  config::RedirectTarget::Fault fault;
  const auto target = config::RedirectTarget::compile(to, pattern.captures(), fault);
  require(target.has_value() == fault.message.empty());
  if (!target) return 0;
  std::string normal_host;
  if (!host.empty() && !http::append_normal_host(host, "https", normal_host)) return 0;
  http::Target asked;
  if (!asked.read(http::Method::Options, raw) || !pattern.matches(asked.path())) return 0;
  std::vector<cache::Capture> captures;
  pattern.capture(asked.path(), captures);
  check_location(*target, to, {normal_host, asked.path(), asked.query(), captures});
  return 0;
}
