#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "forebay/base/clock.hpp"
#include "forebay/http/message.hpp"

// A response that comes from somewhere: from an origin, or from another tier. Whoever wants it is its sink.

namespace forebay::net {

class Stream;

/// Why a source gave no response, or only a part of one; the label `reason` of forebay_origin_errors_total.
enum class FetchError : std::uint8_t {
  Dns,
  DnsTimeout,
  Connect,
  ConnectTimeout,
  Tls,         ///< The handshake has failed, or the origin has refused our certificate behind it.
  TlsTimeout,  ///< The handshake has not ended in time.
  Reset,
  FirstByteTimeout,
  BetweenBytesTimeout,
  TotalTimeout,  ///< All of it took too long.
  Protocol,
  TooLarge,
  Queue,          ///< No connection, or no place among the requests in flight, became free in time.
  CircuitOpen,    ///< No url of the origin is in use, and others try them: nothing was sent.
  Credentials,    ///< There were no valid credentials to sign the request with, so it was not sent.
  ClientBody,     ///< The client's content was incomplete; not counted against the origin.
  ClientStalled,  ///< The client was slow while others waited for its connection; not counted either.
  Memory,         ///< There was no memory for the fetch; not counted either.
  kCount
};
std::string_view to_string(FetchError e) noexcept;
/// Whether it counts against the origin.
bool is_the_origins(FetchError e) noexcept;
/// Whether it is a result of one url: the origin was tried.
bool says_something_of_the_url(FetchError e) noexcept;
bool is_timeout(FetchError e) noexcept;

struct SourceTimes {
  Now requested;        ///< When the (last) attempt's request was sent.
  Timestamp started{};  ///< When the source was made.
  Duration queued{0};   ///< Waiting for places and connections, in all attempts.
  Duration connect{0};  ///< 0 on a reused connection.
  Timestamp head{};     ///< When the final head had arrived.
  unsigned attempts = 0;
  Duration retry_after{0};   ///< After `CircuitOpen`: how long until a url is tried again.
  std::string_view address;  ///< "127.0.0.1:3000"
  std::string_view origin;   ///< Name of the origin that was asked last: who answered, if anybody did.
  /// Where that is another one's failover: who was asked before it, and why it did not do: a word of `FetchError` or a
  /// status.
  std::string_view failed_origin, failed_by;
};

/// Gets a response as it comes. Every call is made on the source's worker, none before `Source::start` returns, none
/// after `Source::cancel`, `on_end` or `on_failure`.
class Sink {
 public:
  /// A 1xx other than 100, of a source that speaks HTTP.
  virtual void on_interim(const http::ResponseView&) {}
  /// In place of a final head: the other side has switched to a protocol that was asked for (101, RFC 9110 section
  /// 7.8). The source is over, and its connection is the sink's. `early`: bytes that came after the head.
  virtual void on_switch(const http::ResponseView& head, Stream&& stream, std::string_view early);
  struct HeadFacts {
    std::optional<std::uint64_t> content_length;  ///< As declared, also without content.
    bool length_delimited = true;  ///< The end of the content is known by framing, not only by the end of a connection.
    bool has_content = true;       ///< False: on_end follows at once.
  };
  /// The final head, with hop-by-hop fields still in it.
  virtual void on_head(const http::ResponseView& head, const HeadFacts& facts) = 0;
  /// Some content. False: no more until `Source::resume` is called.
  virtual bool on_data(std::string_view bytes) = 0;
  /// Others want what the source holds (a connection) while the sink wants no more: whether it wants more once it has
  /// let go of the slowest of several readers.
  virtual bool drop_slowest() { return false; }
  /// The same with one reader: whether it accepts this much nevertheless.
  virtual bool take_more(std::size_t) { return false; }
  virtual void on_end(const http::Fields& trailers) = 0;
  /// How many clients wait for the response; 0: none does, it is for later ones.
  virtual unsigned waiters() const { return 1; }
  /// Asked before an attempt that has broken off is repeated, or is not any more: whether it should be. `elsewhere`: by
  /// another url.
  virtual bool wants_retry(bool /*elsewhere*/ = false) { return true; }
  /// Whether anybody has a use for an answer. If not, the request is not sent another time.
  virtual bool is_wanted() const { return true; }
  /// Before on_head: no response was had, after all retries. After it: the content is cut.
  virtual void on_failure(FetchError error, std::string_view detail) = 0;

 protected:
  ~Sink() = default;
};

/// One response on its way, from being asked for to its last byte. It is made with all that it needs to ask. Deadlines
/// are its own: a timeout is one of its failures. Used by one worker.
class Source {
 public:
  /// Asks for the response. Once; the sink outlives the source, or `cancel`s it.
  virtual void start(Sink& sink) = 0;
  /// After `on_data` gave false: the sink wants more.
  virtual void resume() = 0;
  /// Ends it. The sink hears no more.
  virtual void cancel() = 0;
  /// After the head: so long may pass between two reads of the content, where that is more than usual.
  virtual void allow_quiet(Duration) {}
  /// Valid as long as the source.
  virtual const SourceTimes& times() const = 0;
  /// Whether the other side may have seen anything of the request; false while it waits for a connection.
  virtual bool asked() const = 0;

 protected:
  ~Source() = default;
};
/// Dropping the last one cancels the source.
using SourcePtr = std::shared_ptr<Source>;

}  // namespace forebay::net
