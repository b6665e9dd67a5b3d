// Settings of a route beside those of its policy.
#include <algorithm>

#include "config/codecs.hpp"
#include "config/signing.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/target.hpp"

namespace forebay::config {
namespace {

struct Prefix {
  static constexpr std::string_view kType = "path";
  static Text text(const std::string& prefix) { return prefix.empty() ? Text() : yaml_text(prefix); }
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a path");
    if (!text) return;
    const auto bad = [&](int code, const std::string& what, std::string hint) {
      r.error(code, *r.node(), in_quotes(*text) + what, std::move(hint));
    };
    if (!text->starts_with('/')) {
      const bool bare = !text->empty() && text->find("://") == std::string::npos;
      return bad(1002, " is not a path: it begins with \"/\"",
                 bare ? "write " + in_quotes("/" + *text) : "such as /api");
    }
    if (text->find_first_of("?#") != std::string::npos)
      return bad(1002, " is more than a path", "leave out what follows the \"?\" or \"#\"");
    http::Target target;
    if (!target.read(http::Method::Get, *text))
      return bad(1002, " is not a path", "percent-encode what no path may have");
    std::string prefix(target.path());
    while (prefix.ends_with('/')) prefix.pop_back();  // Whole segments: `/api/` and `/api` are one prefix.
    if (prefix.empty()) return bad(1004, " changes nothing", "leave it out");
    out = std::move(prefix);
  }
};

constexpr std::size_t kMostFields = 64;
constexpr std::size_t kLongestValue = 8192;

/// Why a field is not the configuration's to change; nothing when it is.
std::optional<std::string> kept_by_forebay(std::string_view name, bool response) {
  using http::FieldId;
  const auto id = http::field_id(name);
  const auto low = lower_case(name);
  if (id == FieldId::Host) return "see host_header of the origin";
  if (id == FieldId::Via) return "see diagnostics.name";
  if (id == FieldId::Forwarded || (low.starts_with("x-forwarded-") && low != "x-forwarded-prefix"))
    return "see server.forwarded";
  if (id == FieldId::CacheStatus && response) return "see diagnostics.cache_status";
  const bool own = http::is_hop_by_hop(id) || id == FieldId::ContentLength || id == FieldId::CdnLoop ||
                   id == FieldId::Expect || low.starts_with("forebay-") ||
                   (response && (id == FieldId::Age || id == FieldId::Date));
  return own ? std::optional<std::string>("leave it out") : std::nullopt;
}

}  // namespace

bool check_field_name(const Section& section, const Node& node, const std::string& path) {
  if (!is_token(node.text)) {
    section.bad_field_name(node, path);
    return false;
  }
  const bool response = section.path().ends_with("response_headers") || section.path().ends_with("respond");
  const auto why = kept_by_forebay(node.text, response);
  if (why) section.error(1004, node, path, in_quotes(node.text) + " is Forebay's own to set", *why);
  return !why;
}

namespace {

/// `set` of `request_headers` and `response_headers`.
struct SetFields {
  using Fields = std::vector<std::pair<std::string, std::string>>;
  static constexpr std::string_view kType = "map of header name to text";
  static void read(const Reading& r, Fields& out) {
    for (const auto& [key, value] : r.section.node() ? r.section.node()->entries : std::vector<Entry>())
      if (is_users_own(key->text))
        r.section.report().warning(
            2032, *key, r.section.path_of(clipped(key->text)),
            key_in_quotes(key->text) + " begins with \"x-\": it is a key of your own, and sets nothing",
            "fields stand below " + in_quotes(r.row.name));
    const auto* node = r.node();
    if (!node) return;
    if (!node->is_map())
      return r.error(1002, *node, in_quotes(r.row.name) + " maps header fields to values",
                     "such as { X-Api-Version: \"2\" }");
    if (node->entries.size() > kMostFields)
      r.error(1004, *node, std::to_string(node->entries.size()) + " header fields",
              "at most " + std::to_string(kMostFields));
    for (const auto& [key, value] : node->entries)  // Also those that begin with `x-`: here they are names of fields.
      read_field(r.section, r.path() + '.' + clipped(name_of_key(key->text)), *key, *value, out);
  }
  static void read_field(const Section& section, const std::string& path, const Node& key, const Node& value,
                         Fields& out) {
    const auto name = in_quotes(key.text);
    if (!check_field_name(section, key, path)) return;
    if (std::any_of(out.begin(), out.end(), [&](const auto& field) { return http::iequals(field.first, key.text); }))
      return section.error(1005, key, path, "the field " + name + " stands twice", "names of fields have no case");
    if (value.is_null() && !value.bad)
      return section.error(1002, key, path, name + " has no value", "write \"\" for an empty one");
    const auto* text = section.scalar(value, path, "a text");
    if (!text) return;
    if (!http::is_field_value(*text))
      section.error(1002, value, path, "the value of " + name + " has a control byte");
    else if (text->size() > kLongestValue)
      section.error(1004, value, path, "the value of " + name + " is too long",
                    "at most " + std::to_string(kLongestValue) + " bytes");
    else if (*text == kRedacted)
      section.report().warning(2006, value, path, "a redacted value is nothing that anybody can use",
                               "write \"${NAME}\" for a variable; the field is left out");
    else
      out.emplace_back(key.text, http::trim(*text));
  }
  static Text text(const Fields& fields, const Printing& p) {
    if (fields.empty()) return {};
    return yaml_map(fields, [&](const auto& field) {
      const bool shown = p.shows(Named::Field, field.first);
      return yaml_name(field.first) + ": " + yaml_text(shown ? std::string_view(field.second) : kRedacted);
    });
  }
};
struct RemovedFields {
  static constexpr std::string_view kType = "list of header name";
  static void read(const Reading& r, Texts& out) {
    r.each(out, [&](const Node& item, const std::string& path) {
      const auto same = [&](const std::string& name) { return http::iequals(name, item.text); };
      if (check_field_name(r.section, item, path) && std::none_of(out.begin(), out.end(), same))
        out.push_back(item.text);
    });
  }
  static Text text(const Texts& names) { return names.empty() ? Text() : yaml_texts(names); }
};

struct Hosts {
  static constexpr std::string_view kType = "list of glob";
  static Text text(const Texts& hosts) { return hosts.empty() ? Text() : yaml_texts(hosts); }
  static void read(const Reading& r, Texts& out) {
    const bool set = r.each(out, [&](const Node& item, const std::string& path) {
      auto host = lower_case(item.text);
      const bool bracketed = host.starts_with('[') && host.ends_with(']');
      const bool letters =
          is_glob(host) &&
          host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-._~*%!$&'()+;=") == std::string::npos;
      if (letters || bracketed) return out.push_back(std::move(host));
      std::string hint = "such as shop.example.com or *.example.com";
      if (const auto listed = list_hint(item.text); !listed.empty())
        hint = listed;
      else if (const auto scheme = host.find("://"); scheme != std::string::npos)
        hint = "leave the scheme out";
      else if (const auto colon = host.find(':'); colon != std::string::npos && colon > 0)
        hint = "write " + in_quotes(item.text.substr(0, colon)) + "; a route is for every port";
      r.section.error(1002, item, path, in_quotes(item.text) + " is not a host", hint);
    });
    if (set && r.node()->is_list() && r.node()->items.empty())
      r.error(1004, *r.node(), "a route without hosts matches nothing", "leave \"host\" out for any host");
  }
};

// These are read where the route is (load_routes.cpp).
struct Name {
  static std::string text(const std::string& name) { return yaml_text(name); }
};
/// None where the route answers by itself.
struct Pattern {
  static constexpr std::string_view kType = "pattern";
  static std::string text(const PathPattern& path) { return yaml_text(path.text()); }
};
struct OfPolicy {
  static constexpr std::string_view kType = "policy name";
  static Text text(const std::string&) { return {}; }  // What it says stands in the route.
};

constexpr unsigned kRedirectStatuses[] = {301, 302, 303, 307, 308};
struct RedirectStatus {
  static void read(const Reading& r, unsigned& out) {
    if (const auto index = r.word()) out = kRedirectStatuses[*index];
  }
  static Text text(unsigned status) { return status == 0 ? Text() : std::to_string(status); }
};
struct RespondStatus {
  static constexpr std::string_view kType = "int";
  static void read(const Reading& r, unsigned& out) { Codec<unsigned>::read(r, out); }
  static Text text(unsigned status) { return status == 0 ? Text() : std::to_string(status); }
};
/// A text that is left out where it is empty.
struct PlainText {
  static constexpr std::string_view kType = "text";
  static void read(const Reading& r, std::string& out) {
    if (const auto* text = r.scalar("a text")) out = *text;
  }
  static Text text(const std::string& text) { return text.empty() ? Text() : yaml_text(text); }
};
struct FilePath : PlainText {
  static constexpr std::string_view kType = "path";
};

constexpr auto kRedirect = table<Redirect>({
    as<RedirectStatus, &Redirect::status>("status", "301 | 302 | 303 | 307 | 308", "Status; 308 for `https`, else 302.")
        .by_default("302"),
    as<PlainText, &Redirect::to>(
        "to", "",
        "URL or path, with `{captures}` of the path, `{host}`, `{path}` and `?{query}`; or `https`, `https:8443`."),
});
constexpr auto kRespond = table<Respond>({
    as<RespondStatus, &Respond::status>("status", "200..599", "Status of the answer.").by_default("200"),
    as<SetFields, &Respond::headers>("headers", "", "Fields of the answer.").by_default("{}"),
    as<PlainText, &Respond::body>("body", "", "Its content, up to 64 KiB; text/plain unless `headers` say more."),
    as<FilePath, &Respond::file>(
        "file", "", "File with its content, up to 64 KiB, read at start and reload; its type goes by its name."),
});

/// `redirect: https` and `respond: 404`; the keys of the maps are rows of their own.
struct ShortRedirect {
  using Value = Route;
  static constexpr std::string_view kType = "https or map";
  static constexpr std::size_t kMembers = 0;
  static void read(const Reading& r, Route& out) {
    const auto* node = r.node();
    if (!node || node->is_map()) return;
    const auto* text = r.scalar("https or a map");
    if (text && is_https_redirect(*text))
      out.redirect.to = *text;
    else if (text)
      r.error(1002, *node, in_quotes(*text) + " is not https or a map", hint_for(*text));
  }
  static std::string hint_for(const std::string& text) {
    const auto low = lower_case(text);
    const auto is = [&](auto... words) { return ((low == words) || ...); };
    if (is("true", "yes", "on", "http", "permanent", "tls", "ssl")) return "write redirect: https";
    if (is("false", "no", "off", "none")) return "leave it out";
    const auto status = parse_integer(text).value;
    const bool known = status && std::find(std::begin(kRedirectStatuses), std::end(kRedirectStatuses), *status) !=
                                     std::end(kRedirectStatuses);
    if (known) return "write redirect: { status: " + text + ", to: ... }; https alone is the same URL over https";
    const bool target = text.starts_with('/') || text.find("://") != std::string::npos;
    return target ? "write redirect: { to: " + in_quotes(text) + " }"
                  : "such as redirect: { to: /new }, or redirect: https";
  }
};
struct ShortRespond {
  /// One word that ends like a file's name: `404.html`, `/srv/down.txt`.
  static bool names_file(std::string_view text) {
    const auto dot = text.rfind('.');
    if (dot == std::string_view::npos || text.find_first_of(" \t\n<") != std::string_view::npos) return false;
    const auto end = text.substr(dot + 1);
    return end.size() >= 2 && end.size() <= 5 && is_token(end);
  }
  using Value = Route;
  static constexpr std::string_view kType = "int or map";
  static constexpr std::size_t kMembers = 0;
  static void read(const Reading& r, Route& out) {
    const auto* node = r.node();
    if (!node || node->is_map()) return;
    const auto* text = r.scalar("a status or a map");
    if (!text) return;
    const auto status = parse_integer(*text);
    if (!status.value)
      r.error(1002, *node, in_quotes(*text) + " is not a status or a map",
              std::string("write respond: { ") + (names_file(*text) ? "file: " : "body: ") + in_quotes(*text) + " }");
    else if (*status.value < 200 || *status.value > 599)
      r.error(1004, *node, in_quotes(*text) + " is no status of an answer", "200 to 599");
    else
      out.respond.status = static_cast<unsigned>(*status.value);
  }
};

constexpr auto kRewrite = table<Rewrite>({
    as<Prefix, &Rewrite::strip_prefix>(
        "strip_prefix", "",
        "Taken from the front of the path on its way to the origin, in whole segments; the key has the path before.",
        Reload::Entries),
    as<Prefix, &Rewrite::add_prefix>("add_prefix", "", "Then put in front of it.", Reload::Entries),
});
constexpr auto kRequestHeaders = table<HeaderChanges>({
    as<SetFields, &HeaderChanges::set>("set", "", "Fields set towards the origin.").by_default("{}"),
    as<RemovedFields, &HeaderChanges::remove>("remove", "", "Fields removed towards the origin.").by_default("[]"),
});
constexpr auto kResponseHeaders = table<HeaderChanges>({
    as<SetFields, &HeaderChanges::set>("set", "", "Fields set towards the client.").by_default("{}"),
    as<RemovedFields, &HeaderChanges::remove>("remove", "", "Fields removed towards the client.").by_default("[]"),
});
constexpr auto kRoute = table<Route>({
    as<Name, &Route::name>("name", "string", "Unique name and metric label.").by_default("the path"),
    as<Pattern, &Route::path>(
        "path", "",
        "Paths that match: `/a/b`, `/users/{id}`, `/files/{rest+}`, `/img/*.png`, `/static/**` or `~ regex`.")
        .by_default("required"),
    as<Hosts, &Route::hosts>("host", "", "Hosts that match, without port.").by_default("any"),
    map<&Route::match, match_table>("match"),
    as<OriginName, &Route::origin>("origin", "", "Where this route's answers come from.", Reload::Entries)
        .by_default("origin"),
    as<OfPolicy, &Route::policy_name>("policy", "", "The named policy that this route begins with."),
    map<&Route::rewrite, &kRewrite>("rewrite"),
    map<&Route::request_headers, &kRequestHeaders>("request_headers"),
    map<&Route::response_headers, &kResponseHeaders>("response_headers"),
    as<ShortRedirect>("redirect", "",
                      "Forebay answers by another URL; `https` (or `https:8443`) is the same URL over https, for "
                      "requests over http."),
    map<&Route::redirect, &kRedirect>("redirect"),
    as<ShortRespond>("respond", "", "Forebay answers by this; a number is the status of an answer without content."),
    map<&Route::respond, &kRespond>("respond"),
    as<ShortInvalidates>("invalidates", "", "Short for `invalidates.tags`.").by_default("-"),
    map<&Route::invalidates, invalidates_table>("invalidates"),
    later<Route>("refresh"),
});

}  // namespace

Table<Route> route_table() noexcept { return kRoute; }

}  // namespace forebay::config
