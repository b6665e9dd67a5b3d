#include "core.hpp"

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
  content = Chunk::copy_of(bytes, core.shared.store.reserve(Chunk::cost(bytes.size())));
  content_whole = read == ReadContent::State::Whole;
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
  spare_ = std::move(pending);
}

double Core::random() noexcept {
  // xorshift64*: sufficient for jitter.
  if (random_state_ == 0)
    random_state_ = static_cast<std::uint64_t>(now().wall.time_since_epoch().count()) * 0x9e3779b97f4a7c15ull | 1;
  random_state_ ^= random_state_ >> 12;
  random_state_ ^= random_state_ << 25;
  random_state_ ^= random_state_ >> 27;
  return static_cast<double>((random_state_ * 0x2545f4914f6cdd1dull) >> 11) * 0x1.0p-53;
}

double Core::exponential() noexcept { return -std::log(1.0 - random()); }

std::string Core::make_request_id() {
  const auto half = [this] {
    random();
    return random_state_ * 0x2545f4914f6cdd1dull;
  };
  const auto first = half();
  return to_hex({first, half()});
}

}  // namespace forebay::proxy
