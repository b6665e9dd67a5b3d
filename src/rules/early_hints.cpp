#include "forebay/rules/early_hints.hpp"

#include <algorithm>

#include "forebay/base/text.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::rules {
namespace {

constexpr std::size_t kMostLinks = 32;
constexpr std::size_t kMostBytes = 4096;

bool navigates(const http::RequestView& request) noexcept {
  const auto mode = request.fields.value("Sec-Fetch-Mode");
  return mode && http::iequals(*mode, "navigate");
}

bool is_early(std::string_view relation) noexcept {
  return http::iequals(relation, "preload") || http::iequals(relation, "modulepreload") ||
         http::iequals(relation, "preconnect");
}

/// The relations of a `rel` value, separated by blanks.
bool names_early(std::string_view relations) noexcept {
  while (!relations.empty()) {
    const auto end = std::min(relations.find(' '), relations.size());
    if (is_early(relations.substr(0, end))) return true;
    relations.remove_prefix(std::min(end + 1, relations.size()));
  }
  return false;
}

/// One value of a Link field, from its front.
class LinkReader {
 public:
  explicit LinkReader(std::string_view text) : rest_(text) {}

  /// The next member, without blanks around it; empty at the end, or at a syntax error.
  std::string_view next() {
    while (!rest_.empty() && (is_blank(rest_.front()) || rest_.front() == ',')) rest_.remove_prefix(1);
    has_rel_ = early_ = anchored_ = false;
    const auto from = rest_;
    const auto end_of_target = rest_.find('>');
    if (!rest_.starts_with('<') || end_of_target == std::string_view::npos) return {};
    rest_.remove_prefix(end_of_target + 1);
    for (;;) {
      skip_blanks();
      if (rest_.empty() || rest_.front() == ',') break;
      if (rest_.front() != ';' || !read_parameter()) return {};
    }
    return trim(from.substr(0, from.size() - rest_.size()));
  }
  bool early() const noexcept { return early_ && !anchored_; }

 private:
  static bool is_blank(char c) noexcept { return c == ' ' || c == '\t'; }
  void skip_blanks() noexcept {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  /// From its semicolon on. False: not a parameter.
  bool read_parameter() {
    rest_.remove_prefix(1);
    skip_blanks();
    const auto name = take_token();
    skip_blanks();
    std::string_view value;
    if (rest_.starts_with('=')) {
      rest_.remove_prefix(1);
      skip_blanks();
      if (!take_value(value)) return false;
    }
    // RFC 8288 section 3.3: the first `rel` counts.
    if (http::iequals(name, "rel") && !std::exchange(has_rel_, true)) early_ = names_early(value);
    anchored_ = anchored_ || http::iequals(name, "anchor");
    return true;
  }
  std::string_view take_token() noexcept {
    const auto end = std::min(rest_.find_first_of("=;, \t\"<>"), rest_.size());
    const auto token = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return token;
  }
  bool take_value(std::string_view& value) noexcept {
    if (!rest_.starts_with('"')) {
      value = take_token();
      return true;
    }
    std::size_t at = 1;
    while (at < rest_.size() && rest_[at] != '"') at += rest_[at] == '\\' ? 2 : 1;
    if (at >= rest_.size()) return false;
    value = rest_.substr(1, at - 1);
    rest_.remove_prefix(at + 1);
    return true;
  }

  std::string_view rest_;
  bool has_rel_ = false, early_ = false, anchored_ = false;
};

}  // namespace

bool takes_early_hints(const http::RequestView& request, const Policy& policy) noexcept {
  if (policy.early_hints == EarlyHints::Off || request.version == http::Version::Http10) return false;
  return request.version == http::Version::Http2 || navigates(request);
}

bool takes_replayed_hints(const http::RequestView& request, const Policy& policy) noexcept {
  return policy.early_hints == EarlyHints::Replay && request.version == http::Version::Http2 &&
         request.method == http::Method::Get && (navigates(request) || !request.fields.value("Sec-Fetch-Mode"));
}

std::vector<std::string_view> early_links(http::FieldsView fields) {
  std::vector<std::string_view> links;
  std::size_t bytes = 0;
  for (const auto& f : fields) {
    if (f.id != http::FieldId::Link) continue;
    LinkReader reader(f.value);
    for (auto link = reader.next(); !link.empty(); link = reader.next()) {
      if (!reader.early()) continue;
      bytes += link.size();
      if (links.size() == kMostLinks || bytes > kMostBytes) return links;
      links.push_back(link);
    }
  }
  return links;
}

}  // namespace forebay::rules
