#include "forebay/content/coding.hpp"

#include <algorithm>
#include <optional>

#include "content/inflater.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"

namespace forebay::content {
namespace {

constexpr std::size_t kStep = 16 * 1024;

// Appends the decoded `in` to `out`; `total` bytes were decoded before.
Result<void> inflate_all(Inflater& inflater, std::string_view in, std::size_t limit, std::size_t& total,
                         std::string& out) {
  while (true) {
    const std::size_t left = limit - total;
    // One byte more than allowed shows whether there is more.
    const std::size_t room = std::min(left, kStep - 1) + 1;
    const std::size_t before = out.size();
    if (out.capacity() - before < room) out.reserve(std::max(before + room, 2 * before));
    out.resize(before + room);
    const auto made = inflater.step(in, out.data() + before, room);
    const std::size_t kept = made ? std::min(*made, left) : 0;
    out.resize(before + kept);
    total += kept;
    if (!made) return made.error();
    if (*made > left) return Errc::TooLarge;
    if (*made < room) return {};
  }
}

// Creating a zlib context costs more than inflating a short text, and it is small: each thread keeps one of each kind.
// Others are put into `made`. Null without memory.
Inflater* ready_inflater(Coding coding, std::unique_ptr<Inflater>& made) {
  if (coding != Coding::Gzip && coding != Coding::Deflate) {
    made = make_inflater(coding);
    return made.get();
  }
  thread_local std::unique_ptr<Inflater> gzip, deflate;
  auto& kept = coding == Coding::Gzip ? gzip : deflate;
  if (!kept || !kept->restart()) kept = make_inflater(coding);
  return kept.get();
}

}  // namespace

Coding coding_of(std::string_view name) noexcept {
  if (http::iequals(name, "gzip") || http::iequals(name, "x-gzip")) return Coding::Gzip;
  if (http::iequals(name, "br")) return Coding::Brotli;
  if (http::iequals(name, "zstd")) return Coding::Zstd;
  if (http::iequals(name, "deflate")) return Coding::Deflate;
  if (http::iequals(name, "identity")) return Coding::Identity;
  return Coding::Unknown;
}

Coding only_coding(std::string_view content_encoding) noexcept {
  auto coding = Coding::Identity;
  http::for_each_member(content_encoding, [&coding](std::string_view name) {
    const auto next = coding_of(name);
    if (next != Coding::Identity) coding = coding == Coding::Identity ? next : Coding::Unknown;
  });
  return coding;
}

std::unique_ptr<Inflater> make_inflater(Coding coding) {
  switch (coding) {
    case Coding::Gzip: return make_zlib_inflater(true);
    case Coding::Deflate: return make_zlib_inflater(false);
    case Coding::Brotli: return make_brotli_inflater();
    case Coding::Zstd: return make_zstd_inflater();
    case Coding::Identity:
    case Coding::Unknown: break;
  }
  return nullptr;
}

Result<void> decode(std::string_view content_encoding, std::string_view content, std::size_t limit, std::string& out) {
  const auto coding = only_coding(content_encoding);
  out.clear();
  if (coding == Coding::Unknown) return Errc::Unsupported;
  if (coding == Coding::Identity) {
    if (content.size() > limit) return Errc::TooLarge;
    out.assign(content);
    return {};
  }
  std::unique_ptr<Inflater> made;
  auto* const inflater = ready_inflater(coding, made);
  if (!inflater) return Errc::OutOfMemory;
  std::size_t total = 0;
  if (auto done = inflate_all(*inflater, content, limit, total, out); !done) return done;
  if (!inflater->finished() || !inflater->single()) return Errc::Malformed;
  return {};
}

struct Decoder::Private {
  Coding coding;
  std::unique_ptr<Inflater> inflater;  // null for identity
  std::size_t total = 0;
  std::optional<Errc> failed;
};

Decoder::Decoder(std::string_view content_encoding) : p_(std::make_unique<Private>()) {
  p_->coding = only_coding(content_encoding);
  p_->inflater = make_inflater(p_->coding);
  if (p_->coding == Coding::Unknown)
    p_->failed = Errc::Unsupported;
  else if (p_->coding != Coding::Identity && !p_->inflater)
    p_->failed = Errc::OutOfMemory;
}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

Result<void> Decoder::feed(std::string_view bytes, std::size_t limit, std::string& out) {
  Private& p = *p_;
  if (p.failed) return *p.failed;
  if (bytes.empty()) return {};
  if (limit < p.total) limit = p.total;
  Result<void> done;
  if (p.inflater) {
    done = inflate_all(*p.inflater, bytes, limit, p.total, out);
  } else if (bytes.size() > limit - p.total) {
    done = Errc::TooLarge;
  } else {
    out.append(bytes);
    p.total += bytes.size();
  }
  if (!done) p.failed = done.error();
  return done;
}

bool Decoder::finished() const noexcept {
  return !p_->failed && (p_->coding == Coding::Identity || p_->inflater->finished());
}

}  // namespace forebay::content
