#pragma once

#include <boost/intrusive/list.hpp>

#include "forebay/base/clock.hpp"

namespace forebay::server {

/// An open connection, as its listener sees it.
class Connection : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// Closes if idle, else ends after the current response.
  virtual void drain() = 0;
  /// Closes at once.
  virtual void abort() = 0;
  /// Whether it holds content that the store has dropped, because its client has not read it.
  virtual bool pins() const { return false; }
  /// Since when it waits for its client, which has sent no whole request, or does not read its answer; `max`: it does
  /// not, or it is a stream.
  virtual Timestamp silent_since() const { return Timestamp::max(); }

  // --- of `StalledReaders` ---
  using StallHook = boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;
  StallHook stall;
  Timestamp stalled_since{};

 protected:
  ~Connection() = default;
};

}  // namespace forebay::server
