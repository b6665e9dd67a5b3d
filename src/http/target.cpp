#include "forebay/http/target.hpp"

#include <algorithm>
#include <functional>

#include "forebay/http/chars.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/forwarding.hpp"
#include "forebay/http/list.hpp"

namespace forebay::http {
namespace {

// What normalising a path requires.
enum class PathWork { None, Normalise, Refuse };

PathWork look_at_path(std::string_view path) noexcept {
  PathWork work = PathWork::None;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (!is_class(c, kTarget)) return PathWork::Refuse;
    if (c == '%') {
      if (percent_decoded(path.substr(i)) <= 0) return PathWork::Refuse;
      work = PathWork::Normalise;
    } else if (c == '.' && i > 0 && path[i - 1] == '/') {
      work = PathWork::Normalise;
    }
  }
  return work;
}

// Removes the last segment of the output, with the slash before it, but nothing before `root`.
void pop_segment(std::string& out, std::size_t root) {
  const auto slash = out.rfind('/');
  out.resize(slash == std::string::npos || slash < root ? root : slash);
}

// Section 6.2.2.2 and 6.2.2.3 of RFC 3986 in one pass: a segment is decoded first, so that "%2e%2e" is a dot segment as
// well; an empty segment ("//") is a segment like any other.
void append_normal_path(std::string_view path, std::string& out) {
  const std::size_t root = out.size();
  std::size_t i = 1;  // behind the first slash
  while (true) {
    const std::size_t segment = out.size();
    const std::size_t end = std::min(path.find('/', i), path.size());
    out.push_back('/');
    append_normal_segment(path.substr(i, end - i), out);
    i = end;
    const bool last = i >= path.size();
    const auto written = std::string_view(out).substr(segment);
    if (written == "/." || written == "/..") {
      const bool up = written.size() == 3;
      out.resize(segment);
      if (up) pop_segment(out, root);
      if (last) out.push_back('/');
    }
    if (last) break;
    ++i;
  }
}

bool is_good_query(std::string_view query) noexcept {
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (!is_class(query[i], kTarget)) return false;
    if (query[i] == '%' && percent_decoded(query.substr(i)) == 0) return false;
  }
  return true;
}

struct HostParts {
  std::string_view name;  // an address in brackets includes them
  std::string_view port;  // without the colon
};

// A comma is allowed by the grammar, but may come from two joined Host lines.
bool is_reg_name(std::string_view s) noexcept {
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] == '%') {
      if (percent_decoded(s.substr(i)) <= 0) return false;
      i += 2;
    } else if (!is_class(s[i], kUnreserved | kSubDelim) || s[i] == ',') {
      return false;
    }
  }
  return !s.empty();
}

// IPv6address or IPvFuture, between the brackets.
bool is_ip_literal(std::string_view s) noexcept {
  if (!s.empty() && to_lower(s.front()) == 'v') {
    const auto dot = s.find('.');
    if (dot == std::string_view::npos || dot < 2 || dot + 1 == s.size()) return false;
    const auto version = s.substr(1, dot - 1);
    const auto address = s.substr(dot + 1);
    return std::all_of(version.begin(), version.end(), is_hex) &&
           std::all_of(address.begin(), address.end(),
                       [](char c) { return c == ':' || is_class(c, kUnreserved | kSubDelim); });
  }
  return s.find(':') != std::string_view::npos && parse_ip(s).has_value();
}

// uri-host [ ":" port ], RFC 9110 section 4.2.1; nothing when it is not that.
std::optional<HostParts> split_host(std::string_view host) noexcept {
  HostParts parts;
  std::size_t end = 0;
  if (host.starts_with('[')) {
    const auto bracket = host.find(']');
    if (bracket == std::string_view::npos || !is_ip_literal(host.substr(1, bracket - 1))) return std::nullopt;
    end = bracket + 1;
  } else {
    end = std::min(host.find(':'), host.size());
    if (!is_reg_name(host.substr(0, end))) return std::nullopt;
  }
  parts.name = host.substr(0, end);
  if (end == host.size()) return parts;
  if (host[end] != ':') return std::nullopt;
  parts.port = host.substr(end + 1);
  std::uint64_t port = 0;
  if (!parts.port.empty() && (!parse_decimal(parts.port, 65536, port) || port > 65535)) return std::nullopt;
  return parts;
}

}  // namespace

bool append_normal_segment(std::string_view segment, std::string& out) {
  for (std::size_t i = 0; i < segment.size(); ++i) {
    if (segment[i] != '%') {
      if (is_class(segment[i], kTarget))
        out.push_back(segment[i]);
      else
        append_percent_encoded(out, static_cast<unsigned char>(segment[i]));
      continue;
    }
    const int byte = percent_decoded(segment.substr(i));
    if (byte < 0) return false;
    if (is_class(static_cast<char>(byte), kUnreserved))
      out.push_back(static_cast<char>(byte));
    else
      append_percent_encoded(out, static_cast<unsigned char>(byte));
    i += 2;
  }
  return true;
}

bool is_valid_host(std::string_view host) noexcept { return split_host(host).has_value(); }

Result<void> append_normal_host(std::string_view host, std::string_view scheme, std::string& out) {
  const auto parts = split_host(host);
  if (!parts) return Errc::Malformed;
  const auto name = parts->name;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '%') {
      out.push_back(to_lower(name[i]));
      continue;
    }
    const auto byte = static_cast<unsigned char>(percent_decoded(name.substr(i)));
    if (is_class(static_cast<char>(byte), kUnreserved))
      out.push_back(to_lower(static_cast<char>(byte)));
    else
      append_percent_encoded(out, byte);
    i += 2;
  }
  if (parts->port.empty()) return {};
  std::uint64_t port = 0;
  parse_decimal(parts->port, 65535, port);
  if ((port == 80 && scheme == "http") || (port == 443 && scheme == "https")) return {};
  out.push_back(':');
  append_number(out, port);
  return {};
}

Result<void> Target::read(Method method, std::string_view raw) {
  path_ = scheme_ = authority_ = {};
  query_.reset();
  if (raw == "*") {
    if (method != Method::Options) return Errc::Malformed;
    path_ = raw;
    return {};
  }
  std::string_view rest = raw;
  if (!raw.starts_with('/')) {
    // absolute-form, RFC 9112 section 3.2.2
    const auto colon = raw.find("://");
    if (colon == std::string_view::npos) return Errc::Malformed;
    const auto scheme = raw.substr(0, colon);
    scheme_ = iequals(scheme, "http") ? "http" : iequals(scheme, "https") ? "https" : "";
    if (scheme_.empty()) return Errc::Malformed;
    rest = raw.substr(colon + 3);
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    authority_ = rest.substr(0, end);
    if (!is_valid_host(authority_)) return Errc::Malformed;
    rest.remove_prefix(end);
  }
  const auto mark = rest.find('?');
  const auto path = rest.substr(0, mark);
  if (mark != std::string_view::npos) {
    query_ = rest.substr(mark + 1);
    if (!is_good_query(*query_)) return Errc::Malformed;
  }
  if (path.empty()) {
    // The last proxy turns an absolute-form without path and query back into "*" (RFC 9112 section 3.2.4).
    path_ = method == Method::Options && !query_ ? "*" : "/";
    return {};
  }
  switch (look_at_path(path)) {
    case PathWork::Refuse: return Errc::Malformed;
    case PathWork::None: path_ = path; break;
    case PathWork::Normalise:
      buffer_.clear();
      append_normal_path(path, buffer_);
      path_ = buffer_;
      break;
  }
  return {};
}

std::string_view rebased(std::string_view view, std::string_view from, std::string_view copy) noexcept {
  const std::less_equal<> not_behind;
  const bool part =
      not_behind(from.data(), view.data()) && not_behind(view.data() + view.size(), from.data() + from.size());
  return part ? copy.substr(static_cast<std::size_t>(view.data() - from.data()), view.size()) : view;
}

void Target::rebase(std::string_view raw, std::string_view copy) noexcept {
  path_ = rebased(path_, raw, copy);
  authority_ = rebased(authority_, raw, copy);
  if (query_) query_ = rebased(*query_, raw, copy);
}

std::optional<std::string> same_origin_target(std::string_view reference, std::string_view scheme,
                                              std::string_view host, std::string_view base_path) {
  reference = reference.substr(0, reference.find('#'));
  const auto base = base_path.substr(0, base_path.find('?'));

  // A scheme: letters, digits, "+", "-", "." before the first colon, in front of any "/" or "?".
  const auto delimiter = reference.find_first_of(":/?");
  if (delimiter != std::string_view::npos && reference[delimiter] == ':') {
    if (!iequals(reference.substr(0, delimiter), scheme)) return std::nullopt;
    reference.remove_prefix(delimiter + 1);
    // "http:path" (RFC 3986 section 5.4.2) is refused: parsers disagree about it.
    if (!reference.starts_with("//")) return std::nullopt;
  }
  std::string merged;
  if (reference.starts_with("//")) {
    reference.remove_prefix(2);
    const auto end = std::min(reference.find_first_of("/?"), reference.size());
    std::string theirs, ours;
    if (!append_normal_host(reference.substr(0, end), scheme, theirs) || !append_normal_host(host, scheme, ours) ||
        theirs != ours) {
      return std::nullopt;
    }
    reference.remove_prefix(end);
    if (!reference.starts_with('/')) merged = "/";
  } else if (reference.empty()) {
    merged = base_path;
  } else if (reference.front() == '?') {
    merged = base;
  } else if (reference.front() != '/') {
    merged = base.substr(0, base.rfind('/') + 1);
  }
  merged.append(reference);

  Target target;
  if (!target.read(Method::Get, merged)) return std::nullopt;
  std::string out(target.path());
  if (target.query()) out.append("?").append(*target.query());
  return out;
}

}  // namespace forebay::http
