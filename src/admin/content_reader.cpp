#include "content_reader.hpp"

#include <utility>

namespace forebay::admin {

void ContentReader::start(net::BodySource& source, std::size_t limit, Done done) {
  reset();
  source_ = &source;
  limit_ = limit;
  done_ = std::move(done);
  read();
}

void ContentReader::reset() {
  stop_waiting();
  source_ = nullptr;
  done_ = nullptr;
  content_.clear();
  content_.shrink_to_fit();
}

void ContentReader::read() {
  using State = net::BodySource::State;
  while (source_ != nullptr) {
    std::string_view bytes;
    switch (source_->pull(bytes)) {
      case State::Data:
        if (bytes.size() > limit_ - content_.size()) return end(Outcome::TooLarge);
        content_.append(bytes);
        break;
      case State::Wait:
        if (!waiting()) source_->wait(*this);
        return;
      case State::End: return end(Outcome::Whole);
      case State::TooLarge: return end(Outcome::TooLarge);
      case State::Broken: return end(Outcome::Broken);
    }
  }
}

void ContentReader::end(Outcome outcome) {
  source_ = nullptr;
  const auto content = std::exchange(content_, {});
  if (const auto done = std::exchange(done_, nullptr)) done(outcome, content);
}

}  // namespace forebay::admin
