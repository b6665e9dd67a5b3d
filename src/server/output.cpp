#include "server/output.hpp"

#include <algorithm>
#include <boost/container/static_vector.hpp>

namespace forebay::server {

namespace {
constexpr std::size_t kMostParts = 32;
// A buffer that a burst has made larger than this is not kept.
constexpr std::size_t kKeptCapacity = 128 * 1024;
}  // namespace

void Output::add(Slice slice) {
  slice_bytes_ += slice.bytes.size();
  slices_.push_back({std::move(slice), text_.size()});
}

void Output::reset() noexcept {
  sent_ = slice_bytes_ = 0;
  slices_.clear();
  if (text_.capacity() > kKeptCapacity) {
    std::string().swap(text_);
  } else {
    text_.clear();
  }
}

net::IoResult Output::write(net::Stream& stream) {
  while (!empty()) {
    const net::IoResult done =
        slices_.empty() ? stream.write_some(std::string_view(text_).substr(sent_)) : write_gathered(stream);
    sent_ += done.bytes;
    written_ += done.bytes;
    if (empty()) break;
    if (done.state != net::Io::Done) return done;
  }
  reset();
  return {};
}

net::IoResult Output::write_gathered(net::Stream& stream) const {
  boost::container::static_vector<std::string_view, kMostParts> parts;
  std::size_t skip = sent_;
  const auto part = [&](std::string_view bytes) {
    const std::size_t skipped = std::min(skip, bytes.size());
    skip -= skipped;
    bytes.remove_prefix(skipped);
    if (!bytes.empty() && parts.size() != kMostParts) parts.push_back(bytes);
  };
  const std::string_view text = text_;
  std::size_t at = 0;
  for (const Placed& placed : slices_) {
    part(text.substr(at, placed.at - at));
    part(placed.slice.bytes);
    at = placed.at;
    if (parts.size() == kMostParts) break;
  }
  part(text.substr(at));
  return stream.write_some(std::span<const std::string_view>(parts.data(), parts.size()));
}

bool Output::pins() const {
  return std::any_of(slices_.begin(), slices_.end(),
                     [](const Placed& p) { return p.slice.owner && p.slice.owner->left(); });
}

std::size_t Output::capacity() const noexcept { return text_.capacity() + slices_.capacity() * sizeof(Placed); }

void Output::release() {
  std::string().swap(text_);
  std::vector<Placed>().swap(slices_);
}

}  // namespace forebay::server
