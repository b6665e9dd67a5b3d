#include "forebay/content/coding.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "content/inflater.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"

namespace forebay::content {
namespace {

constexpr std::size_t kMaxCodings = 3;
constexpr std::size_t kStep = 16 * 1024;

// The codings of a field in the order in which they were applied, identity left out.
struct Codings {
  std::array<Coding, kMaxCodings> each{};
  std::size_t count = 0;
  bool known = true;
};

Codings codings_of(std::string_view content_encoding) noexcept {
  Codings codings;
  http::for_each_member(content_encoding, [&codings](std::string_view name) {
    const Coding coding = coding_of(name);
    if (coding == Coding::Identity) return;
    if (coding == Coding::Unknown || codings.count == kMaxCodings)
      codings.known = false;
    else
      codings.each[codings.count++] = coding;
  });
  return codings;
}

// Gives all that comes out of `in` to `out`, of which `total` bytes have come out before.
Result<void> inflate_all(Inflater& inflater, std::string_view in, std::size_t limit, std::size_t& total,
                         std::string& out) {
  while (true) {
    const std::size_t left = limit - total;
    // One byte more than there may be tells whether there is more.
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

Result<void> undo(Coding coding, std::string_view content, std::size_t limit, std::string& out) {
  const auto inflater = make_inflater(coding);
  if (!inflater) return Errc::OutOfMemory;
  std::size_t total = 0;
  if (auto done = inflate_all(*inflater, content, limit, total, out); !done) return done;
  if (!inflater->finished()) return Errc::Malformed;
  return {};
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
  const Codings codings = codings_of(content_encoding);
  if (!codings.known || codings.count > 1) return Coding::Unknown;
  return codings.count == 0 ? Coding::Identity : codings.each[0];
}

std::unique_ptr<Inflater> make_inflater(Coding coding) {
  switch (coding) {
    case Coding::Gzip:
      return make_zlib_inflater(true);
    case Coding::Deflate:
      return make_zlib_inflater(false);
    case Coding::Brotli:
      return make_brotli_inflater();
    case Coding::Zstd:
      return make_zstd_inflater();
    case Coding::Identity:
    case Coding::Unknown:
      break;
  }
  return nullptr;
}

bool can_decode(std::string_view content_encoding) noexcept { return codings_of(content_encoding).known; }

Result<void> decode(std::string_view content_encoding, std::string_view content, std::size_t limit, std::string& out) {
  const Codings codings = codings_of(content_encoding);
  out.clear();
  if (!codings.known) return Errc::Unsupported;
  if (codings.count == 0) {
    if (content.size() > limit) return Errc::TooLarge;
    out.assign(content);
    return {};
  }
  // The last one applied is the first one undone.
  std::string between;
  for (std::size_t i = codings.count; i-- > 0;) {
    if (i + 1 < codings.count) {
      between.swap(out);
      out.clear();
    }
    const std::string_view in = i + 1 < codings.count ? std::string_view(between) : content;
    if (auto done = undo(codings.each[i], in, limit, out); !done) return done;
  }
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
