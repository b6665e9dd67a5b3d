#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core.hpp"
#include "fill_plan.hpp"
#include "forebay/cache/purge_run.hpp"
#include "forebay/net/source.hpp"
#include "forebay/rules/tag_template.hpp"
#include "held_answer.hpp"

namespace forebay::proxy {

/// Whether the request can invalidate by `invalidates` of its route: its method is not safe, and the route does not
/// declare it a read. `not_looked_up`: why it was not looked up, if so.
bool may_invalidate(const PendingRequest& pending, rules::Reason not_looked_up);
/// The same, by parts of the request's content, which is read first then.
bool needs_content_of_write(const PendingRequest& pending, rules::Reason not_looked_up);

/// What the outcome of a request makes stale: by its URL (RFC 9111 section 4.4), by `invalidates` of its route, and by
/// Cache-Group-Invalidation (RFC 9875). All before anything of the answer goes to the client. What takes long is left
/// to the purger, and the answer waits for it.
class WriteEffects {
 public:
  WriteEffects(PendingRequest& pending, const FillPlan& plan) : pending_(pending), plan_(plan) {}

  /// The source to start in place of this one, if the request can make anything stale: its head comes when what it
  /// makes stale is purged, and after the content where tags have parts of that. `first` is called before that. Lives
  /// as long as the source is not cancelled.
  net::SourcePtr hold(net::SourcePtr source, std::function<void(const http::ResponseView&)> first);
  /// The number of orders to purge that the head has caused.
  std::size_t orders() const noexcept { return orders_; }
  /// It ends without a head: where the origin may have seen the request (`asked`), it may have taken effect. After a
  /// head this does nothing.
  void on_failure(net::FetchError error, bool asked);

 private:
  rules::Reason not_looked_up() const noexcept { return pending_.keyed ? rules::Reason::None : plan_.status.reason; }
  HeldAnswer::Rules holds_content() const;
  /// A head has come. `repeated`: the request was sent before, and that one may have taken effect, whatever the status
  /// of this answer is: a DELETE that is repeated may get a 404.
  void apply(const http::ResponseView& head, bool repeated);
  void by_resources(const http::ResponseView& head);
  /// `head`: null where the outcome is not known; then the responses of the URL too. `by_route`: whether a tag that
  /// cannot be told stands for all responses of the routes that may have it; a client that sends half a request must
  /// not cause that.
  void by_tags(const http::ResponseView* head, cache::PurgeMode mode, bool by_route = true);
  void by_groups(const http::ResponseView& head);
  void carry_out(cache::PurgeOrder order);
  /// Of a process that was replaced: its successor may have stored what this makes stale, and drops all.
  void tell_successor();
  /// What is to be waited for; null: nothing.
  PurgeEndPtr leave_the_rest();
  const PurgeEndPtr& end();
  rules::TagContent request_content(std::string& buffer) const;
  rules::TagContent answer_content(const http::ResponseView& head, std::string& buffer) const;

  PendingRequest& pending_;
  const FillPlan& plan_;
  std::weak_ptr<HeldAnswer> held_;
  std::size_t orders_ = 0;
  std::vector<cache::PurgeRun> begun_;  // and not complete
  PurgeEndPtr end_;                     // of what is left to the purger
  bool purges_ = false;                 // anything
  bool settled_ = false;                // all that has to be invalidated is
};

}  // namespace forebay::proxy
