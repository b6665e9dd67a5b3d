#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "forebay/config/config.hpp"
#include "forebay/http/message.hpp"
#include "forebay/net/tls_peer.hpp"
#include "forebay/rules/freshness.hpp"
#include "forebay/rules/vocabulary.hpp"

namespace forebay::proxy {

/// One request for the access log; views are valid during the call. Negative or empty means absent.
struct AccessRecord {
  WallTime at{};
  std::string_view remote, client;  ///< Peer, and the client behind trusted proxies.
  std::string_view method, scheme, host, path;
  std::string_view query;  ///< As sent; redacted by the log.
  bool has_query = false;
  http::Version version = http::Version::Http11;
  int status = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::string_view route;
  rules::CacheResult result = rules::CacheResult::Miss;
  bool has_result = true;  ///< False: refused before routing.
  rules::Reason reason = rules::Reason::None;
  rules::Reason cause = rules::Reason::None;  ///< Of `pass_memory`: what set it,
  std::int64_t cause_left_s = 0;              ///< and for how much longer.
  std::string_view key_id;
  std::int64_t age_s = -1;
  std::int64_t ttl_s = 0;
  bool has_ttl = false;
  rules::TtlSource ttl_source = rules::TtlSource::None;  ///< Who gave what was served its lifetime.
  bool stored = false;
  std::string_view coding;  ///< In which Forebay sent it, where that is not as it is stored.
  double total_ms = 0, lookup_ms = -1, queue_ms = -1, wait_ms = -1, origin_connect_ms = -1, origin_ttfb_ms = -1,
         send_ms = -1;
  std::string_view origin_name, origin_address, origin_error, origin_detail;
  std::string_view failed_origin, failed_by;  ///< The origin that was asked before that one, and why it did not do.
  const net::TlsPeer* tls = nullptr;          ///< Null: without TLS.
  std::string_view error_code, error_detail;  ///< Of an error document of Forebay's own.
  std::string_view origin_method;             ///< Where it is not the client's.
  int origin_status = 0;
  unsigned origin_attempts = 0;
  std::string_view tunnel_protocol, tunnel_end;  ///< Of a connection that has switched protocols.
  std::string_view trace_id;    ///< Of the client's traceparent, else of the trace that was made for a fetch.
  std::string_view span_id;     ///< Of the fetch: what the origin gets as its parent.
  std::string_view parent_id;   ///< The client's span.
  std::string_view trace_link;  ///< `TRACEID-SPANID` of the fetch it waited for, or of the refresh it started.
  std::string_view request_id, user_agent, referer;
  bool completed = true;  ///< False: the client left, or the answer was cut.
};

/// The access log: lines go into a buffer of the calling worker; one thread of the log writes them, so that no request
/// waits for a file. When the writer falls behind, lines are dropped and counted (`on_full: drop`), or the worker waits
/// (`block`).
class AccessLog {
 public:
  /// Throws std::runtime_error with a sentence when the output cannot be opened.
  AccessLog(const config::AccessLog& config, std::size_t workers);
  ~AccessLog();  ///< Writes what is left.
  /// Whether this record will be written (`when`, `sample`, `off`). Cheap; called first.
  bool wants(std::size_t worker, int status, rules::CacheResult result, double total_ms) noexcept;
  /// On that worker's thread.
  void write(std::size_t worker, const AccessRecord& record);
  void reopen();
  std::uint64_t dropped() const noexcept;

 private:
  struct Private;
  std::unique_ptr<Private> p_;
};

}  // namespace forebay::proxy
