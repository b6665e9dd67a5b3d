#pragma once

#include <memory>

#include "core.hpp"
#include "forebay/net/body_source.hpp"
#include "forebay/net/deadlines.hpp"
#include "watch.hpp"

namespace forebay::proxy {

/// Sends the content that was read for the key to the origin, followed by what the client still sends. Complete content
/// can be sent again from its first byte, any number of times.
class KeptSource final : public net::BodySource {
 public:
  /// `rest` is null for whole content; then `trailers` are its trailer fields, null where it has none.
  KeptSource(Ref<const Chunk> bytes, server::ExchangePtr rest, std::shared_ptr<const http::Fields> trailers = nullptr)
      : bytes_(std::move(bytes)), rest_(std::move(rest)), trailers_(std::move(trailers)) {}

  State pull(std::string_view& out) override;
  void wait(Waiter& waiter) override;
  std::optional<std::uint64_t> length() const override;
  bool begun() const override { return given_; }
  const http::Fields& trailers() const override;
  bool can_rewind() const override { return rest_ == nullptr; }
  bool awaits_continue() const override;
  void rewind() override { given_ = false; }

 private:
  const Ref<const Chunk> bytes_;
  const server::ExchangePtr rest_;
  const std::shared_ptr<const http::Fields> trailers_;
  bool given_ = false;
};

/// Progress of reading a request's content.
enum class Gathered : std::uint8_t {
  Whole,
  Wait,      ///< More is to come.
  TooLarge,  ///< Over the limit, or no memory: forwarded from the read part on.
  Broken,    ///< It will never be complete, or exceeds `server.limits.request_body`.
};
/// For a key: appends the available content to `bytes`. Reads nothing if the length is known to exceed `body_max`.
Gathered gather(net::BodySource& source, std::uint64_t body_max, std::string& bytes);
/// For forwarding: the same up to `most` bytes or a little more, for any length.
Gathered fill(net::BodySource& source, std::uint64_t most, std::string& bytes);

/// Reads a request's content, or its first part, before the request goes on: for its route, its key or the tags that it
/// invalidates (up to `key.body_max`), for the signature that its origin gets (up to `sign.body_max`, all of it), or so
/// that a slow client holds no connection to an origin (up to `request_buffer`). The server's body timeout and its
/// minimum rate bound each wait, the budget the memory; content for a route or key must be complete in time.
class ReadTask final : public Task {
 public:
  enum class Purpose : std::uint8_t { Route, Key, Sign, Tags, Forward };
  /// `reason`: of the pass, for `Sign`, `Tags` and `Forward`.
  ReadTask(PendingRequestPtr pending, Purpose purpose, rules::Reason reason);
  ~ReadTask() override;
  void start();

  void end() override;
  bool background() const override { return false; }

 private:
  void begin();
  void give_up() noexcept override;
  void read();
  void go_on();
  void client_gone();
  void too_late();
  bool hold();
  bool make_room(std::size_t cost);
  void finish();

  Core& core_;
  PendingRequestPtr pending_;
  const Purpose purpose_;
  const rules::Reason reason_;  // why it is not looked up
  Charge charge_;
  std::size_t held_ = 0;
  bool done_ = false;
  Watch<ReadTask> more_{*this, &ReadTask::read};
  Watch<ReadTask> gone_{*this, &ReadTask::client_gone};
  net::Deadline deadline_{[this] { guarded([this] { too_late(); }); }};
};

/// Whether the origin gets a signature that needs all of the content before the head goes out: it is signed, or its
/// length is not known (a service of AWS wants Content-Length). Or whether its failover does, which safe methods go to.
bool must_read_to_sign(const PendingRequest& pending);

/// Reads the available content of a request into `PendingRequest::bytes`. True: no more will be read, and
/// `PendingRequest::read` is set. False: the request was answered with an error, or a `ReadTask` continues it when the
/// rest has arrived.
bool read_content(const PendingRequestPtr& pending, ReadTask::Purpose purpose,
                  rules::Reason reason = rules::Reason::None);

}  // namespace forebay::proxy
