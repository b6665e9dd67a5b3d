#include "forebay/rules/cache_control.hpp"

#include <algorithm>
#include <array>

#include "forebay/http/list.hpp"
#include "forebay/http/structured_fields.hpp"
#include "rules/directive.hpp"

namespace forebay::rules {
namespace {

using http::FieldId;
using http::iequals;

struct FlagName {
  std::string_view name;
  bool ResponseDirectives::*flag;
};
constexpr std::array<FlagName, 7> kFlags{{{"no-store", &ResponseDirectives::no_store},
                                          {"must-revalidate", &ResponseDirectives::must_revalidate},
                                          {"proxy-revalidate", &ResponseDirectives::proxy_revalidate},
                                          {"public", &ResponseDirectives::public_},
                                          {"no-transform", &ResponseDirectives::no_transform},
                                          {"must-understand", &ResponseDirectives::must_understand},
                                          {"immutable", &ResponseDirectives::immutable}}};

struct SecondsName {
  std::string_view name;
  std::optional<Seconds> ResponseDirectives::*seconds;
  bool freshness;
};
constexpr std::array<SecondsName, 4> kSeconds{
    {{"max-age", &ResponseDirectives::max_age, true},
     {"s-maxage", &ResponseDirectives::s_maxage, true},
     {"stale-while-revalidate", &ResponseDirectives::stale_while_revalidate, false},
     {"stale-if-error", &ResponseDirectives::stale_if_error, false}}};

struct QualifiedName {
  std::string_view name;
  bool ResponseDirectives::*flag;
  std::vector<std::string> ResponseDirectives::*fields;
};
constexpr std::array<QualifiedName, 2> kQualified{
    {{"no-cache", &ResponseDirectives::no_cache, &ResponseDirectives::no_cache_fields},
     {"private", &ResponseDirectives::private_, &ResponseDirectives::private_fields}}};

// The field names of no-cache="a, b" or private="a, b". Anything else than a non-empty list of names counts as the
// unqualified form, which is stricter.
void add_qualified(ResponseDirectives& d, const QualifiedName& q, std::string_view names) {
  std::vector<std::string> found;
  bool all_names = true;
  http::for_each_member(names, [&](std::string_view name) {
    all_names = all_names && http::is_token(name);
    found.emplace_back(name);
  });
  if (!all_names || found.empty()) {
    d.*q.flag = true;
    return;
  }
  auto& fields = d.*q.fields;
  fields.insert(fields.end(), std::make_move_iterator(found.begin()), std::make_move_iterator(found.end()));
}

void read_member(ResponseDirectives& d, std::string_view member) {
  const Directive one = split_directive(member);
  // "max-age =60": the grammar does not allow the space. Permissive directives are ignored then, restrictive ones
  // apply.
  const std::string_view name = http::trim(one.name);
  for (const FlagName& f : kFlags) {
    if (iequals(name, f.name)) d.*f.flag = true;
  }
  for (const SecondsName& s : kSeconds) {
    if (!iequals(name, s.name) || (d.*s.seconds).has_value()) continue;  // section 4.2.1: the first occurrence
    const auto value = one.value && name == one.name ? delta_seconds(*one.value) : std::nullopt;
    d.*s.seconds = value.value_or(Seconds{0});
    d.names_freshness |= s.freshness;
  }
  for (const QualifiedName& q : kQualified) {
    if (!iequals(name, q.name)) continue;
    if (!one.value) {
      d.*q.flag = true;
      continue;
    }
    std::string unquoted;
    const bool quoted = http::unquote(*one.value, unquoted);
    add_qualified(d, q, quoted ? std::string_view(unquoted) : *one.value);
  }
}

// In a list with unbalanced quotes, parsers find different members. A restrictive directive counts if one parser finds
// it; a lifetime or window that may be absent is zero, and permissive directives do not count.
void read_doubtful(ResponseDirectives& d, std::string_view piece) {
  const std::string_view name = http::trim(piece.substr(0, piece.find('=')));
  const auto is = [name](std::string_view directive) { return iequals(name, directive); };
  if (is("no-store")) d.no_store = true;
  if (is("no-cache")) d.no_cache = true;
  if (is("private")) d.private_ = true;
  if (is("no-transform")) d.no_transform = true;
  // must-revalidate would also let the response answer requests with Authorization.
  if (is("must-revalidate") || is("proxy-revalidate")) d.proxy_revalidate = true;
  const auto zero = [](std::optional<Seconds>& value) { value = value.value_or(Seconds{0}); };
  if (is("stale-while-revalidate")) zero(d.stale_while_revalidate);
  if (is("stale-if-error")) zero(d.stale_if_error);
  if (is("max-age") && !d.s_maxage) zero(d.max_age);
  if (is("s-maxage") && !d.s_maxage) d.max_age = Seconds{0};
  d.names_freshness |= is("max-age") || is("s-maxage");
}

// All lines of Cache-Control.
void read_lines(ResponseDirectives& d, http::FieldsView fields) {
  bool must_understand_in_doubt = false;
  for (const http::Field& f : fields) {
    if (f.id != FieldId::CacheControl) continue;
    d.present = true;
    http::for_each_member(f.value, [&](std::string_view member) { read_member(d, member); });
    if (http::quotes_hold(f.value)) continue;
    http::for_each_piece(f.value, [&](std::string_view piece) { read_doubtful(d, piece); });
    must_understand_in_doubt |= http::has_piece(f.value, "must-understand");
  }
  // It restricts, but it also overrules no-store.
  if (must_understand_in_doubt && !d.no_store) d.must_understand = true;
}

// RFC 9213 section 2.1: a Dictionary whose values have the types that the directives imply. With a wrong type,
// permissive directives are ignored; restrictive ones apply unless they are explicitly false.
void read_dictionary(ResponseDirectives& d, const http::sf::Dictionary& dictionary) {
  for (const auto& [key, member] : dictionary) {
    const auto* item = std::get_if<http::sf::Item>(&member);
    const auto* boolean = item ? std::get_if<bool>(&item->value) : nullptr;
    const auto* integer = item ? std::get_if<std::int64_t>(&item->value) : nullptr;
    const auto* string = item ? std::get_if<std::string>(&item->value) : nullptr;
    if (boolean && !*boolean) continue;
    for (const FlagName& f : kFlags) {
      if (key == f.name && (boolean != nullptr || f.flag == &ResponseDirectives::no_store)) d.*f.flag = true;
    }
    for (const SecondsName& s : kSeconds) {
      if (key != s.name) continue;
      d.names_freshness |= s.freshness;
      if (integer) d.*s.seconds = Seconds{std::clamp(*integer, std::int64_t{0}, kMostSeconds)};
    }
    for (const QualifiedName& q : kQualified) {
      if (key != q.name) continue;
      if (string)
        add_qualified(d, q, *string);
      else
        d.*q.flag = true;
    }
  }
}

// The Edge Architecture note: "max-age=60+600" has a window for staleness behind the plus; a directive with a parameter
// is meant for the surrogate that the parameter names, which is never this one.
bool read_surrogate(ResponseDirectives& d, std::string_view value) {
  bool any = false;
  http::for_each_member(value, [&](std::string_view member) {
    if (member.find(';') != std::string_view::npos) return;
    const Directive one = split_directive(member);
    if (iequals(one.name, "no-store") || iequals(one.name, "no-store-remote")) {
      d.no_store = any = true;
    } else if (iequals(one.name, "max-age") && one.value && !d.max_age) {
      const auto plus = one.value->find('+');
      d.max_age = delta_seconds(one.value->substr(0, plus)).value_or(Seconds{0});
      if (plus != std::string_view::npos) d.stale_while_revalidate = delta_seconds(one.value->substr(plus + 1));
      d.names_freshness = any = true;
    }
  });
  if (!http::quotes_hold(value) && (http::has_piece(value, "no-store") || http::has_piece(value, "no-store-remote")))
    d.no_store = any = true;
  return any;
}

// RFC 9213 section 2.2: the first field of the list with a valid, non-empty value.
bool read_targeted(ResponseDirectives& d, http::FieldsView fields, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::string scratch;
    const auto value = fields.combined(name, scratch);
    if (!value) continue;
    if (http::field_id(name) == FieldId::SurrogateControl) {
      if (read_surrogate(d, *value)) return true;
      continue;
    }
    const auto dictionary = http::sf::parse_dictionary(*value);
    if (!dictionary || dictionary->empty()) continue;
    read_dictionary(d, *dictionary);
    return true;
  }
  return false;
}

void read_request_member(RequestDirectives& d, std::string_view member) noexcept {
  const Directive one = split_directive(member);
  const auto seconds = one.value ? delta_seconds(*one.value) : std::nullopt;
  if (iequals(one.name, "no-cache"))
    d.no_cache = true;
  else if (iequals(one.name, "no-store"))
    d.no_store = true;
  else if (iequals(one.name, "only-if-cached"))
    d.only_if_cached = true;
  else if (iequals(one.name, "no-transform"))
    d.no_transform = true;
  else if (iequals(one.name, "max-age") && !d.max_age)
    d.max_age = seconds.value_or(Seconds{0});
  else if (iequals(one.name, "min-fresh") && !d.min_fresh)
    d.min_fresh = seconds;
  else if (iequals(one.name, "max-stale") && !d.max_stale)
    d.max_stale = one.value ? seconds : Seconds::max();
}

// As above, in a list with unbalanced quotes.
void read_doubtful(RequestDirectives& d, std::string_view piece) noexcept {
  const std::string_view name = http::trim(piece.substr(0, piece.find('=')));
  const auto is = [name](std::string_view directive) { return iequals(name, directive); };
  if (is("no-store")) d.no_store = true;
  if (is("no-cache") || (is("max-age") && !d.max_age) || (is("min-fresh") && !d.min_fresh)) d.no_cache = true;
  if (is("only-if-cached")) d.only_if_cached = true;
  if (is("no-transform")) d.no_transform = true;
}

}  // namespace

ResponseDirectives read_response_directives(http::FieldsView fields, const std::vector<std::string>& targeted_fields) {
  ResponseDirectives d;
  d.targeted = d.present = read_targeted(d, fields, targeted_fields);
  if (!d.targeted) read_lines(d, fields);
  return d;
}

RequestDirectives read_request_directives(http::FieldsView fields) noexcept {
  RequestDirectives d;
  bool cache_control = false, pragma_no_cache = false;
  for (const http::Field& f : fields) {
    if (f.id == FieldId::CacheControl) {
      cache_control = true;
      http::for_each_member(f.value, [&](std::string_view member) noexcept { read_request_member(d, member); });
      if (http::quotes_hold(f.value)) continue;
      http::for_each_piece(f.value, [&](std::string_view piece) noexcept { read_doubtful(d, piece); });
    } else if (f.id == FieldId::Pragma) {
      pragma_no_cache = pragma_no_cache || http::has_piece(f.value, "no-cache");
    }
  }
  if (!cache_control) d.no_cache = pragma_no_cache;  // section 5.4
  return d;
}

bool goes_downstream(const http::Field& field, const Policy& policy) noexcept {
  switch (field.id) {
    case FieldId::ForebayCacheControl:
    case FieldId::SurrogateControl: return false;
    case FieldId::CdnCacheControl:
    case FieldId::Other:
      if (policy.tags.strip && std::any_of(policy.tags.headers.begin(), policy.tags.headers.end(),
                                           [&](const std::string& name) { return iequals(name, field.name); }))
        return false;
      return !policy.targeted_strip || std::none_of(policy.targeted_fields.begin(), policy.targeted_fields.end(),
                                                    [&](const std::string& name) { return iequals(name, field.name); });
    default: return true;
  }
}

}  // namespace forebay::rules
