#pragma once

#include <string_view>

#include "content.hpp"
#include "core.hpp"

namespace forebay::proxy {

/// A request before routing, with target and host in the worker's `reading`. Borrowed.
struct Arrival {
  const server::ExchangePtr& exchange;
  const http::RequestView& request;
  const WorkerRuntimePtr& runtime;
  std::string_view request_id;  ///< Empty: none is used.
  bool trusted = false;         ///< Its peer is a trusted proxy.
};

/// Finds its route, reading the content first if needed, and handles it there.
void go_to_route(Core& core, const Arrival& arrival);
/// The same for a waiting request whose content has been read for its route.
void go_on_to_route(Core& core, const StoryPtr& story, std::string_view content, Gathered outcome);

}  // namespace forebay::proxy
