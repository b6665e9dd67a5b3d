#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core.hpp"
#include "fill_body.hpp"
#include "fill_plan.hpp"
#include "forebay/content/graphql.hpp"
#include "forebay/net/source.hpp"
#include "outgoing.hpp"

namespace forebay::proxy {

/// What a fill brings into the store and tells those who follow its flight: under which key and by which route's rules
/// its answer may be stored, and what its head does to what is stored already. `plan.ticket` is settled here.
class Storing {
 public:
  Storing(const PendingRequest& pending, FillPlan& plan);

  /// The key under which the answer would be stored.
  const std::string& key_text() const noexcept { return key_text_; }
  /// Of the answer that is stored, or has freshened what is.
  const rules::Freshness& freshness() const noexcept { return freshness_; }
  const Ref<const cache::PublishedHead>& head() const noexcept { return head_; }

  /// Whether the stored response was selected by all that the Vary of this 304 names, and all that others of its key
  /// have named since it was found. If not, the two requests were not compared by the new names, and a 304 with a tag
  /// that all variants share proves nothing.
  bool knows_names_of(const http::ResponseView& head) const;
  /// What is stored has the fields of this 304 from now on. Gives what followers and the client are served: the verdict
  /// over the whole, and whether it was stored.
  struct Freshened {
    rules::Storability verdict;
    bool stored = false;
    Ref<const cache::Entry> entry{};  ///< The freshened one, if it was stored.
  };
  Freshened freshen(const http::ResponseView& head, const rules::ExchangeTimes& times, const Ref<http::Body>& body);

  /// A head has come, from the origin of this name.
  void begin(std::string_view origin, const http::ResponseView& head, const rules::ExchangeTimes& times);
  /// Before what another head than an expected 304 makes stale is purged: that must not keep the answer itself from
  /// being stored, but any other purge since the request was sent must.
  void before_effects(const http::ResponseView& head);
  /// Such a head: freshens by a HEAD's answer, and finds the key that the answer belongs to. `orders`: so many orders
  /// to purge the head has caused.
  void read_head(const http::ResponseView& head, http::Method asked_by, const rules::ExchangeTimes& times,
                 std::size_t orders);
  /// Whether the answer may be stored. Not without a ticket.
  rules::Storability judge(const http::ResponseView& head, const net::Sink::HeadFacts& facts,
                           const rules::ExchangeTimes& times) const;
  /// Whether the status is in `stale.errors`.
  bool is_error(int status) const;

  /// It will be stored: `body` is published for those who follow. `other`: a 304 was about another response.
  void land(const http::ResponseView& head, const rules::Storability& verdict, bool other, const Ref<http::Body>& body,
            std::optional<std::uint64_t> length);
  /// Whether the client may be told that it is stored.
  bool may_commit() const { return !graphql_ && storing_ticket().may_commit(); }
  /// Fields that are stored under no circumstances and are no client's either.
  std::vector<std::string> hidden_fields() const;
  /// Memory for content that is kept, an empty Charge where it outgrows what may be stored.
  Charge take(std::string_view bytes, std::uint64_t length);
  /// No more is kept. Nobody can join from now on.
  void outgrow();
  /// The body is whole. Gives the entry that was made, null where it was refused.
  Ref<const cache::Entry> commit(const http::Body& body, Duration fetch_time);

  /// It will not be stored: those who follow are told, and what is stored goes where this answer replaces it.
  void refuse(const http::ResponseView& head, rules::Reason reason, bool by_request);
  /// Those who follow have the failure.
  void fail(cache::Failure failure);
  void fail(const http::ResponseView& head);
  void drop();

  /// Counts, and tells the line of the log, which is not written yet.
  void note_not_stored(rules::Reason reason) const;
  void count_not_stored(rules::Reason reason) const;
  void count_refresh(Revalidated outcome) const;

 private:
  /// The GET that the response to a POST answers too.
  struct AsGet {
    const RouteState* route;
    rules::RequestFacts facts;
    cache::Key key;
    std::uint64_t checked;  // the number of orders to purge up to which none names it
  };

  const rules::Policy& policy() const { return route_->route->policy; }
  OriginSelecting selecting() const { return OriginSelecting(origin_request(pending_, true)); }
  const cache::Ticket& storing_ticket() const noexcept { return elsewhere_ ? elsewhere_ : plan_.ticket; }
  Timestamp no_queue_until() const { return core_.now().mono + policy().pass_memory; }
  cache::RefreshPause pause() const;
  bool brings_credential() const;
  bool outgrew_lately() const noexcept;
  Ref<const cache::PublishedHead> to_keep(const http::ResponseView& head, const std::vector<std::string>& drop,
                                          WallTime received) const;
  /// Tags and groups of a response with these fields.
  std::vector<std::string> tag_names(http::FieldsView response) const;
  std::vector<std::string> tag_names(const config::Route& route, http::FieldsView response,
                                     std::uint64_t& dropped) const;
  void publish(const rules::Storability& verdict, const Ref<http::Body>& body, std::optional<std::uint64_t> length);
  void refuse_followers(rules::Reason reason, bool by_request, int status);
  void note_vary(const http::ResponseView& head) const;
  void apply_head(const http::ResponseView& head, const rules::ExchangeTimes& times) const;
  void adopt_search_key(const http::ResponseView& head);
  void adopt_get_key(std::size_t orders);

  Core& core_;
  const PendingRequest& pending_;
  FillPlan& plan_;
  const RouteState* route_;    // of the key under which the answer would be stored
  rules::RequestFacts facts_;  // as seen by storability
  std::string key_text_, origin_;
  cache::Ticket elsewhere_;  // for a key other than the flight's, under which the answer is stored
  std::unique_ptr<const AsGet> as_get_;
  std::unique_ptr<content::GraphqlAnswer> graphql_;
  Ref<const cache::PublishedHead> head_;
  rules::Freshness freshness_;
  rules::VaryList vary_;
  std::vector<std::string> tags_;
  std::size_t charged_ = 0;
  const std::uint64_t begun_;   // the number of orders to purge at the beginning
  const bool wanted_anew_;      // by the client alone: what is stored is fresh
  Duration retry_after_{0};     // as the answer says
  bool error_covered_ = false;  // by stale-if-error
};

}  // namespace forebay::proxy
