#include "entry_json.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <utility>

#include "forebay/base/base64.hpp"
#include "forebay/base/text.hpp"
#include "forebay/config/secrecy.hpp"
#include "forebay/http/list.hpp"
#include "forebay/rules/vary.hpp"
#include "json_text.hpp"

namespace forebay::admin {
namespace {

namespace json = boost::json;
using config::Named;

constexpr std::string_view kHidden = "(redacted)";

/// Undoes what keys escape.
std::string plain(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const int byte = percent_decoded(text);
    out += byte < 0 ? text.front() : static_cast<char>(byte);
    text.remove_prefix(byte < 0 ? 1 : 3);
  }
  return out;
}

/// True when a member was hidden.
bool hide_members(json::value& value) {
  bool hidden = false;
  if (auto* const object = value.if_object()) {
    for (auto& [name, member] : *object) {
      const bool secret = config::looks_secret(std::string_view(name));
      if (secret) member = kHidden;
      hidden = hide_members(member) || secret || hidden;
    }
  } else if (auto* const array = value.if_array()) {
    for (auto& item : *array) hidden = hide_members(item) || hidden;
  }
  return hidden;
}

/// A value of the content in a key, without members that have the names of secrets.
std::string shown_json(std::string_view escaped) {
  if (!escaped.starts_with('{') && !escaped.starts_with('[')) return std::string(escaped);
  json::error_code ec;
  auto value = json::parse(plain(escaped), ec);
  if (ec) return std::string(kHidden);  // cut: what its last member was cannot be told
  if (!hide_members(value)) return std::string(escaped);
  std::string out;
  for (const char c : json::serialize(value))
    if (c == '|' || c == '%' || c == ' ' || c == '=')
      append_percent_encoded(out, static_cast<unsigned char>(c));
    else
      out += c;
  return out;
}

/// `name=value` pairs, with the values that may be shown.
std::string shown_pairs(std::string_view pairs, char separator, Named kind, const config::AccessLog& access) {
  std::string out;
  for (bool first = true; !pairs.empty() || first; first = false) {
    const auto end = pairs.find(separator);
    const auto pair = pairs.substr(0, end);
    pairs.remove_prefix(end == std::string_view::npos ? pairs.size() : end + 1);
    if (!first) out += separator;
    const auto equals = pair.find('=');
    const bool shows =
        equals == std::string_view::npos || config::shows_value(access, kind, plain(pair.substr(0, equals)));
    if (shows && equals != std::string_view::npos && kind == Named::Member)
      out.append(pair.substr(0, equals + 1)).append(shown_json(pair.substr(equals + 1)));
    else
      out.append(pair.substr(0, shows ? pair.size() : equals + 1)).append(shows ? "" : kHidden);
  }
  return out;
}

std::string shown_part(std::string_view part, const config::AccessLog& access) {
  if (part.size() < 2 || part[1] != ':') return std::string(part);
  const auto rest = part.substr(2);
  const auto with = [&](char separator, Named kind) {
    return std::string(part.substr(0, 2)) + shown_pairs(rest, separator, kind, access);
  };
  switch (part[0]) {
    case 'q':
    case 'f': return with('&', Named::Parameter);
    case 'h': return with('&', Named::Field);
    case 'c': return with('&', Named::Cookie);
    case 'b': return with(' ', Named::Member);
    default: return std::string(part);
  }
}

/// What follows the path, by its own separators.
std::string shown_parts(std::string_view parts, const config::AccessLog& access) {
  std::string out;
  while (!parts.empty()) {
    parts.remove_prefix(1);
    const auto end = std::min(parts.find('|'), parts.size());
    out.append("|").append(shown_part(parts.substr(0, end), access));
    parts.remove_prefix(end);
  }
  return out;
}

std::string_view part_at(std::string_view key_text, std::size_t number) {
  for (; number > 0 && !key_text.empty(); --number) {
    const auto bar = key_text.find('|');
    key_text.remove_prefix(bar == std::string_view::npos ? key_text.size() : bar + 1);
  }
  return key_text.substr(0, key_text.find('|'));
}

/// URLs in a field, with the parameters of their queries and fragments that may be shown.
std::string shown_urls(std::string_view value, const config::AccessLog& access) {
  std::string out;
  for (;;) {
    const auto mark = std::min(value.find_first_of("?#"), value.size());
    out += value.substr(0, mark);
    value.remove_prefix(mark);
    if (value.empty()) return out;
    const auto end = std::min(value.find_first_of("?#>\" ", 1), value.size());
    out += value.front();
    out += shown_pairs(value.substr(1, end - 1), '&', Named::Parameter, access);
    value.remove_prefix(end);
  }
}

std::string shown_field(std::string_view name, std::string_view value, const config::AccessLog& access) {
  static constexpr std::array<std::string_view, 5> kUrls{"location", "link", "content-location", "referer", "refresh"};
  if (!config::shows_value(access, Named::Field, name)) return std::string(kHidden);
  const bool has_urls = std::any_of(kUrls.begin(), kUrls.end(), [&](auto n) { return http::iequals(n, name); });
  return as_utf8(has_urls ? shown_urls(value, access) : std::string(value));
}

bool shows_piece(const rules::TagTemplate::Piece& piece, const config::AccessLog& access) {
  using Part = rules::TagTemplate::Part;
  switch (piece.part) {
    case Part::Body:
    case Part::ResponseBody: return config::shows_value(access, Named::Member, piece.pointer.text());
    case Part::Header:
    case Part::ResponseHeader: return config::shows_value(access, Named::Field, piece.name);
    case Part::Capture: break;
  }
  return !config::looks_secret(piece.name);
}

/// A template that is made of a secret: how its tags are shown, and a glob that they match.
struct SecretTags {
  std::string shown, glob;
};

std::vector<SecretTags> secret_tags(const config::Config& config, std::string_view route) {
  std::vector<SecretTags> out;
  for (const auto& r : config.routes) {
    if (r.name != route) continue;
    for (const auto& t : r.policy.tags.add) {
      const auto& pieces = t.pieces();
      if (std::all_of(pieces.begin(), pieces.end(), [&](const auto& p) { return shows_piece(p, config.access); }))
        continue;
      SecretTags made;
      for (const auto& piece : pieces) {
        made.shown.append(piece.text).append(kHidden);
        made.glob.append(piece.text).append("*");
      }
      made.shown += t.end();
      made.glob += t.end();
      out.push_back(std::move(made));
    }
  }
  return out;
}

json::array shown_tags(const cache::Listed& row, const config::Config& config, std::string_view route) {
  const auto secrets = row.tags.empty() ? std::vector<SecretTags>() : secret_tags(config, route);
  json::array out;
  for (const auto& tag : row.tags) {
    const auto secret = std::find_if(secrets.begin(), secrets.end(),
                                     [&](const SecretTags& s) { return http::glob_match(s.glob, tag); });
    out.emplace_back(as_utf8(secret == secrets.end() ? tag : secret->shown));
  }
  return out;
}

json::object variant_of(const cache::Listed& row, const config::AccessLog& access) {
  json::object out;
  if (!row.names) return out;
  const auto values = rules::secondary_values(row.secondary);
  for (std::size_t i = 0; i < row.names->names.size() && i < values.size(); ++i) {
    const auto& name = row.names->names[i];
    if (!values[i])
      out[name] = nullptr;
    else
      out[name] = shown_field(name, *values[i], access);
  }
  return out;
}

}  // namespace

std::string shown_key(std::string_view key_text, const cache::UrlSpans& url, const config::AccessLog& access) {
  // Route, method, scheme, host and path may hold what looks like another part, but for a colon after one letter.
  const std::size_t from = std::max({url.host_to, url.path_to, std::uint32_t{0}});
  if (from != 0) return as_utf8(std::string(key_text.substr(0, from)) + shown_parts(key_text.substr(from), access));
  const auto route = std::min(key_text.find('|'), key_text.size());
  return as_utf8(std::string(key_text.substr(0, route)) + shown_parts(key_text.substr(route), access));
}

std::string shown_url(std::string_view key_text, const cache::UrlSpans& url, const config::AccessLog& access) {
  if (url.path_from == 0) return {};
  std::string out;
  if (url.host_from != 0) {
    const auto before = key_text.substr(0, url.host_from - 1);
    const bool has_scheme = std::count(before.begin(), before.end(), '|') == 2;
    out = std::string(has_scheme ? part_at(before, 2) : "http") + "://";
    out += plain(key_text.substr(url.host_from, url.host_to - url.host_from));
  }
  out += plain(key_text.substr(url.path_from, url.path_to - url.path_from));
  const auto query = key_text.substr(url.path_to, url.query_to - url.path_to);
  if (query.starts_with("|q:")) out += '?' + plain(shown_pairs(query.substr(3), '&', Named::Parameter, access));
  return as_utf8(out);
}

std::string variant_id(const cache::Listed& row) { return to_hex(digest_of(row.secondary)).substr(0, 16); }

json::object entry_json(const cache::Listed& row, const config::Config& config, const Now& now) {
  const auto& access = config.access;
  const auto& entry = *row.entry;
  const auto key = entry.key_text();
  const auto url = shown_url(key, row.url, access);
  const auto route = plain(part_at(key, 0));
  const auto stored_at = std::chrono::duration_cast<Seconds>(entry.stored_at().time_since_epoch()).count();
  const auto ttl = whole_seconds(row.freshness.ttl(now.mono));
  return {{"id", to_hex(row.id)},
          {"variant_id", variant_id(row)},
          {"url", url.empty() ? json::value(nullptr) : json::value(url)},
          {"route", as_utf8(route)},
          {"method", as_utf8(plain(part_at(key, 1)))},
          {"key", shown_key(key, row.url, access)},
          {"variant", variant_of(row, access)},
          {"status", entry.head().status},
          {"state", cache::to_string(row.state)},
          {"age_s", std::max<std::int64_t>(0, whole_seconds(row.freshness.age(now.mono)))},
          {"ttl_s", row.state == cache::EntryState::Purged ? std::min<std::int64_t>(ttl, 0) : ttl},
          {"size", entry.body_length()},
          {"memory", row.bytes},
          {"hits", row.hits},
          {"tags", shown_tags(row, config, route)},
          {"origin", as_utf8(entry.origin())},
          {"stored_at", time_text(stored_at)}};
}

json::array fields_json(const cache::Listed& row, const config::AccessLog& access) {
  json::array out;
  for (const auto& f : row.entry->head().fields)
    out.push_back(json::array{as_utf8(f.name), shown_field(f.name, f.value, access)});
  return out;
}

std::string whole_body(const cache::Entry& entry) {
  std::string out;
  out.reserve(entry.body_length());
  for (const auto piece : entry.body()) out += piece;
  return out;
}

void add_body(json::object& object, const cache::Entry& entry, std::size_t most) {
  std::string body;
  for (const auto piece : entry.body()) {
    body += piece.substr(0, most - body.size());
    if (body.size() == most) break;
  }
  object["body_truncated"] = entry.body_length() > most;
  if (is_utf8(body))
    object["body"] = body;
  else
    object["body_base64"] = to_base64(body);
}

}  // namespace forebay::admin
