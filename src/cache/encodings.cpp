#include "forebay/cache/encodings.hpp"

namespace forebay::cache {

EncodedBody::EncodedBody(std::vector<Ref<const Chunk>> chunks) : chunks_(std::move(chunks)) {
  pieces_.reserve(chunks_.size());
  for (const auto& chunk : chunks_) {
    pieces_.push_back(chunk->bytes());
    length_ += chunk->bytes().size();
    cost_ += Chunk::cost(chunk->bytes().size());
  }
  cost_ += allocated_size(sizeof(EncodedBody)) +
           allocated_size(chunks_.capacity() * sizeof(decltype(chunks_)::value_type)) +
           allocated_size(pieces_.capacity() * sizeof(decltype(pieces_)::value_type));
}

void EncodedBody::take_charge(Charge charge, Ref<EncodedNumbers> numbers) noexcept {
  charge_ = std::move(charge);
  numbers_ = std::move(numbers);
  numbers_->bodies_.fetch_add(1, std::memory_order_relaxed);
  numbers_->bytes_.fetch_add(cost_, std::memory_order_relaxed);
}

EncodedBody::~EncodedBody() {
  if (left()) charge_.unpin();
  if (!numbers_) return;
  numbers_->bodies_.fetch_sub(1, std::memory_order_relaxed);
  numbers_->bytes_.fetch_sub(cost_, std::memory_order_relaxed);
}

Encodings::~Encodings() {
  for (const auto& body : bodies_)
    if (body && body->use_count() > 1) body->leave();
}

bool Encodings::begin(content::Compression coding) noexcept {
  State none = State::None;
  return at(coding).compare_exchange_strong(none, State::Making, std::memory_order_acq_rel);
}

void Encodings::publish(content::Compression coding, Ref<const EncodedBody> body) noexcept {
  bytes_.fetch_add(body->cost(), std::memory_order_relaxed);
  bodies_[index(coding)] = std::move(body);
  at(coding).store(State::Made, std::memory_order_release);
}

}  // namespace forebay::cache
