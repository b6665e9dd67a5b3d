#include "server/output.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/container/static_vector.hpp>

namespace forebay::server {

namespace {
constexpr std::size_t kMostParts = 32;
// A buffer that a burst has made larger than this is not kept.
constexpr std::size_t kKeptCapacity = 128 * 1024;
}  // namespace

void Output::add(Slice slice) {
  slice_bytes_ += slice.bytes.size();
  slices_.push_back(std::move(slice));
}

void Output::reset() noexcept {
  sent_ = slice_bytes_ = 0;
  slices_.clear();
  tail_.clear();
  if (text_.capacity() > kKeptCapacity) {
    std::string().swap(text_);
  } else {
    text_.clear();
  }
}

Output::State Output::write(net::Socket& socket) {
  while (!empty()) {
    const State state = slices_.empty() ? write_text(socket) : write_gathered(socket);
    if (state != State::Drained) return state;
  }
  return State::Drained;
}

Output::State Output::write_text(net::Socket& socket) {
  const std::string_view rest = std::string_view(text_).substr(sent_);
  boost::system::error_code error;
  const std::size_t n = socket.write_some(boost::asio::buffer(rest.data(), rest.size()), error);
  return after(rest.size(), n, error);
}

Output::State Output::write_gathered(net::Socket& socket) {
  boost::container::static_vector<boost::asio::const_buffer, kMostParts> parts;
  std::size_t skip = sent_, asked = 0;
  const auto part = [&](std::string_view bytes) {
    const std::size_t skipped = std::min(skip, bytes.size());
    skip -= skipped;
    bytes.remove_prefix(skipped);
    if (bytes.empty() || parts.size() == kMostParts) return;
    asked += bytes.size();
    parts.emplace_back(bytes.data(), bytes.size());
  };
  part(text_);
  for (const Slice& s : slices_) part(s.bytes);
  part(tail_);
  boost::system::error_code error;
  const std::size_t n = socket.write_some(parts, error);
  return after(asked, n, error);
}

Output::State Output::after(std::size_t asked, std::size_t sent, const boost::system::error_code& error) {
  sent_ += sent;
  written_ += sent;
  if (error == boost::asio::error::would_block || error == boost::asio::error::try_again) return State::Blocked;
  if (error && error != boost::asio::error::interrupted) return State::Failed;
  if (empty()) {
    reset();
    return State::Drained;
  }
  // A short write means that the socket is full: asking again would only cost a call.
  return sent < asked && !error ? State::Blocked : State::Drained;
}

std::size_t Output::capacity() const noexcept {
  return text_.capacity() + tail_.capacity() + slices_.capacity() * sizeof(Slice);
}

void Output::release() {
  std::string().swap(text_);
  std::string().swap(tail_);
  std::vector<Slice>().swap(slices_);
}

}  // namespace forebay::server
