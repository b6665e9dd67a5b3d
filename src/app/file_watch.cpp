#include "file_watch.hpp"

#include <utility>

namespace forebay::app {
namespace {

constexpr auto kEvery = std::chrono::milliseconds{500};

}  // namespace

FileWatch::FileWatch(boost::asio::io_context& io, std::function<void()> changed)
    : timer_(io), changed_(std::move(changed)) {
  look_later();
}

void FileWatch::follow(config::SourceFiles files) {
  files_ = std::move(files);
  read_ = config::states_of(files_);
  seen_ = read_;
  // A file that was written while it was read is read again.
  for (auto& [name, state] : read_)
    if (const auto it = before_.find(name); it != before_.end()) state = it->second;
  before_.clear();
}

void FileWatch::look_later() {
  timer_.expires_after(kEvery);
  timer_.async_wait([this](boost::system::error_code ec) {
    if (ec) return;
    look();
    look_later();
  });
}

void FileWatch::look() {
  auto now = config::states_of(files_);
  const bool settled = now == seen_;
  seen_ = std::move(now);
  if (settled && seen_ != read_) changed_();
}

}  // namespace forebay::app
