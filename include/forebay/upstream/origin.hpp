#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/base/histogram.hpp"
#include "forebay/config/config.hpp"
#include "forebay/http/message.hpp"
#include "forebay/net/body_source.hpp"
#include "forebay/net/resolver.hpp"
#include "forebay/net/source.hpp"
#include "forebay/net/tls_client.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/upstream/failover.hpp"

namespace forebay::upstream {

using net::FetchError;

class Origin;

/// Provides the target and the fields of a request when there is a connection for it, so that nothing is held twice
/// while the request waits. Called once for each attempt.
class RequestHead {
 public:
  /// For this origin, at this url of it. Gives why the request must not be sent (there are no credentials to sign it
  /// with); empty: it may.
  virtual std::string compose(Origin& origin, const config::Url& url, std::string& target, http::Fields& fields) = 0;
  /// Removes trailer fields that are not forwarded to this origin.
  virtual void trim(Origin& origin, http::Fields& trailers) = 0;

 protected:
  ~RequestHead() = default;
};

/// Keeps an origin's connection for one client's connection between its requests, once a request has authenticated the
/// connection and not itself alone (NTLM, Negotiate). The destructor closes it. Used only on its worker.
class Bond {
 public:
  virtual ~Bond() = default;
  /// Whether it holds a connection.
  virtual bool alive() = 0;
};

/// The request to the origin. Borrowed until `fetch` returns; the fetch copies what it keeps.
struct FetchRequest {
  http::Method method = http::Method::Get;
  std::string_view method_text;
  std::string_view target;
  http::FieldsView fields;  ///< End-to-end fields with Host; without Content-Length and Transfer-Encoding (from `body`)
                            ///< and Connection.
  RequestHead* head = nullptr;      ///< In place of `target` and `fields`; lives as long as `body`.
  std::shared_ptr<Bond> bond{};     ///< Of this origin and the client's connection (`Origin::make_bond`). Null: a
                                    ///< connection that was authenticated is closed after the answer.
  std::uint64_t balance_key = 0;    ///< A hash of what chooses a url where the balance is by hash.
  bool repeatable = false;          ///< Its client says that it may be repeated, whatever its method is.
  bool fails_over = false;          ///< Another origin is asked if this one fails: it may rest meanwhile.
  bool for_connection = false;      ///< Its credentials authenticate the connection (NTLM, Negotiate).
  std::string_view upgrade{};       ///< Protocols to ask for by Upgrade; empty: none. The sink gets `on_switch`.
  net::BodySource* body = nullptr;  ///< Must live until the sink is notified of the end, or `cancel`.
};

/// Numbers of one origin over all workers.
struct OriginNumbers {
  std::array<std::atomic<std::uint64_t>, 5> answers{};  ///< 1xx..5xx by (class - 1)
  std::atomic<std::uint64_t> failed{0};                 ///< code="error"
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(FetchError::kCount)> errors{};
  std::atomic<std::uint64_t> retries{0}, in_flight{0}, active{0}, idle{0}, connects{0};
  std::array<std::atomic<std::uint64_t>, net::kTlsHandshakes> handshakes{};  ///< By their end.
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(net::Resolution::kCount)> resolutions{};
  std::atomic<std::uint64_t> stale_addresses{0};  ///< Requests that used a set whose TTL had passed.
  std::array<std::atomic<std::uint64_t>, 25>
      head_seconds_buckets{};  ///< Bounds: config::Metrics::buckets given at creation.
  std::atomic<std::uint64_t> head_nanoseconds_sum{0};
  std::atomic<std::uint64_t> circuit_opened{0};
  std::atomic<std::uint64_t> retries_refused{0};  ///< By the budget.
};

class Addresses;

/// The state of an origin that all workers share. For each of its urls: addresses, TLS, whether it is in use, permits
/// for `pool.max_connections` with one FIFO queue of waiters, counters. For all: the places of `max_concurrency` and
/// `ramp`, and the retries that are left.
class OriginState {
 public:
  /// `before`: the state of the same origin under an earlier configuration; credentials of the same endpoint are taken
  /// over, so that no request misses them. Without them, the endpoint is asked now, within 2 s. May be null.
  /// `addresses`: of its urls, where somebody has looked them up already; may be null.
  OriginState(config::Origin config, const std::vector<Duration>& buckets, const OriginState* before = nullptr,
              const std::shared_ptr<Addresses>& addresses = {});
  ~OriginState();
  const config::Origin& config() const noexcept;
  /// How many urls it has. Below, `i` is the index of one, in the order of the configuration.
  std::size_t urls() const noexcept;
  const std::string& url(std::size_t i) const noexcept;
  OriginNumbers& numbers(std::size_t i = 0) noexcept;
  /// Failures of requests for which no url was chosen.
  std::uint64_t errors_without_url(FetchError error) const noexcept;
  const std::vector<Duration>& buckets() const noexcept;
  struct Checks {
    std::uint64_t passed, failed;
    bool up;  ///< What they say of the url.
  };
  /// Active checks of the url; nothing where there are none.
  std::optional<Checks> checks(std::size_t i) const noexcept;
  /// Whether the url is in use.
  bool up(std::size_t i) const noexcept;
  /// Why the url is out of use, such as `its requests fail`; empty while it is in use.
  std::string_view why_down(std::size_t i) const noexcept;
  /// Whether any is in use.
  bool up() const noexcept;
  Failovers& failovers() noexcept;
  struct Level {
    unsigned in_flight;   ///< Requests.
    unsigned allowed;     ///< By `max_concurrency` and `ramp`, now.
    std::size_t waiting;  ///< Requests that wait for a place.
  };
  /// As it was when a request last asked for a place. Nothing where the number of requests has no limit.
  std::optional<Level> level() const;
  /// What new connections to each url speak TLS with, from any thread; those that are open keep what they have. An
  /// https url without it is never connected to.
  void use_tls(const std::vector<std::shared_ptr<const net::TlsClient>>& tls);

 private:
  friend class Origin;
  struct Private;
  std::unique_ptr<Private> p_;
};

/// One worker's access to one origin: its idle connections, its fetches, and the choice of a url for each. Lives until
/// all its fetches have ended.
class Origin {
 public:
  Origin(net::Worker& worker, std::shared_ptr<OriginState> state);
  ~Origin();
  Origin(const Origin&) = delete;

  /// A fetch, to be started; cancelling it closes its connection unless the answer is whole already. `response_header`
  /// bounds the head of the answer.
  net::SourcePtr fetch(const FetchRequest& request, std::size_t response_header);
  /// Signs a request as `origins.NAME.sign` says: gives the target the spelling that is signed, and adds Authorization
  /// and what belongs to it. `payload`: SHA-256 of the content in hex, or `kUnsignedPayload`. Gives why it cannot be
  /// signed, without any secret; empty: it is signed, or the origin wants no signature.
  std::string sign(std::string_view method, std::string& target, http::Fields& fields, std::string_view payload,
                   WallTime now);
  std::shared_ptr<Bond> make_bond();
  /// Whether the bond belongs to this origin.
  bool made(const Bond& bond) const noexcept;
  OriginState& state() noexcept;
  /// Closes idle connections; those in use close when their fetch ends.
  void retire();

 private:
  struct Private;
  std::shared_ptr<Private> p_;
};

}  // namespace forebay::upstream
