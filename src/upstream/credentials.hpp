#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/base/mutex.hpp"
#include "forebay/config/config.hpp"
#include "forebay/http/aws_sigv4.hpp"

namespace forebay::upstream {

/// What the requests to an origin are signed with, for all workers: keys of the configuration, or keys of an endpoint,
/// which are renewed before they expire. Knows the times and no sockets. Thread-safe.
class Credentials {
 public:
  /// `origin`: its name, for the log.
  Credentials(config::Signing::Found found, std::string origin);

  /// Keys that are valid at this time, or why there are none. The reason has no secrets.
  struct Usable {
    std::shared_ptr<const http::AwsCredentials> keys;
    std::string why;
  };
  Usable get(WallTime now) const;

  const config::Signing::Found& found() const noexcept { return found_; }
  /// Whether they come from an endpoint.
  bool are_renewed() const noexcept { return !found_.endpoint.host.empty(); }

  /// The right and duty to ask the endpoint; one at a time.
  class Turn {
   public:
    explicit Turn(Credentials& credentials) noexcept : credentials_(&credentials) {}
    Turn(const Turn&) = delete;
    ~Turn();

   private:
    friend class Credentials;
    Credentials* credentials_;  // null: it was not this one's
  };
  /// The turn when the endpoint is to be asked now: nothing is known yet, or what is known expires soon. The turn does
  /// not outlive the credentials.
  std::shared_ptr<Turn> take_turn(const Now& now);
  /// How long until that is the case, at most a minute, so that a step of the wall clock is noticed.
  Duration until_due(const Now& now) const;

  /// What the endpoint has answered to a request for keys. Logged where it is a failure, or the end of failures.
  void answered(int status, std::string_view body, const Now& now);
  /// It has not answered; asked again after a pause that doubles up to a minute.
  void failed(const std::string& why, const Now& now);

  /// So long before they expire, keys are renewed: 5 minutes, or half of the time that is left when they come.
  static constexpr Duration kLead = std::chrono::minutes{5};

 private:
  void learn(http::AwsCredentials fresh, const Now& now);

  const config::Signing::Found found_;
  const std::string origin_;
  mutable Mutex mutex_;
  std::shared_ptr<const http::AwsCredentials> keys_ FOREBAY_GUARDED_BY(mutex_);
  std::string failure_ FOREBAY_GUARDED_BY(mutex_);  // the last one, since the keys came
  unsigned failures_ FOREBAY_GUARDED_BY(mutex_) = 0;
  Duration lead_ FOREBAY_GUARDED_BY(mutex_) = kLead;
  Timestamp not_before_ FOREBAY_GUARDED_BY(mutex_) = Timestamp::min();
  bool asking_ FOREBAY_GUARDED_BY(mutex_) = false;
};

/// The request for keys, as the endpoint wants it. The token of a file is read now. Gives why there is none, else an
/// empty text.
std::string fields_for_endpoint(const config::Signing::Found& found, http::Fields& fields);

/// Asks the endpoint once and waits for its answer, so that the first request finds keys. For the thread that makes a
/// configuration effective. Does nothing where they come from elsewhere, or over TLS.
void ask_first(Credentials& credentials);

}  // namespace forebay::upstream
