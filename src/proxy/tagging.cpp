#include "tagging.hpp"

#include <algorithm>

#include "forebay/http/list.hpp"

namespace forebay::proxy {
namespace {

constexpr std::string_view kAnyScheme = "*";

/// Where a group is looked for: responses are shared as their keys say, so the parts that a key lacks are none of it.
std::string scope_of_host(const config::Route& route, std::string_view host) {
  return route.key.host ? std::string(host) : "*@" + route.name;
}

bool is_for_host(const config::Route& route, std::string_view host) {
  return route.hosts.empty() || std::any_of(route.hosts.begin(), route.hosts.end(), [&](const auto& glob) {
           return http::glob_match(glob, host.substr(0, host.find(':', host.find(']') + 1)));
         });
}

}  // namespace

void add_captures(const config::Route& route, std::string_view path, rules::TagParts& parts) {
  std::vector<cache::Capture> captures;
  route.path.capture(path, captures);
  // Decoded, as the same text is in a content: the path has `a%40b`, the document `a@b`.
  for (const auto& c : captures) parts.captures.emplace_back(c.name, percent_decoded_text(c.value));
}

rules::TagList tags_of(const config::Route& route, const http::Target& target, const http::RequestView& request,
                       std::optional<std::string_view> content, http::FieldsView response) {
  const auto& policy = route.policy.tags;
  rules::TagList tags(policy.max);
  if (!policy.add.empty()) {
    std::string buffer;
    rules::TagParts parts;
    add_captures(route, target.path(), parts);
    parts.request = request.fields;
    if (content && !content->empty() && rules::any_uses(policy.add, rules::TagTemplate::Part::Body)) {
      const auto text = cache::readable_text(route.key, request, *content, buffer);
      if (text) parts.body = {rules::TagContent::State::Text, *text};
    }
    // First, so that many tags of the origin do not crowd them out.
    for (const auto& tag : rules::fill(policy.add, parts).tags) tags.add(tag);
  }
  tags.read(response, policy.headers);
  return tags;
}

std::vector<std::string> groups_of(const config::Route& route, std::string_view scheme, std::string_view host,
                                   http::FieldsView response) {
  std::vector<std::string> names;
  if (host.empty()) return names;
  for (const auto& group : rules::read_groups(response, "Cache-Groups"))
    names.push_back(rules::group_tag(route.key.scheme ? scheme : kAnyScheme, scope_of_host(route, host), group));
  return names;
}

std::vector<std::string> group_names(const config::Config& config, std::string_view scheme, std::string_view host,
                                     const std::vector<std::string>& groups) {
  std::vector<std::string> hosts{std::string(host)}, names;
  for (const auto& route : config.routes)
    if (!route.key.host && is_for_host(route, host)) hosts.push_back(scope_of_host(route, host));
  for (const auto& group : groups)
    for (const auto& name : hosts)
      for (const auto which : {scheme, kAnyScheme}) names.push_back(rules::group_tag(which, name, group));
  return names;
}

}  // namespace forebay::proxy
