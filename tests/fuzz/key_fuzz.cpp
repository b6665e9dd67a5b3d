#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <string>
#include <vector>

#include "forebay/cache/key.hpp"
#include "forebay/cache/learned.hpp"
#include "forebay/http/h1_parser.hpp"
#include "invariant.hpp"

// The first byte chooses a route's key; then a request follows, head and content.

namespace {

using namespace forebay;
using fuzz::require;

std::array<cache::KeySpec, 8> make_specs() {
  std::array<cache::KeySpec, 8> specs;
  const auto pointers = [](cache::KeySpec& spec, std::initializer_list<const char*> texts) {
    spec.body = cache::BodyMode::Pointers;
    for (const char* text : texts) spec.pointers.push_back(content::JsonPointer::parse(text).value());
  };
  specs[0].headers = {"x-a", "accept"};
  specs[0].cookies = {"s*", "*"};
  specs[0].authorization = true;
  specs[1].query = cache::QueryMode::Except;
  specs[1].query_names = {"utm_*"};
  specs[1].body = cache::BodyMode::All;
  pointers(specs[2], {"/a", "/b/0", "/c d"});
  pointers(specs[3], {""});
  specs[3].numbers = content::Numbers::Value;
  specs[4].form = {"a", "b"};
  specs[5].graphql = true;
  specs[6].graphql = true;
  specs[6].query_sort = false;
  specs[7].path = cache::PathMode::Captures;
  specs[7].captures = {"id"};
  specs[7].form = {"a"};
  specs[7].body = cache::BodyMode::All;
  specs[7].query = cache::QueryMode::Only;
  specs[7].query_names = {"a", "b*"};
  for (auto& spec : specs) spec.body_max = 4096;
  return specs;
}

// Each component stands once and in its order; what stands in them is escaped.
void check_text(std::string_view text) {
  require(std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; }));
  static constexpr std::string_view kOrder = "qhcabfm";
  std::size_t last = 0, at = text.find("|/");
  if (at == std::string_view::npos) return;  // not one of the routes that key the path whole
  for (at = text.find('|', at + 1); at != std::string_view::npos; at = text.find('|', at + 1)) {
    require(at + 2 < text.size() && text[at + 2] == ':');
    const auto tag = kOrder.find(text[at + 1]);
    require(tag != std::string_view::npos && tag >= last);
    last = tag + 1;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' || text.substr(i).starts_with("%sha256:")) continue;
    require(i + 2 < text.size() && std::isxdigit(static_cast<unsigned char>(text[i + 1])) &&
            std::isxdigit(static_cast<unsigned char>(text[i + 2])));
  }
}

void check_key(const cache::KeySpec& spec, const http::RequestView& request, const http::Target& target,
               std::string_view content) {
  // One key for all inputs, as a worker has it.
  static cache::Key used;
  static cache::PersistedQueries persisted;
  const cache::Capture capture{"id", target.path()};
  cache::KeyInput input{"r", request, target, "http", "h"};
  input.captures = {&capture, 1};
  input.persisted = &persisted;
  if (cache::content_use(spec, request.method, !content.empty()) == cache::ContentUse::Keyed) input.content = content;

  const auto reason = used.build(spec, input);
  std::vector<cache::KeyPart> parts;
  cache::Key fresh;
  require(fresh.build(spec, input, &parts) == reason);
  require(fresh.resource() == used.resource());
  cache::Key resource;
  resource.build_resource(spec, input);
  require(resource.resource() == used.resource());
  require(resource.searched_resource() == used.searched_resource());
  if (reason != rules::Reason::None) return;
  require(fresh.text() == used.text() && fresh.id() == used.id() && fresh.base() == used.base());
  require(used.id() == digest_of(used.text()));
  check_text(used.text());
  for (const auto& part : parts)
    require(!part.present || part.kind == "form" || used.text().find(part.value) != std::string_view::npos);

  rules::NoVarySearch rule;
  rule.ignored = rules::NoVarySearch::Ignored::All;
  input.search = &rule;
  require(fresh.build(spec, input) == rules::Reason::None);
  require(fresh.base() == used.base() && fresh.resource() == used.searched_resource());
  require(fresh.text() != used.text());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto specs = make_specs();
  if (size == 0) return 0;
  const fuzz::Exact input(fuzz::as_text(data + 1, size - 1));
  http::RequestParser parser{http::HeadLimits{}};
  if (!parser.parse(input.view())) return 0;
  http::Target target;
  if (!target.read(parser.view().method, parser.view().target)) return 0;
  const fuzz::Exact content(input.view().substr(parser.head_size()));
  check_key(specs[data[0] % specs.size()], parser.view(), target, content.view());
  return 0;
}
