#pragma once

#include <memory>

#include "core.hpp"
#include "forebay/net/body_source.hpp"
#include "watch.hpp"

namespace forebay::proxy {

/// Gives the origin what was read of a request's content for its key, and behind it what the client still sends. Whole
/// content can be sent again from its first byte, as often as it takes.
class KeptSource final : public net::BodySource {
 public:
  /// `rest` is null for whole content.
  KeptSource(Ref<const Chunk> bytes, server::ExchangePtr rest) : bytes_(std::move(bytes)), rest_(std::move(rest)) {}

  State pull(std::string_view& out) override;
  void wait(Waiter& waiter) override;
  std::optional<std::uint64_t> length() const override;
  bool begun() const override { return given_; }
  const http::Fields& trailers() const override;
  bool can_rewind() const override { return rest_ == nullptr; }
  void rewind() override { given_ = false; }

 private:
  const Ref<const Chunk> bytes_;
  const server::ExchangePtr rest_;
  const http::Fields none_;
  bool given_ = false;
};

/// How reading a request's content for its key has gone so far.
enum class Gathered : std::uint8_t {
  Whole,
  Wait,      ///< More is to come.
  TooLarge,  ///< Over `body_max`, or no memory for it: it is passed on unkeyed, from what was read on.
  Broken,    ///< It will never be whole, or is over `server.limits.request_body`.
};
/// Appends to `bytes` what can be had now.
Gathered gather(net::BodySource& source, std::uint64_t body_max, std::string& bytes);

/// Answers for content that is over the server's limit (413). For what is late, cut or malformed the edge answers by
/// itself, in the same turn, since it knows which of these it is.
void deliver_content_error(Core& core, server::Exchange& exchange, std::string_view accept,
                           std::string_view request_id);

/// Reads the content of a request whose key needs it and has not come whole with its head; then the request goes on as
/// it would have. The server's body timeout bounds each wait, `body_max` and the budget what is held.
class ReadTask final : public Task {
 public:
  ReadTask(Core& core, StoryPtr story, std::string begun);
  ~ReadTask() override;
  void start();

  void end() override;
  bool background() const override { return false; }

 private:
  void read();
  void client_gone();
  bool hold();
  bool make_room(std::size_t cost);
  void finish();

  Core& core_;
  StoryPtr story_;
  std::string bytes_;
  Charge charge_;
  std::size_t held_ = 0;
  bool done_ = false;
  Watch<ReadTask> more_{*this, &ReadTask::read};
  Watch<ReadTask> gone_{*this, &ReadTask::client_gone};
};

}  // namespace forebay::proxy
