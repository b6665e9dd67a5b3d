#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "answer.hpp"
#include "config_checker.hpp"
#include "config_hash.hpp"
#include "forebay/admin/metrics.hpp"
#include "forebay/admin/status.hpp"
#include "log_override.hpp"
#include "stats.hpp"
#include "streams.hpp"
#include "warming.hpp"

namespace forebay::admin {

/// What the endpoints share. Used by the admin worker only.
struct AdminState {
  Sources sources;
  AdminCounters counters{};
  LogOverride log{};
  ConfigHash hash{};
  Stats stats{sources.counters.bounds()};
  Streams streams{sources.shared.tap};
  unsigned walks = 0;  ///< Listings that take many turns.
  ConfigChecker checker{};
  Warming warming{};
  std::size_t unsent = 0;  ///< Bytes of long answers to operators whose clients have not read them yet.
  Timestamp keys_until{};  ///< Hot keys are being collected, until then at most.
};

/// The means to answer a request later, from any thread. The first answer counts; none is sent when the client has
/// left or the deadline has passed.
class Later {
 public:
  /// A request that waits. Held by the notes of its exchange; used by the admin worker only.
  struct Waiting {
    explicit Waiting(std::function<void()> expired) : deadline(std::move(expired)) {}
    std::function<void(const Answer&)> done;
    net::Deadline deadline;
  };
  /// `change`: the beginning of its audit line.
  Later(net::Worker& worker, std::weak_ptr<Waiting> waiting, std::string change)
      : worker_(&worker), waiting_(std::move(waiting)), change_(std::move(change)) {}
  void answer(Answer answer) const;
  /// Makes the answer on the thread of the admin worker.
  void answer_by(std::function<Answer(const Now&)> make) const;
  /// Whether the client still waits. On the admin worker.
  bool awaited() const noexcept { return !waiting_.expired(); }

 private:
  net::Worker* worker_;
  std::weak_ptr<Waiting> waiting_;
  std::string change_;
};

/// One request that may be answered. Views are valid until its endpoint returns.
struct Call {
  AdminState& admin;
  std::string_view query, captured, content, accept;
  net::Worker& worker;
  /// For an answer that another thread gives; to be called once, by an endpoint that then gives no answer itself.
  const std::function<Later()>& later;
  bool may_change = false;  ///< The client might also use what changes something.
  bool head = false;        ///< Only the head of the answer is sent.

  Now now() const { return worker.now(); }
  /// A problem of this status in the form that the client prefers.
  Answer refuse(int status, std::string_view code, std::string_view title, std::string_view detail) const {
    return problem(status, code, title, detail, accept);
  }
  Answer bad(std::string_view why) const { return refuse(400, "bad_request", "Bad request", why); }
  Answer too_many_streams(std::size_t most) const {
    return refuse(503, "too_many_streams", "Too many streams",
                  "There are " + std::to_string(most) + " readers of this stream already; close one of them.");
  }
};

}  // namespace forebay::admin
