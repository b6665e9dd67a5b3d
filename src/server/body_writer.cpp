#include "server/body_writer.hpp"

#include <algorithm>
#include <boost/container/static_vector.hpp>

#include "forebay/http/h1_writer.hpp"

namespace forebay::server {

namespace {
constexpr std::size_t kMostSlices = 24;
constexpr std::size_t kPortion = 512 * 1024;
// Up to here copying costs less than a gathered write, and lets answers share a send.
constexpr std::size_t kCopied = 16 * 1024;
}  // namespace

struct BodyWriter::Portion {
  boost::container::static_vector<Slice, kMostSlices> slices;
  std::size_t bytes = 0;
};

void BodyWriter::start(http::BodyCursor&& body, Framing framing, std::uint64_t length) {
  body_ = std::move(body);
  framing_ = framing;
  left_ = framing == Framing::Length ? length : UINT64_MAX;
  bytes_ = 0;
  ended_ = framing == Framing::None || left_ == 0;
}

BodyWriter::Step BodyWriter::queue(Output& out, Timestamp now) {
  if (ended_) return Step::Done;
  // For hits: a small body in one piece is copied after its head, without reference counting.
  if (framing_ == Framing::Length && bytes_ == 0) {
    const std::string_view whole = body_.whole();
    if (!whole.empty() && whole.size() <= kCopied && whole.size() == left_) {
      out.text() += whole;
      bytes_ = left_;
      ended_ = true;
      return Step::Done;
    }
  }

  using Read = http::BodyCursor::State;
  Portion portion;
  Read read = Read::Data;
  while (portion.bytes < kPortion && portion.slices.size() < kMostSlices && left_ != 0) {
    const auto most = static_cast<std::size_t>(std::min<std::uint64_t>(kPortion - portion.bytes, left_));
    Slice slice;
    read = body_.next(most, slice, now);
    if (read != Read::Data) break;
    portion.bytes += slice.bytes.size();
    left_ -= framing_ == Framing::Length ? slice.bytes.size() : 0;
    portion.slices.push_back(std::move(slice));
  }
  if (read == Read::Broken || (read == Read::End && framing_ == Framing::Length && left_ != 0)) return Step::Broken;

  bytes_ += portion.bytes;
  const bool copied = portion.bytes <= kCopied;
  if (portion.bytes != 0) {
    if (framing_ == Framing::Chunked) http::append_chunk_size(out.text(), portion.bytes);
    for (auto& slice : portion.slices) {
      if (copied) {
        out.text() += slice.bytes;
      } else {
        out.add(std::move(slice));
      }
    }
    if (framing_ == Framing::Chunked) (copied ? out.text() : out.tail()) += "\r\n";
  }
  if (read == Read::End || left_ == 0) return finish(out);
  return portion.bytes == 0 ? Step::Wait : Step::Queued;
}

BodyWriter::Step BodyWriter::finish(Output& out) {
  ended_ = true;
  if (framing_ == Framing::Chunked) {
    const http::Fields* trailers = body_.trailers();
    http::append_last_chunk(out.has_slices() ? out.tail() : out.text(),
                            trailers ? trailers->view() : http::FieldsView());
  }
  return out.has_slices() ? Step::Queued : Step::Done;
}

}  // namespace forebay::server
