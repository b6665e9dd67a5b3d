#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/guarded.hpp"
#include "forebay/net/deadlines.hpp"
#include "forebay/net/source.hpp"
#include "upstream/connection.hpp"
#include "upstream/pool.hpp"

namespace forebay::upstream {

/// "ADDRESS: no connection within timeouts.connect (3 s)".
std::string out_of_time(const std::string& where, std::string_view what, std::string_view setting, Duration limit);

/// Makes one connection to an origin: has the name resolved, and races its addresses (RFC 8305 section 5). The next
/// address is tried when the one before has failed, or has not answered for `kAttemptDelay`; the first that is
/// connected wins, and the others are closed. All of it has `timeouts.connect`, and the name `timeouts.dns` of that.
/// The permit counts for the connection that comes of it: while the race runs there are a few more sockets, at most
/// `kMostAtOnce`. Used by one worker.
class Dialler final : public std::enable_shared_from_this<Dialler> {
 public:
  static constexpr Duration kAttemptDelay = std::chrono::milliseconds{250};
  /// With more addresses than the time allows attempts of that length.
  static constexpr Duration kShortestDelay = std::chrono::milliseconds{10};
  /// The oldest attempt ends for one more.
  static constexpr std::size_t kMostAtOnce = 6;

  struct Outcome {
    ConnectionPtr connection;  ///< Opened; null: it failed, and the rest says how.
    FetchError error{};
    std::string detail{};
    std::string address{};  ///< Tried last.
    Permit permit{};
  };
  /// Called once, on the worker; it may be called from within `start`, and may drop the dialler. It throws nothing.
  using Done = std::function<void(Outcome&&)>;

  Dialler(std::shared_ptr<Pool> pool, Permit permit, Done done);
  Dialler(const Dialler&) = delete;

  /// Throws std::bad_alloc; then `cancel` it.
  void start();
  /// Closes all; `done` is not called any more, and the permit goes back.
  void cancel() noexcept;

 private:
  struct Attempt {
    Attempt(boost::asio::io_context& io, const Address& a) : stream(io), address(a) {}
    net::Stream stream;
    const Address address;
  };
  using AttemptPtr = std::shared_ptr<Attempt>;

  /// Every way from the loop into it. Where memory runs out nothing more is tried.
  template <class Step>
  void guarded(Step&& step) {
    const auto self = shared_from_this();
    if (over()) return;
    worker().tick();
    forebay::guarded(std::forward<Step>(step), [this] {
      if (!over()) fail(FetchError::Memory, "no memory");
    });
  }
  net::Worker& worker() noexcept { return pool_->worker(); }
  const config::Origin& settings() noexcept { return pool_->origin().config; }
  bool over() const noexcept { return !done_; }
  Duration left();
  void resolved(const AddressList& list, const std::string& why);
  void add_newer();
  void try_next();
  void connected(const AttemptPtr& attempt, const boost::system::error_code& error);
  void expired();
  void note_unreached(const std::string& why);
  void note_no_connection(const Attempt& attempt);
  void fail(FetchError error, std::string detail);

  const std::shared_ptr<Pool> pool_;
  Permit permit_;
  Done done_;
  Timestamp started_{};
  AddressList list_;                // the newest that was looked at; null: the name is being resolved
  std::vector<Address> addresses_;  // to try, in this order
  std::size_t next_ = 0;
  std::vector<AttemptPtr> attempts_;  // under way, the oldest first
  std::string address_;
  std::string unreached_;  // the addresses that could not be reached, each with why
  net::Deadline delay_{[this] { guarded([this] { try_next(); }); }};
  net::Deadline limit_{[this] { guarded([this] { expired(); }); }};
};

}  // namespace forebay::upstream
