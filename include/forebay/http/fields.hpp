#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "forebay/base/text.hpp"

namespace forebay::http {

/// Fields that the program reads; they are compared by number. All others are `Other`.
enum class FieldId : std::uint8_t {
  Other = 0,
  Accept,
  AcceptEncoding,
  AcceptLanguage,
  AcceptRanges,
  AccessControlRequestHeaders,
  AccessControlRequestMethod,
  Age,
  Allow,
  Authorization,
  CacheControl,
  CacheStatus,
  CdnCacheControl,
  CdnLoop,
  Connection,
  ContentEncoding,
  ContentLanguage,
  ContentLength,
  ContentLocation,
  ContentRange,
  ContentType,
  Cookie,
  Date,
  ETag,
  Expect,
  Expires,
  ForebayCacheControl,
  Forwarded,
  Host,
  Http2Settings,
  IfMatch,
  IfModifiedSince,
  IfNoneMatch,
  IfRange,
  IfUnmodifiedSince,
  KeepAlive,
  LastModified,
  Link,
  Location,
  Origin,
  Pragma,
  ProxyAuthenticate,
  ProxyAuthenticationInfo,
  ProxyAuthorization,
  ProxyConnection,
  Range,
  Referer,
  RetryAfter,
  Server,
  SetCookie,
  SurrogateControl,
  Te,
  Trailer,
  TransferEncoding,
  Upgrade,
  UserAgent,
  Vary,
  Via,
  Warning,
  XCache,
  XForwardedFor,
  XForwardedHost,
  XForwardedPort,
  XForwardedProto,
  XRequestId,
  kCount
};

/// Case-insensitive; `Other` for an unknown name.
FieldId field_id(std::string_view name) noexcept;
/// The canonical spelling, e.g. "Cache-Control"; empty for `Other`.
std::string_view field_name(FieldId id) noexcept;

/// ASCII case-insensitive equality, for field names and most tokens.
bool iequals(std::string_view a, std::string_view b) noexcept;
using forebay::trim;
/// token of RFC 9110 section 5.6.2: not empty, tchar only.
bool is_token(std::string_view s) noexcept;
/// field-value of RFC 9110 section 5.5 without CR, LF, NUL and other control bytes except tab.
bool is_field_value(std::string_view s) noexcept;

struct Field {
  std::string_view name;
  std::string_view value;  ///< Trimmed.
  FieldId id = FieldId::Other;
};

/// Fields in order of arrival, owned elsewhere.
class FieldsView {
 public:
  FieldsView() = default;
  FieldsView(std::span<const Field> fields) : fields_(fields) {}

  auto begin() const noexcept { return fields_.begin(); }
  auto end() const noexcept { return fields_.end(); }
  std::size_t size() const noexcept { return fields_.size(); }
  bool empty() const noexcept { return fields_.empty(); }
  const Field& operator[](std::size_t i) const noexcept { return fields_[i]; }

  const Field* find(FieldId id) const noexcept;
  const Field* find(std::string_view name) const noexcept;
  bool has(FieldId id) const noexcept { return find(id) != nullptr; }
  /// Value of the first such field.
  std::optional<std::string_view> value(FieldId id) const noexcept;
  std::optional<std::string_view> value(std::string_view name) const noexcept;
  std::size_t count(FieldId id) const noexcept;
  /// All lines of the field joined by ", " (RFC 9110 section 5.3). One line is returned as it is; `scratch` backs a
  /// join. Nothing when the field is absent (absent is not empty).
  std::optional<std::string_view> combined(FieldId id, std::string& scratch) const;
  std::optional<std::string_view> combined(std::string_view name, std::string& scratch) const;

 private:
  std::span<const Field> fields_;
};

/// Fields that own their text. Views handed out stay valid while the object lives, also over a move; a copy is one
/// block where it is not large.
class Fields {
 public:
  Fields() = default;
  /// A copy in one block (several, where it is large), with room for `extra` bytes more.
  explicit Fields(FieldsView other, std::size_t extra = 0);
  Fields(const Fields& o) : Fields(o.view()) {}
  Fields& operator=(const Fields& o);
  Fields(Fields&& o) noexcept
      : list_(std::move(o.list_)),
        blocks_(std::move(o.blocks_)),
        free_(std::exchange(o.free_, nullptr)),
        room_(std::exchange(o.room_, 0)),
        last_block_(std::exchange(o.last_block_, 0)) {}
  Fields& operator=(Fields&& o) noexcept {
    list_ = std::move(o.list_);
    blocks_ = std::move(o.blocks_);
    free_ = std::exchange(o.free_, nullptr);
    room_ = std::exchange(o.room_, 0);
    last_block_ = std::exchange(o.last_block_, 0);
    return *this;
  }

  FieldsView view() const noexcept { return FieldsView(std::span<const Field>(list_)); }
  operator FieldsView() const noexcept { return view(); }

  void add(std::string_view name, std::string_view value);
  void add(FieldId id, std::string_view value) { push(field_name(id), trim(value), id); }
  /// A copy of the field.
  void add(const Field& field);
  /// Removes all of that name, then adds one.
  void set(std::string_view name, std::string_view value);
  void set(FieldId id, std::string_view value) {
    remove(id);
    add(id, value);
  }
  void remove(std::string_view name);
  void remove(FieldId id);
  template <class Predicate>
  void remove_if(Predicate p) {
    std::erase_if(list_, p);
  }
  /// Removes all, and keeps some of the memory for what comes next. Views into the fields end here.
  void clear();
  /// Stores text that lives as long as the fields, for example a request target.
  std::string_view keep(std::string_view text);
  /// Reserves memory for so many bytes of names and values, and so many fields.
  void reserve(std::size_t bytes, std::size_t fields = 0);

 private:
  void push(std::string_view spelling, std::string_view value, FieldId id) {
    list_.push_back({spelling, keep(value), id});
  }
  std::vector<Field> list_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  std::size_t room_ = 0;
  std::size_t last_block_ = 0;  // size of blocks_.back()
};

/// Appends "Name: value\r\n".
void append_line(std::string& out, std::string_view name, std::string_view value);
inline void append_line(std::string& out, FieldId id, std::string_view value) {
  append_line(out, field_name(id), value);
}

/// Fields of a message, and the same as HTTP/1 lines ("Name: value\r\n") where somebody has written those already:
/// HTTP/1 copies the lines, what encodes fields in another way reads the fields. A view.
struct FieldBlock {
  FieldBlock() = default;
  FieldBlock(FieldsView its_fields, std::string_view its_lines = {}) noexcept : fields(its_fields), lines(its_lines) {}
  FieldBlock(const Fields& its_fields) noexcept : fields(its_fields) {}

  FieldsView fields;
  std::string_view lines;  ///< Empty: not written yet.
};
/// Appends the lines, which are written now where they were not before.
void append_lines(std::string& out, const FieldBlock& block);

/// Whether the field is one that Connection governs (RFC 9110 section 7.6.1): Connection, Keep-Alive, Proxy-Connection,
/// TE, Trailer, Transfer-Encoding, Upgrade, Proxy-Authenticate, Proxy-Authorization, Proxy-Authentication-Info.
/// Content-Length is not among them.
bool is_hop_by_hop(FieldId id) noexcept;
/// Whether some Connection line names this field.
bool connection_names(FieldsView fields, std::string_view name) noexcept;

/// The names in all Connection lines, collected and sorted once: to check every field of a head without comparing it
/// with every name. Views into the fields.
class ConnectionNames {
 public:
  explicit ConnectionNames(FieldsView fields);
  bool has(std::string_view name) const noexcept;

 private:
  std::vector<std::string_view> names_;
};

}  // namespace forebay::http
