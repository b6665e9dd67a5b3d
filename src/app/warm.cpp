#include "warm.hpp"

#include <algorithm>

#include "forebay/base/text.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/structured_fields.hpp"
#include "forebay/http/target.hpp"

namespace forebay::app {
namespace {

namespace sf = http::sf;

/// The text of an XML element: `&amp;` and the like.
std::string xml_text(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kEntities[] = {
      {"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  std::string out;
  while (!text.empty()) {
    const auto* entity = std::find_if(std::begin(kEntities), std::end(kEntities),
                                      [&](const auto& known) { return text.starts_with(known.first); });
    const bool is_entity = entity != std::end(kEntities);
    out += is_entity ? entity->second : text.front();
    text.remove_prefix(is_entity ? entity->first.size() : 1);
  }
  return out;
}

/// Adds one, or says where it stands in the file.
bool add(std::vector<WarmUrl>& all, std::string_view text, std::size_t line, std::string& fault) {
  auto url = warm_url(text, fault);
  if (!url) {
    fault = "line " + std::to_string(line) + ": " + fault;
    return false;
  }
  if (all.size() == kMostWarmUrls) {
    fault = "more than " + std::to_string(kMostWarmUrls) + " URLs";
    return false;
  }
  all.push_back(std::move(*url));
  return true;
}

std::optional<std::vector<WarmUrl>> sitemap_urls(std::string_view text, std::string& fault) {
  constexpr std::string_view kBegin = "<loc>", kEnd = "</loc>";
  if (text.find("<sitemapindex") != std::string_view::npos) {
    fault = "it is an index of sitemaps; pass the sitemaps that it names";
    return std::nullopt;
  }
  std::vector<WarmUrl> all;
  std::size_t line = 1, counted = 0;
  for (auto at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at)) {
    at += kBegin.size();
    const auto end = text.find(kEnd, at);
    if (end == std::string_view::npos) break;
    line += static_cast<std::size_t>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                                text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    counted = at;
    auto url = text.substr(at, end - at);
    constexpr std::string_view kBlanks = " \t\r\n";
    url.remove_prefix(std::min(url.find_first_not_of(kBlanks), url.size()));
    url = url.substr(0, url.find_last_not_of(kBlanks) + 1);
    if (!add(all, xml_text(url), line, fault)) return std::nullopt;
  }
  return all;
}

std::string status_text(int status) { return "status " + std::to_string(status); }

}  // namespace

std::optional<WarmUrl> warm_url(std::string_view text, std::string& fault) {
  const auto refuse = [&](const std::string& why) {
    // A terminal may be shown it.
    std::string shown;
    append_json_string(shown, text.substr(0, 200));
    fault = shown + ' ' + why;
    return std::nullopt;
  };
  http::Target target;
  if (!target.read(http::Method::Get, text) || target.authority().empty() || !http::is_valid_host(target.authority()))
    return refuse("is not a URL such as http://shop.example.com/products");
  WarmUrl url{std::string(text), std::string(target.scheme()), std::string(target.authority()),
              std::string(target.path())};
  // The query as it was written, without a fragment, which is never sent.
  if (const auto query = target.query()) url.target.append("?").append(*query);
  return url;
}

std::optional<std::vector<WarmUrl>> warm_urls(std::string_view text, std::string& fault) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  if (const auto first = text.find_first_not_of(" \t\r\n"); first != std::string_view::npos && text[first] == '<')
    return sitemap_urls(text, fault);
  std::vector<WarmUrl> all;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const auto end = text.find('\n');
    auto one = text.substr(0, end);
    if (one.ends_with('\r')) one.remove_suffix(1);
    one = http::trim(one);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (one.empty() || one.front() == '#') continue;
    if (!add(all, one, line, fault)) return std::nullopt;
  }
  return all;
}

WarmOutcome judge_warmed(const net::Asked& asked) {
  if (!asked.answer) return {Warmed::Failed, asked.why};
  const auto& answer = *asked.answer;
  if (answer.status >= 400) return {Warmed::Failed, status_text(answer.status)};
  if (!answer.whole) return {Warmed::Failed, "the answer is not whole"};
  std::string scratch;
  const auto status = http::FieldsView(answer.fields).combined("Cache-Status", scratch);
  const auto list = status ? sf::parse_list(*status) : std::nullopt;
  const auto* last = list && !list->empty() ? std::get_if<sf::Item>(&list->back()) : nullptr;
  if (last == nullptr) return {Warmed::Unknown, "there is no Cache-Status"};
  std::string detail;
  for (const auto& [name, value] : last->parameters) {
    if (name == "stored") return {Warmed::Stored, {}};
    if (name == "hit") return {Warmed::Fresh, {}};
    if (name == "collapsed") return {Warmed::Stored, {}};
    // Validated: what was stored is fresh again.
    if (name == "fwd-status" && value == sf::Bare(std::int64_t{304}) && answer.status != 304)
      return {Warmed::Stored, {}};
    if (name == "detail")
      if (const auto* token = std::get_if<sf::Token>(&value)) detail = token->text;
  }
  return {Warmed::NotStored, detail.empty() ? status_text(answer.status) : detail};
}

}  // namespace forebay::app
