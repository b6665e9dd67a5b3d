#include "config/origin_urls.hpp"

#include <algorithm>

#include "config/address.hpp"
#include "config/codecs.hpp"

namespace forebay::config {
namespace {

using Member = Origin::Member;

constexpr std::size_t kMostUrls = 64;
constexpr std::string_view kBetweenNames = ", ";

struct MemberUrl {
  static constexpr std::string_view kType = "url";
  static void read(const Reading& r, Url& out) {
    const auto* text = r.scalar("a url");
    if (!text) return;
    auto parsed = parse_origin_url(*text);
    if (!parsed.value) return r.section.fault(*r.node(), r.path(), parsed.fault);
    out = std::move(*parsed.value);
  }
  static std::string text(const Url& url) { return yaml_text(url.text); }
};

constexpr auto kMember = table<Member>({
    as<MemberUrl, &Member::url>("url", "", "One of the urls.").by_default("required"),
    key<&Member::weight>("weight", "1..1000", "Its share of the requests, compared with the weights of the others."),
});
constexpr std::array kUrlElement{each<&kMember>("[]")};

/// What is written as one url; without a host where that is reported.
Member read_member(Loading& loading, const Section& section, const Node& node, const std::string& path) {
  Member member;
  if (node.is_map()) {
    read_rows(loading, Section(section.report(), &node, path), Table<Member>(kMember).rows, &member);
    if (!node.find("url"))
      section.error(1002, node, path, "an element of \"urls\" has no url",
                    "such as { url: http://host:port, weight: 2 }");
  } else if (!node.is_scalar() && !node.bad) {
    section.error(1002, node, path, node.is_list() ? "a list is not a url" : "nothing is not a url",
                  "such as http://host:port");
  } else if (const auto* text = section.scalar(node, path, "a url")) {
    auto parsed = parse_origin_url(*text);
    if (parsed.value)
      member.url = std::move(*parsed.value);
    else
      section.fault(node, path, parsed.fault);
  }
  return member;
}

/// A url that does not go with those before it is reported.
bool fits(const Section& section, const Node& node, const std::string& path, const Url& url, const Origin& origin) {
  const auto same = [&](const Member& m) { return m.url.scheme == url.scheme && m.url.authority == url.authority; };
  if (std::any_of(origin.urls.begin(), origin.urls.end(), same)) {
    section.error(1012, node, path, "the url " + in_quotes(url.text) + " is used twice",
                  "list each url once; its weight gives it more requests");
    return false;
  }
  if (origin.urls.empty() || origin.url.scheme == url.scheme) return true;
  section.error(
      1004, node, path,
      in_quotes(url.text) + " is " + url.scheme + ", and " + in_quotes(origin.url.text) + " is " + origin.url.scheme,
      "all urls of an origin have one scheme");
  return false;
}

void add_url(Loading& loading, const Section& section, const Node& node, const std::string& path, Origin& origin) {
  auto member = read_member(loading, section, node, path);
  const auto* url = node.is_map() ? node.find("url") : &node;
  if (member.url.host.empty() || !fits(section, *url, path, member.url, origin)) return;
  loading.places[place_of_url(origin.name, origin.urls.size())] = {url, path};
  if (origin.urls.empty()) origin.url = member.url;
  origin.urls.push_back(std::move(member));
}

}  // namespace

std::span<const Row> url_element() noexcept { return kUrlElement; }

void read_urls(Loading& loading, const Section& section, const Node& node, const std::string& path, Origin& origin) {
  if (node.bad) return;
  loading.places["origin " + origin.name] = {&node, path};
  if (!node.is_list()) return add_url(loading, section, node, path, origin);
  if (node.items.empty()) return section.error(1004, node, path, "an origin needs a url", "such as http://host:port");
  if (node.items.size() > kMostUrls)
    return section.error(1004, node, path, std::to_string(node.items.size()) + " urls",
                         "at most " + std::to_string(kMostUrls));
  for (std::size_t i = 0; i < node.items.size(); ++i)
    add_url(loading, section, *node.items[i], path + '[' + std::to_string(i) + ']', origin);
}

bool is_pool(const Origin& origin) noexcept {
  return origin.urls.size() > 1 || (origin.urls.size() == 1 && origin.urls.front().weight != 1);
}

std::string urls_text(const std::vector<Member>& urls) {
  return yaml_list(urls, [](const Member& m) {
    const auto url = yaml_text(m.url.text);
    return m.weight == 1 ? url : "{ url: " + url + ", weight: " + std::to_string(m.weight) + " }";
  });
}

std::string name_of_urls(const std::vector<Member>& urls) {
  std::string name;
  for (const auto& member : urls) {
    if (!name.empty()) name += kBetweenNames;
    name += member.url.text;
  }
  return name;
}

Text OriginName::text(const std::string& name) {
  if (name.empty()) return {};
  Texts urls;
  for (std::size_t begin = 0; begin < name.size();) {
    const auto end = std::min(name.find(kBetweenNames, begin), name.size());
    urls.push_back(name.substr(begin, end - begin));
    begin = end + kBetweenNames.size();
  }
  return urls.size() == 1 ? yaml_text(name) : yaml_texts(urls);
}

std::string place_of_url(const std::string& origin, std::size_t index) {
  return "url " + std::to_string(index) + " of " + origin;
}

}  // namespace forebay::config
