#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "forebay/admin/metrics.hpp"
#include "forebay/http/message.hpp"
#include "operators.hpp"

namespace forebay::admin {

struct Answer;
struct Call;

/// One method of one path. Routing, what is allowed, hints and the labels of the metrics come from the table of these.
struct Endpoint {
  http::Method method;    ///< GET is HEAD too.
  std::string_view path;  ///< `{name}` at its end stands for one segment.
  Who who;
  std::string_view label;    ///< Of forebay_admin_requests_total; one for each path.
  std::size_t most_content;  ///< Bytes; 0: the content is not read.
  /// Nothing: the answer comes by `Call::later`.
  std::optional<Answer> (*answer)(const Call& call);
  bool audited = who == Who::Write;  ///< False: it is limited in number like a change, and changes nothing.
};
std::span<const Endpoint> endpoint_table() noexcept;

/// What a method and a path lead to.
struct FoundEndpoint {
  const Endpoint* endpoint = nullptr;  ///< Null: the path has no such method, or there is no such path.
  std::size_t counter = 0;             ///< Index in `AdminCounters::requests`.
  std::string allowed;                 ///< The methods of the path, for Allow; empty: there is no such path.
  Who least = Who::Public;             ///< Who may use any of its methods.
  std::string captured;                ///< What `{name}` stands for, decoded.
};
/// `path` is a normalised one.
FoundEndpoint find_endpoint(http::Method method, std::string_view path);

/// The label of an index in `AdminCounters::requests`; empty where there is none.
std::string_view endpoint_label(std::size_t counter) noexcept;
/// A sentence for a path that does not exist.
std::string path_hint(std::string_view path);

}  // namespace forebay::admin
