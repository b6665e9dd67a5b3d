#include "early_hints.hpp"

#include "forebay/rules/early_hints.hpp"
#include "forebay/rules/reuse.hpp"
#include "outgoing.hpp"

namespace forebay::proxy {
namespace {

constexpr int kEarlyHints = 103;
const rules::Policy kNoPolicy;  // of requests without a route

const rules::Policy& policy_of(const PendingRequest& pending) {
  return pending.route->route ? pending.policy() : kNoPolicy;
}

void count(const PendingRequest& pending, HintsFrom from) {
  pending.route->counters->early_hints[static_cast<std::size_t>(from)].add();
}

}  // namespace

void pass_on_interim(const PendingRequest& pending, const http::ResponseView& head) {
  if (!pending.wanted()) return;
  const bool hints = head.status == kEarlyHints;
  if (hints && !rules::takes_early_hints(pending.request, policy_of(pending))) return;
  auto fields = end_to_end_interim(pending, head);
  pending.exchange->interim(head.status, fields);
  if (hints) count(pending, HintsFrom::Origin);
}

void replay_hints(const PendingRequest& pending, const cache::Stored& stored) {
  if (!stored.entry || !pending.wanted() || !pending.route->route) return;
  const auto& policy = pending.policy();
  if (!rules::takes_replayed_hints(pending.request, policy)) return;
  // Only what this client might get as a whole, and nothing of what a purge has removed.
  if (stored.freshness.purged ||
      rules::may_reuse(stored.freshness, pending.facts(), policy, pending.core.now().mono) == rules::Reuse::NotForThis)
    return;
  http::Fields stated;
  for (const auto& f : stored.entry->head().fields)
    if (f.id == http::FieldId::Link) stated.add(f.name, f.value);
  apply(pending.route->route->response_headers, stated);
  http::Fields hints;
  for (const auto link : rules::early_links(stated)) hints.add(http::FieldId::Link, link);
  if (hints.view().empty()) return;
  pending.exchange->interim(kEarlyHints, hints);
  count(pending, HintsFrom::Cache);
}

}  // namespace forebay::proxy
