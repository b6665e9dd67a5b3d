#include "server/body_writer.hpp"

#include <boost/container/static_vector.hpp>

#include "forebay/http/h1_writer.hpp"

namespace forebay::server {

namespace {
constexpr std::size_t kMostSlices = 24;
constexpr std::size_t kPortion = 512 * 1024;
// Up to here copying costs less than a gathered write, and lets answers share a send.
constexpr std::size_t kCopied = 16 * 1024;
}  // namespace

void BodyWriter::start(http::BodyCursor&& body, Framing framing, std::uint64_t length) {
  framing_ = framing;
  body_.start(std::move(body), framing == Framing::None ? 0 : framing == Framing::Length ? length : UINT64_MAX);
  finished_ = body_.ended();
}

BodyWriter::Step BodyWriter::queue(Output& out, Timestamp now) {
  if (finished_) return Step::Done;
  // For hits: a small body in one piece is copied after its head, without reference counting.
  if (framing_ == Framing::Length) {
    if (const std::string_view whole = body_.whole(kCopied); !whole.empty()) {
      out.text() += whole;
      finished_ = true;
      return Step::Done;
    }
  }

  boost::container::static_vector<Slice, kMostSlices> slices;
  std::size_t bytes = 0;
  const BodyReader::Step read = body_.read(slices, bytes, kPortion, now);
  if (read == BodyReader::Step::Broken) return Step::Broken;

  const bool copied = bytes <= kCopied;
  if (bytes != 0) {
    if (framing_ == Framing::Chunked) http::append_chunk_size(out.text(), bytes);
    for (auto& slice : slices) {
      if (copied) {
        out.text() += slice.bytes;
      } else {
        out.add(std::move(slice));
      }
    }
    if (framing_ == Framing::Chunked) out.text() += "\r\n";
  }
  if (body_.ended()) return finish(out);
  return bytes == 0 ? Step::Wait : Step::Queued;
}

BodyWriter::Step BodyWriter::finish(Output& out) {
  finished_ = true;
  if (framing_ == Framing::Chunked) {
    const http::Fields* trailers = body_.trailers();
    http::append_last_chunk(out.text(), trailers ? trailers->view() : http::FieldsView());
  }
  return out.has_slices() ? Step::Queued : Step::Done;
}

}  // namespace forebay::server
