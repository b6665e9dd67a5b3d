#pragma once

#include <functional>
#include <string>

#include "forebay/base/waker.hpp"
#include "forebay/net/body_source.hpp"
#include "forebay/server/exchange.hpp"

namespace forebay::admin {

/// Reads the content of one request to its end. Stored in the notes of its exchange, so that it ends with it.
class ContentReader final : public Waiter {
 public:
  enum class Outcome : std::uint8_t {
    Whole,
    TooLarge,
    Broken,  ///< The client has left, or its framing is invalid: the edge handles it.
  };
  using Done = std::function<void(Outcome, const std::string& content)>;
  /// `done` is called once, perhaps before this returns.
  void start(net::BodySource& source, std::size_t limit, Done done);
  void reset();
  void woken() override { read(); }

 private:
  void read();
  void end(Outcome outcome);

  net::BodySource* source_ = nullptr;
  std::size_t limit_ = 0;
  std::string content_;
  Done done_;
};

}  // namespace forebay::admin
