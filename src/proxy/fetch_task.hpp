#pragma once

#include <optional>
#include <string>
#include <vector>

#include "content.hpp"
#include "core.hpp"
#include "forebay/content/graphql.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/upstream/origin.hpp"
#include "outgoing.hpp"

namespace forebay::proxy {

/// What a body that is not kept may hold between an origin and a slow client.
inline constexpr std::size_t kPassWindow = 64 * 1024;

/// How a fetch came about; decides who hears of it and what may be kept.
struct FetchPlan {
  cache::Ticket ticket;       ///< Empty: nothing is stored.
  cache::Stored stored;       ///< To validate, or to fall back on.
  rules::CacheStatus status;  ///< What the answer will say, as far as it is known: result, forward, reason.
  bool background = false;    ///< No client waits for it.
  bool shared = false;        ///< A flight: the client's range and conditions stay at home.
  bool validate = true;       ///< Send the store's validators.
  bool by_get = false;        ///< Its client asks by HEAD, and the origin is asked by GET, for the store.
};

/// One fetch from an origin, from its request to the end of its body: judges the answer, feeds the flight and the
/// client that caused it, and brings the response into the store (the steps 7 and 9 of docs/architecture.md). A pass
/// goes the same way with nobody following.
class FetchTask final : public Task, public upstream::FetchSink, private upstream::RequestHead {
 public:
  FetchTask(Core& core, StoryPtr story, FetchPlan plan);
  ~FetchTask() override;
  void start();

  void end() override;
  bool background() const override { return !story_->wanted(); }

  void on_interim(const http::ResponseView& head) override;
  void on_head(const http::ResponseView& head, const HeadFacts& facts) override;
  bool on_data(std::string_view bytes) override;
  bool drop_slowest() override;
  bool take_more(std::size_t bytes) override;
  void on_end(const http::Fields& trailers) override;
  bool wants_retry() override;
  void on_failure(upstream::FetchError error, std::string_view detail) override;

 private:
  /// Whether it is a fetch for what is stored already, with validators or without.
  bool refreshing() const noexcept { return plan_.stored.entry && plan_.ticket; }
  /// By which the origin is asked.
  http::Method method() const noexcept { return plan_.by_get ? http::Method::Get : story_->view().method; }
  bool for_head() const noexcept { return story_->view().method == http::Method::Head; }
  void send();
  void compose(std::string& target, http::Fields& fields) override;
  void trim(http::Fields& trailers) override;
  void note_origin(int status);
  void client_gone();
  void space_free();
  void stalled();
  bool wait_for_space();
  void finish();
  void fail(upstream::FetchError error, std::string_view detail);
  void stop();
  void give_up() noexcept override;

  void not_modified(const http::ResponseView& head);
  void use_freshened(const http::ResponseView& head);
  bool validators_fail(http::FieldsView fields) const;
  void own_answer(rules::Reason reason, bool by_request, int status);
  bool knows_names_of(const http::ResponseView& head) const;
  /// The head as it is kept: without what is not stored, and with what goes no further beside it.
  Ref<const cache::PublishedHead> to_keep(const http::ResponseView& head, const std::vector<std::string>& drop,
                                          WallTime received) const;
  OriginSelecting selecting() const { return OriginSelecting(origin_request(core_, *story_, true)); }
  bool origin_failed(const http::ResponseView& head);
  bool try_stale(int status);
  void serve_stale(int status);
  void fail_with(const http::ResponseView& head);
  void judge(const http::ResponseView& head, const HeadFacts& facts);
  void keep_going_as_pass(const http::ResponseView& head, const HeadFacts& facts, rules::Reason reason,
                          bool by_request);
  void answer_client(const http::Fields& fields, int status, const HeadFacts& facts, bool stored);
  void note_vary(const http::ResponseView& head);
  void apply_head_answer(const http::ResponseView& head);
  void adopt_get_key(const http::ResponseView& head);
  void adopt_search_key(const http::ResponseView& head);
  bool repeat_with_range(int status, rules::Reason reason);
  void outgrow();
  void commit();
  void count_not_stored(rules::Reason reason);
  void tell_not_stored(rules::Reason reason);
  cache::Ticket& storing_ticket() noexcept { return elsewhere_ ? elsewhere_ : plan_.ticket; }
  void count_revalidation(Revalidated outcome);
  void give_way(cache::Failure failure);
  void fail_client(const cache::Failure& failure, upstream::FetchError error);
  Timestamp no_refresh_until() const;
  bool outgrew_lately() const noexcept;
  Timestamp no_queue_until() const { return core_.now().mono + store_policy().pass_memory; }
  const rules::Policy& store_policy() const { return store_route_->route->policy; }
  rules::ExchangeTimes times() const;

  Core& core_;
  StoryPtr story_;
  FetchPlan plan_;
  const RouteState* store_route_;  // of the key under which the answer would be stored
  rules::RequestFacts facts_;      // as seen by storability
  std::string key_text_;
  cache::Ticket elsewhere_;  // for a key other than the flight's, under which the answer is stored
  std::optional<KeptSource> content_;
  std::unique_ptr<content::GraphqlAnswer> graphql_;
  upstream::FetchPtr fetch_;
  Ref<http::Body> body_;
  Ref<const cache::PublishedHead> head_;
  rules::Freshness freshness_;
  rules::VaryList vary_;
  int status_ = 0;
  bool storing_ = false;
  bool started_ = false;
  bool windowed_ = false;
  bool done_ = false;
  bool repeated_ = false;
  bool gives_way_ = false;
  bool unselected_ = false;  // a 304 spoke of another response than the one asked about
  std::size_t charged_ = 0;
  Charge read_on_;  // for content that its client does not take, so that others get the connection
  bool expect_304_ = false;
  Now requested_;
  Watch<FetchTask> gone_{*this, &FetchTask::client_gone};
  Watch<FetchTask> space_{*this, &FetchTask::space_free};
  net::Deadline patience_;
};

}  // namespace forebay::proxy
