#pragma once

#include <string_view>

#include "content.hpp"
#include "core.hpp"

namespace forebay::proxy {

/// A request whose target and host stand in the worker's `reading`, on its way to its route. Borrowed.
struct Arrival {
  const server::ExchangePtr& exchange;
  const http::RequestView& request;
  const WorkerRuntimePtr& runtime;
  std::string_view request_id;  ///< Empty: it brought none that is taken.
  bool trusted = false;         ///< Its peer is a trusted proxy.
};

/// Finds its route, for which the content may have to be read first, and what becomes of it there.
void go_to_route(Core& core, const Arrival& arrival);
/// The same for a story whose content has been read, for its route, as far as it will be.
void go_on_to_route(Core& core, const StoryPtr& story, std::string_view content, Gathered outcome);

}  // namespace forebay::proxy
