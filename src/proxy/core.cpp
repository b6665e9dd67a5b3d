#include "core.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "outcome.hpp"

namespace forebay::proxy {
namespace {

/// Memory of a waiting request: its head, with the target twice and a key, and fixed overhead.
std::size_t cost_of(const PendingRequest& pending) noexcept {
  constexpr std::size_t kAround = 2048;  // its task, its table entries, and the state of its connection
  std::size_t n = sizeof(PendingRequest) + kAround + 2 * pending.target.size() + pending.key_text().size();
  for (const auto& f : pending.request.fields) n += sizeof(http::Field) + f.name.size() + f.value.size();
  return n;
}

}  // namespace

void PendingRequest::keep() {
  if (std::exchange(kept, true)) return;
  own_ = http::Request(request);
  cache::Key exact(key);
  std::swap(key, exact);
  core.leave_buffer(std::move(exact));
  const auto raw = std::exchange(request, own_.view()).target;
  reading.rebase(raw, request.target);
  auto& text = own_.fields();
  peer = text.keep(peer);
  request_id = text.keep(request_id.empty() ? core.make_request_id() : request_id);
  note_request_id(notes(), request_id);
  target = reading.target.path();
  if (const auto query = reading.target.query()) target = text.keep(std::string(target).append("?").append(*query));
  charge = core.shared.store.reserve(cost_of(*this));
}

void PendingRequest::keep_content() {
  if (read == ReadContent::State::Unread || content) return;
  content_whole = read == ReadContent::State::Whole;
  // What slow clients sent beyond their share of the memory is not whole, and evicts nothing.
  auto& store = core.shared.store;
  const auto cost = Chunk::cost(bytes.size());
  Charge taken;
  if (content_whole)
    taken = store.reserve(cost);
  else if (store.budget().try_take(cost))
    taken = Charge(store.budget(), cost);
  content = Chunk::copy_of(bytes, std::move(taken));
  std::string().swap(bytes);
}

PendingRequestPtr Core::take(const server::ExchangePtr& exchange) {
  auto& notes = notes_of(*exchange);
  notes.runtime = runtime;
  notes.route = &runtime->none;
  auto pending = std::move(spare_);
  if (!pending) {
    pending = std::make_shared<PendingRequest>(*this);
    pending->key = std::move(spare_key_);
  }
  pending->exchange = exchange;
  pending->runtime = runtime;
  pending->route = &runtime->none;
  pending->request = exchange->request();
  pending->peer = exchange->peer().address;
  pending->has_content = exchange->has_body();
  return pending;
}

/// A kept request belongs to its tasks.
void Core::give_back(PendingRequestPtr pending) {
  if (pending->kept) return;
  pending->exchange.reset();
  pending->runtime.reset();
  pending->bytes.clear();
  pending->read = ReadContent::State::Unread;
  pending->reading.awaits_content = false;
  pending->keyed = pending->searched = false;
  pending->tunnel = {};
  spare_ = std::move(pending);
}

double Core::exponential() noexcept { return -std::log(1.0 - random()); }

Duration Core::drain_delay() noexcept {
  constexpr Duration kMost = std::chrono::seconds{5};
  const auto most = std::min(kMost, runtime->config().shutdown.drain / 4);
  return Duration(static_cast<Duration::rep>(random() * static_cast<double>(most.count())));
}

std::string Core::make_request_id() {
  const auto first = random_number();
  return to_hex(Digest{first, random_number()});
}

}  // namespace forebay::proxy
