#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/proxy/explain.hpp"
#include "forebay/proxy/reading.hpp"
#include "forebay/rules/cache_status.hpp"
#include "forebay/rules/tags.hpp"
#include "plan.hpp"

namespace forebay::proxy {

/// One request that is being explained: what explain.cpp finds out and explain_response.cpp judges by.
struct ExplainCase {
  const ExplainRequest& asked;
  const ExplainContext& context;
  Explanation out;

  // The request as received.
  std::string target;
  http::Fields sent;
  std::vector<http::Field> kept;
  http::RequestView request;
  Reading reading;
  cache::PersistedQueries persisted;
  cache::Key key;
  cache::Peek found;
  rules::CacheStatus status;
  bool answers = false;  ///< The route answers by itself; `out.own_status` is no error.

  ExplainCase(const ExplainRequest& a, const ExplainContext& c);

  const config::Route& route() const noexcept { return *reading.route; }
  std::string_view content() const noexcept {
    return asked.content ? std::string_view(*asked.content) : std::string_view();
  }
  ReadContent read_content() const noexcept { return {ReadContent::State::Whole, content()}; }
  /// Where a setting of this route's policy comes from: `routes.search.ttl.default`, or `built-in`.
  static std::string setting(const config::Route& route, std::string_view name);
  void note(std::string sentence) { out.notes.push_back(std::move(sentence)); }
  /// Forebay answers by itself.
  void refuse(int status, std::string why);
  void refuse(const OwnError& error);
  /// Sets the ttl of a stored response.
  void say_ttl(const rules::Freshness& stored);
  std::int64_t ttl_of(const rules::Freshness& stored) const;
  std::int64_t age_of(const rules::Freshness& stored) const;
};

/// The path, and the query where there is one.
std::string whole_target(const http::Target& target);

/// What the given response would become; also sets what the answer would say of it.
void judge_response(ExplainCase& c, const Fetch& plan);

/// Why the content cannot be read as the key wants it; empty where that cannot be told.
std::string unreadable_because(const ExplainCase& c);
/// The same for pointers of `option` (`match.body`, `bypass.body`).
std::string unreadable_because(const ExplainCase& c, std::span<const content::JsonPointer> pointers,
                               std::string_view option);
/// Notes the routes that did not take the request, and why.
void tell_routes(ExplainCase& c);
/// The condition of its route that is unclear for the request; empty if unknown.
std::string unclear_because(const ExplainCase& c);
/// Notes that the key has nothing of the content.
void note_unkeyed_content(ExplainCase& c);

/// Notes in which coding a response with this head is sent, on a route that compresses. `entry`: of what is stored;
/// null: it is not stored yet.
void note_coding(ExplainCase& c, int status, http::FieldsView fields, std::optional<std::uint64_t> length,
                 const cache::Entry* entry);

/// The tags of a response with these fields on this route.
rules::TagList tags_for(const ExplainCase& c, const config::Route& route, http::FieldsView response);
/// Notes what the request makes stale if it succeeds.
void note_invalidated(ExplainCase& c);

}  // namespace forebay::proxy
