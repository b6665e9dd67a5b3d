#include <array>
#include <utility>

#include "content/inflater.hpp"
#include "forebay/content/coding.hpp"

namespace forebay::content {
namespace {

constexpr std::size_t kMaxCodings = 3;
constexpr std::size_t kBetween = 4 * 1024;

}  // namespace

struct TransferDecoder::Stage {
  std::unique_ptr<Inflater> inflater;
  std::array<char, kBetween> buffer;  // NOLINT: written before it is read; what the stage before it has made
  std::string_view pending;           // of the buffer
};

TransferDecoder::TransferDecoder() = default;
TransferDecoder::TransferDecoder(TransferDecoder&&) noexcept = default;
TransferDecoder& TransferDecoder::operator=(TransferDecoder&&) noexcept = default;
TransferDecoder::~TransferDecoder() = default;

Result<TransferDecoder> TransferDecoder::make(std::span<const std::string_view> codings) {
  if (codings.size() > kMaxCodings) return Errc::Unsupported;
  TransferDecoder decoder;
  for (auto coding = codings.rbegin(); coding != codings.rend(); ++coding) {
    const auto kind = coding_of(*coding);
    if (kind != Coding::Gzip && kind != Coding::Deflate) return Errc::Unsupported;
    auto stage = std::make_unique<Stage>();
    stage->inflater = make_inflater(kind);
    if (!stage->inflater) return Errc::OutOfMemory;
    decoder.stages_.push_back(std::move(stage));
  }
  return decoder;
}

Result<std::size_t> TransferDecoder::step(std::string_view& in, char* out, std::size_t room) {
  if (!stages_.empty()) return pull(stages_.size() - 1, in, out, room);
  const auto n = in.copy(out, room);
  in.remove_prefix(n);
  return n;
}

// The output of one stage, fed by the stage before it. An inflater that has filled its output may have more without
// further input, so it is called before it is fed.
Result<std::size_t> TransferDecoder::pull(std::size_t stage, std::string_view& in, char* out, std::size_t room) {
  Stage& s = *stages_[stage];
  std::string_view& source = stage == 0 ? in : s.pending;
  std::size_t made = 0;
  while (true) {
    const auto some = s.inflater->step(source, out + made, room - made);
    if (!some) return some;
    made += *some;
    if (made == room || stage == 0) return made;
    const auto fed = pull(stage - 1, in, s.buffer.data(), s.buffer.size());
    if (!fed) return fed;
    if (*fed == 0) return made;
    s.pending = {s.buffer.data(), *fed};
  }
}

bool TransferDecoder::finished() const noexcept {
  for (const auto& s : stages_)
    if (!s->inflater->finished() || !s->pending.empty()) return false;
  return true;
}

}  // namespace forebay::content
