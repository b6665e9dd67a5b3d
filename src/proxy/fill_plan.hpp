#pragma once

#include "forebay/cache/store.hpp"
#include "forebay/rules/cache_status.hpp"

namespace forebay::proxy {

/// How a fill came about; decides who hears of it and what may be kept.
struct FillPlan {
  cache::Ticket ticket;       ///< Empty: nothing is stored.
  cache::Stored stored;       ///< To validate, or to fall back on.
  rules::CacheStatus status;  ///< The status of the response, as far as known: result, forward, reason.
  bool background = false;    ///< No client waits for it.
  bool shared = false;        ///< A flight: the client's range and conditions are not sent.
  bool validate = true;       ///< Send the store's validators.
  bool by_get = false;        ///< The client sent a HEAD, and the origin gets a GET, for the store.

  /// Whether it is for what is stored already, with validators or without.
  bool refreshing() const noexcept { return stored.entry && ticket; }
};

}  // namespace forebay::proxy
