#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::config {

/// The fields that a template of the access log may name, with blanks between them.
inline constexpr std::string_view kAccessFields =
    "ts remote client method scheme host path query proto status bytes_in bytes_out route cache.result cache.reason "
    "cache.cause cache.cause_left_s cache.key_id cache.age_s cache.ttl_s cache.ttl_source cache.stored cache.tier "
    "cache.coding time.total_ms time.lookup_ms time.queue_ms time.wait_ms time.origin_connect_ms time.origin_ttfb_ms "
    "time.send_ms "
    "origin.name origin.address origin.method origin.status origin.attempts origin.error origin.detail "
    "origin.failed_origin origin.failed_by error.code error.detail tls.version tls.cipher tls.server_name tls.resumed "
    "tls.client.subject tls.client.fingerprint tls.client.verify tunnel.protocol tunnel.end trace_id "
    "span_id parent_id trace_link request_id user_agent referer";
/// The same, each by itself.
std::vector<std::string_view> access_fields();

/// A text with fields in braces, such as `{method} {path}`, compiled.
struct AccessTemplate {
  struct Part {
    std::string text;       ///< What stands before the field.
    std::size_t field = 0;  ///< Its index in `access_fields`.
    bool operator==(const Part&) const = default;
  };
  std::string text;  ///< As written.
  std::vector<Part> parts;
  std::string end;  ///< What stands behind the last field.
  bool operator==(const AccessTemplate&) const = default;

  /// Nothing for what is no template: `unknown` is the name that no field has, or empty where a brace is not closed or
  /// not opened.
  static std::optional<AccessTemplate> compile(std::string_view text, std::string_view& unknown);
};

}  // namespace forebay::config
