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
#include "forebay/net/worker.hpp"

namespace forebay::upstream {

/// Why an attempt got no response; the label `reason` of forebay_origin_errors_total.
enum class FetchError : std::uint8_t {
  Dns,
  Connect,
  ConnectTimeout,
  Tls,
  Reset,
  FirstByteTimeout,
  BetweenBytesTimeout,
  Protocol,
  TooLarge,
  Queue,
  ClientBody,     ///< The client's content broke off; not the origin's fault, not counted against it.
  ClientStalled,  ///< The client kept a connection waiting that others wanted; not counted either.
  Memory,         ///< There was no memory for the fetch; not counted either.
  kCount
};
std::string_view to_string(FetchError e) noexcept;
/// Whether the origin has part in it: only then it counts against the origin.
bool is_the_origins(FetchError e) noexcept;
bool is_timeout(FetchError e) noexcept;

/// Gives the target and the fields of a request when there is a connection for it, so that nothing is held twice while
/// the request waits for one. Asked once for each attempt.
class RequestHead {
 public:
  virtual void compose(std::string& target, http::Fields& fields) = 0;
  /// Leaves of the content's trailer fields what goes to the origin.
  virtual void trim(http::Fields& trailers) = 0;

 protected:
  ~RequestHead() = default;
};

/// Keeps an origin's connection for one client's connection between its requests, once a request has authenticated the
/// connection and not itself alone (NTLM, Negotiate). Closes it when it goes. Used on its worker alone.
class Bond {
 public:
  virtual ~Bond() = default;
  /// Whether a connection rests in it.
  virtual bool alive() = 0;
};

/// What goes to the origin. Borrowed until `fetch` returns; the fetch copies what it keeps.
struct FetchRequest {
  http::Method method = http::Method::Get;
  std::string_view method_text;
  std::string_view target;
  http::FieldsView fields;  ///< End-to-end fields with Host; without Content-Length and Transfer-Encoding (from `body`)
                            ///< and Connection.
  RequestHead* head = nullptr;      ///< In place of `target` and `fields`; lives as long as `body`.
  std::shared_ptr<Bond> bond{};     ///< Of this origin and the client's connection (`Origin::make_bond`). Null: a
                                    ///< connection that was authenticated is closed after the answer.
  bool for_connection = false;      ///< Its credentials authenticate the connection (NTLM, Negotiate).
  net::BodySource* body = nullptr;  ///< Must live until the sink hears of the end, or `cancel`.
};

struct FetchTimes {
  Now requested;        ///< When the (last) attempt's request was sent.
  Timestamp started{};  ///< When `fetch` was called.
  Duration queued{0};   ///< Waiting for a permit.
  Duration connect{0};  ///< 0 on a reused connection.
  Timestamp head{};     ///< When the final head had come.
  unsigned attempts = 0;
  std::string_view address;  ///< "127.0.0.1:3000"
};

/// Hears how a fetch goes; every call on the fetch's worker, none before `fetch` returns, none after `cancel` or after
/// on_end/on_failure.
class FetchSink {
 public:
  virtual void on_interim(const http::ResponseView& head) = 0;
  /// The final head, with hop-by-hop fields still in it. `content_length`: as declared, also without content. `proven`:
  /// the end of the content will be known by framing (false: only by the end of the connection). `has_content` false:
  /// on_end follows at once.
  struct HeadFacts {
    std::optional<std::uint64_t> content_length;
    bool proven = true;
    bool has_content = true;
  };
  virtual void on_head(const http::ResponseView& head, const HeadFacts& facts) = 0;
  /// Some content. False: no more until `resume` is called.
  virtual bool on_data(std::string_view bytes) = 0;
  /// Others want the connection while the sink wants no more: whether it wants more once it has let go of the slowest
  /// of several readers.
  virtual bool drop_slowest() { return false; }
  /// The same, where there is one reader: whether it takes so much nevertheless.
  virtual bool take_more(std::size_t) { return false; }
  virtual void on_end(const http::Fields& trailers) = 0;
  /// Asked before an attempt that has broken off on a new connection is repeated (`retries`): whether it should be.
  virtual bool wants_retry() { return true; }
  /// Before on_head: no answer was had, after all retries. After it: the content is cut.
  virtual void on_failure(FetchError error, std::string_view detail) = 0;

 protected:
  ~FetchSink() = default;
};

/// A fetch on its way. Dropping the last reference cancels it.
class Fetch {
 public:
  virtual ~Fetch() = default;
  virtual void resume() = 0;
  /// Ends it; the connection is closed unless the answer was already whole. The sink hears no more.
  virtual void cancel() = 0;
  virtual const FetchTimes& times() const = 0;
  /// Whether the origin may have seen anything of the request; false while it waits for a connection.
  virtual bool asked() const = 0;
};
using FetchPtr = std::shared_ptr<Fetch>;

/// Numbers of one origin over all workers.
struct OriginNumbers {
  std::array<std::atomic<std::uint64_t>, 5> answers{};  ///< 1xx..5xx by (class - 1)
  std::atomic<std::uint64_t> failed{0};                 ///< code="error"
  std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(FetchError::kCount)> errors{};
  std::atomic<std::uint64_t> retries{0}, in_flight{0}, active{0}, idle{0}, connects{0};
  std::array<std::atomic<std::uint64_t>, 25>
      head_seconds_buckets{};  ///< Bounds: config::Metrics::buckets given at creation.
  std::atomic<std::uint64_t> head_nanoseconds_sum{0};
  std::atomic<unsigned> consecutive_failures{0};
};

/// What all workers share about an origin: addresses, permits for `pool.max_connections` with one first-come queue of
/// waiters, numbers.
class OriginState {
 public:
  OriginState(config::Origin config, std::vector<Duration> buckets);
  ~OriginState();
  const config::Origin& config() const noexcept;
  OriginNumbers& numbers() noexcept;
  const std::vector<Duration>& buckets() const noexcept;
  bool up() const noexcept;

 private:
  friend class Origin;
  struct Private;
  std::unique_ptr<Private> p_;
};

/// One worker's way to one origin: its idle connections and its fetches. Lives until all its fetches have ended.
class Origin {
 public:
  Origin(net::Worker& worker, std::shared_ptr<OriginState> state);
  ~Origin();
  Origin(const Origin&) = delete;

  /// Starts a fetch; never fails here, the sink hears. `response_header` bounds the head of the answer.
  FetchPtr fetch(const FetchRequest& request, FetchSink& sink, std::size_t response_header);
  std::shared_ptr<Bond> make_bond();
  /// Whether the bond is one of this origin.
  bool made(const Bond& bond) const noexcept;
  OriginState& state() noexcept;
  /// Closes idle connections; those in use close when their fetch ends.
  void retire();

 private:
  struct Private;
  std::shared_ptr<Private> p_;
};

}  // namespace forebay::upstream
