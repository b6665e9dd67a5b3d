// The files that users copy from must load, and the reference must be the table's.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <sstream>

#include "config/schema.hpp"
#include "config/yaml_tree.hpp"
#include "forebay/config/options.hpp"
#include "forebay/config/route_table.hpp"
#include "support.hpp"

namespace forebay::config::test {
namespace {

const std::string kRoot = FOREBAY_SOURCE_DIR;
constexpr std::string_view kBegin = "<!-- reference: begin (generated from the table of options) -->\n";
constexpr std::string_view kEnd = "<!-- reference: end -->\n";

LoadResult load_path(const std::string& path) {
  LoadRequest request;
  request.file = kRoot + '/' + path;
  return load_file(request, machine());
}

TEST(ShippedConfiguration, HasEveryKeyOfThisVersionAndNoWarning) {
  const auto result = load_path("config/forebay.yaml");
  EXPECT_TRUE(result.ok());
  EXPECT_THAT(result.diagnostics, testing::IsEmpty()) << to_text(result.diagnostics);
  const auto text = content_of(kRoot + "/config/forebay.yaml");
  Report report("forebay.yaml", text, {});
  const auto root = parse_yaml(text, {}, report);
  ASSERT_TRUE(root);
  for (const auto& option : options()) {
    if (!option.here || !schema_at(option.path)->children.empty() || option.type == "policy") continue;
    std::string path(option.path);
    // What has no default that could be written, or may not stand beside its twin, is there as a comment.
    const bool of_unix_sockets = option.type == "file mode" || option.type == "name or number";
    // Their files, and credentials, are not on every machine; nor is a server to be checked.
    const bool block = path.starts_with("listen[].tls.") || path.starts_with("admin.tls.") ||
                       path.starts_with("origins.*.tls.") || path.starts_with("origins.*.sign.") ||
                       path.starts_with("origins.*.health.");
    if (option.type == "secret" || path.ends_with("_file") || path.ends_with(".file") || of_unix_sockets ||
        option.fallback.starts_with("by ") || block) {
      EXPECT_NE(text.find((block ? "#   " : "# ") + path.substr(path.rfind('.') + 1) + ": "), std::string::npos)
          << path;
      continue;
    }
    if (path.starts_with("policy.")) path.replace(0, 6, "defaults");
    if (path.starts_with("route.")) path.replace(0, 5, "routes.0");
    if (path.starts_with("origins.*.urls[]")) path = "origins.static.urls.0" + path.substr(16);
    if (path == "origins.*.failover") path.replace(8, 1, "static");
    if (path.starts_with("origins.*")) path.replace(8, 1, "web");
    if (path.starts_with("listen[]")) path.replace(6, 2, ".0");
    const Node* node = root.get();
    for (std::string_view rest = path; node && !rest.empty();) {
      const auto key = rest.substr(0, rest.find('.'));
      rest.remove_prefix(std::min(rest.size(), key.size() + 1));
      // Routes that answer by themselves have keys that others have not.
      const auto has_next = [&, next = rest.substr(0, rest.find('.'))](const NodePtr& item) {
        return item->find(next);
      };
      if (key != "0")
        node = node->find(key);
      else if (const auto it = std::find_if(node->items.begin(), node->items.end(), has_next); it != node->items.end())
        node = it->get();
      else
        node = nullptr;
    }
    EXPECT_NE(node, nullptr) << option.path;
  }
}

TEST(ShippedConfiguration, SaysTheDefaultsWhereItSaysNothingElse) {
  const auto shipped = load_path("config/forebay.yaml").config;
  const auto plain = load_text("origin: http://localhost:3000\n").config;
  ASSERT_TRUE(shipped && plain);
  auto lines_of = [](const Config& config) {
    Config copy = config;
    copy.routes = {config.routes.back()};  // the route for /**
    copy.origins.erase("static");
    for (auto& [name, origin] : copy.origins) origin.name = "web";
    copy.origins = {{"web", copy.origins.begin()->second}};
    copy.origins["web"].url.text = "http://localhost:3000";
    copy.routes[0].origin = copy.default_origin = "web";
    return print(copy);
  };
  EXPECT_EQ(lines_of(*shipped), lines_of(*plain));
}

TEST(Examples, LoadWithoutErrors) {
  for (const std::string name : {"minimal", "sidecar", "edge", "api-gateway"}) {
    const auto result = load_path("config/examples/" + name + ".yaml");
    EXPECT_TRUE(result.ok()) << to_text(result.diagnostics);
    EXPECT_THAT(result.diagnostics, testing::IsEmpty()) << to_text(result.diagnostics);
  }
}

TEST(Examples, OfTheGatewaySendsWhatNoRouteListsToTheRest) {
  const auto config = load_path("config/examples/api-gateway.yaml").config;
  ASSERT_TRUE(config);
  const RouteTable table(*config);
  const auto route = [&](http::Method method, std::string_view path) {
    http::RequestView request;
    request.method = method;
    request.method_text = http::to_string(method);
    return table.find("api.example.com", path, request).route->name;
  };
  using http::Method;
  for (const auto method : {Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete})
    EXPECT_EQ(route(method, "/anything"), "rest") << http::to_string(method);
  EXPECT_EQ(route(Method::Options, "/anything"), "preflight");
  EXPECT_EQ(route(Method::Options, "/me/1"), "preflight");
  EXPECT_EQ(route(Method::Put, "/me/1"), "me");
}

TEST(Docs, EveryYamlBlockLoads) {
  for (const std::string name :
       {"docs/configuration.md", "README.md", "docs/caching.md", "docs/metrics.md", "docs/logs.md"}) {
    std::istringstream in(content_of(kRoot + '/' + name));
    std::string block;
    bool inside = false;
    int number = 0, begin = 0;
    for (std::string line; std::getline(in, line);) {
      ++number;
      if (!inside && line == "```yaml") {
        inside = true;
        begin = number;
        block.clear();
      } else if (inside && line == "```") {
        inside = false;
        const auto result = load_text(block);
        EXPECT_TRUE(result.ok()) << name << ':' << begin << '\n' << to_text(result.diagnostics);
      } else if (inside && !line.starts_with("include: ")) {  // its folder is not here
        block += line + '\n';
      }
    }
  }
}

TEST(Docs, ReferenceIsTheTableOfOptions) {
  const auto path = kRoot + "/docs/configuration.md";
  auto text = content_of(path);
  const auto begin = text.find(kBegin), end = text.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const auto from = begin + kBegin.size();
  if (std::getenv("FOREBAY_UPDATE_GOLDEN")) {
    std::ofstream(path, std::ios::binary) << text.replace(from, end - from, reference_markdown());
    return;
  }
  EXPECT_EQ(text.substr(from, end - from), reference_markdown()) << "run the test with FOREBAY_UPDATE_GOLDEN=1";
}

TEST(Options, HaveUniquePathsAndAHelpSentence) {
  std::set<std::string_view> paths;
  for (const auto& option : options()) {
    EXPECT_TRUE(paths.insert(option.path).second) << option.path;
    EXPECT_TRUE(option.help.ends_with('.') || !option.here) << option.path;
    EXPECT_FALSE(option.type.empty()) << option.path;
    EXPECT_FALSE(option.fallback.empty()) << option.path;
    EXPECT_TRUE(schema_at(option.path)) << option.path;
  }
}

/// Writing a default changes nothing: the table says what the code does.
TEST(Options, DefaultsOfTheTableAreThoseOfTheCode) {
  const auto plain = load_text("origin: http://localhost:3000\n");
  ASSERT_TRUE(plain.ok());
  const auto expected = print(*plain.config);
  int tried = 0;
  for (const auto& option : options()) {
    if (!option.here || option.path.find('*') != std::string::npos || option.path.find('[') != std::string::npos)
      continue;
    const auto fallback = std::string(option.fallback);
    if (fallback == "-" || fallback == "required" || option.path.starts_with("route") ||
        option.path.starts_with("admin.tls.") || option.path == "policy.max_object" || fallback.starts_with("by ") ||
        option.path == "cache.memory" || option.type == "file mode" || option.type == "name or number")
      continue;
    std::string key(option.path);
    if (key.starts_with("policy.")) key.replace(0, 6, "defaults");
    const auto result = load_text("origin: http://localhost:3000\n", {{key, fallback}});
    ASSERT_TRUE(result.ok()) << key << '\n' << to_text(result.diagnostics);
    EXPECT_EQ(print(*result.config), expected) << key;
    ++tried;
  }
  EXPECT_GT(tried, 60);
}

}  // namespace
}  // namespace forebay::config::test
