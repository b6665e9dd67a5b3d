#pragma once

#include <gmock/gmock.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forebay/config/load.hpp"
#include "forebay/proxy/explain.hpp"
#include "forebay/proxy/reading.hpp"
#include "forebay/rules/vary.hpp"

namespace forebay::proxy {

using FieldList = std::vector<std::pair<std::string, std::string>>;
inline http::Fields fields_of(const FieldList& list) {
  http::Fields f;
  for (const auto& [name, value] : list) f.add(name, value);
  return f;
}

/// A request to be explained, as tests say it.
struct Asked {
  std::string method = "GET";
  std::string url = "http://example.com/";
  FieldList fields{};
  std::optional<std::string> content{};
  std::optional<int> status{};  ///< Of a response to be judged.
  FieldList response_fields{};
  std::optional<std::string> response_content{};

  operator ExplainRequest() const {
    ExplainRequest r;
    r.method = method;
    r.url = url;
    r.fields = fields_of(fields);
    r.content = content;
    if (status || !response_fields.empty())
      r.response = ExplainRequest::Response{status.value_or(200), fields_of(response_fields), response_content};
    return r;
  }
};

/// Requests explained under a configuration, with or without a store, at a time that the test moves.
class ExplainedTest : public ::testing::Test {
 protected:
  /// `origin` is filled in.
  void configure(const std::string& yaml) {
    config::LoadRequest request;
    request.file = "forebay.yaml";
    request.text = yaml;
    if (yaml.find("origin") == std::string::npos) request.text += "origin: http://127.0.0.1:3000\n";
    config::Surroundings machine;
    machine.cpus = 2;
    machine.memory_limit = std::uint64_t{8} << 30;
    machine.variable = [](const std::string&) { return std::nullopt; };
    const auto loaded = config::load(request, machine);
    ASSERT_TRUE(loaded.ok()) << config::to_text(loaded.diagnostics);
    config_ = loaded.config;
    routes_.emplace(*config_);
  }

  Explanation offline(const ExplainRequest& request) { return explained(request, nullptr, nullptr); }
  Explanation live(const ExplainRequest& request) { return explained(request, &store_, &shared_); }
  bool explains(const ExplainRequest& request) {
    return explain(request, {*config_, *routes_, &store_, &shared_, clock_.now()}).has_value();
  }

  /// Stores a response to this request, as a fetch would.
  void keep(const Asked& asked, const FieldList& response, const std::string& body = "body") {
    const auto fields = fields_of(asked.fields);
    const auto method = http::method_of(asked.method);
    const auto slash = asked.url.find('/', 7);
    const auto target = asked.url.substr(slash);
    const http::RequestView request{method, asked.method, target, http::Version::Http11, fields.view()};
    Reading reading;
    ASSERT_TRUE(reading.target.read(method, target));
    ASSERT_TRUE(read_host(asked.url.substr(7, slash - 7), {}, false, "http", reading));
    read_route(*routes_, request, asked.content.has_value(), reading);
    ASSERT_EQ(reading.reason, rules::Reason::None);
    cache::Key key;
    ASSERT_EQ(build_key(reading, request, asked.content, shared_.persisted, key), rules::Reason::None);
    const auto head_fields = fields_of(response);
    const http::ResponseView head{200, http::Version::Http11, head_fields.view()};
    const auto& route = *reading.route;
    const auto verdict = rules::judge(reading.facts, head, route.policy, {clock_.now(), clock_.now()}, true, 0);
    ASSERT_TRUE(verdict.storable()) << rules::to_string(verdict.reason);
    const auto vary = rules::read_vary(head_fields);
    kept_key_ = key;
    cache::EntryParts parts;
    parts.head = {200, {}, head_fields.view()};
    parts.body = {Chunk::copy_of(body)->slice()};
    parts.key_text = key.text();
    parts.origin = gave_;
    kept_ = store_.private_ticket(key)
                .commit(parts, verdict.freshness, vary, cache::Unchanged(fields), route.policy, route.key.fingerprint,
                        clock_.now().mono)
                .entry;
    ASSERT_TRUE(kept_);
  }

  cache::Key kept_key_;        ///< Of what was kept last.
  std::string gave_ = "main";  ///< The origin of what is kept.
  ManualClock clock_;
  config::ConfigPtr config_;
  std::optional<config::RouteTable> routes_;
  cache::Store store_{{16 * 1024 * 1024, 2}};
  Ref<const cache::Entry> kept_;  ///< What was kept last; it uses the memory of the store.
  CounterRegistry counters_{1, {1'000'000}, 10};
  Shared shared_{store_, counters_, "0123", false, cache::PersistedQueries(), cache::SearchRules()};

 private:
  Explanation explained(const ExplainRequest& request, const cache::Store* store, Shared* shared) {
    auto result = explain(request, {*config_, *routes_, store, shared, clock_.now()});
    EXPECT_TRUE(result) << request.url;
    return result ? std::move(*result) : Explanation{};
  }
};

}  // namespace forebay::proxy
