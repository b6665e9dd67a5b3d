#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/bytes.hpp"
#include "forebay/base/hash.hpp"
#include "forebay/cache/encodings.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/rules/freshness.hpp"

namespace forebay::cache {

/// A response head ready for the wire: `lines` are complete "Name: value\r\n" lines of every field that clients get,
/// without Content-Length, Age and hop-by-hop fields; `fields` are views into it. `hidden` are fields that are not sent
/// to clients, such as Forebay-Cache-Control. They are kept because a 304 that omits them leaves them in force.
struct Head {
  int status = 0;
  std::string_view lines;
  http::FieldsView fields;
  http::FieldsView hidden{};

  /// The fields as the origin sent them, `hidden` last.
  http::Fields all() const {
    http::Fields all(fields);
    for (const auto& f : hidden) all.add(f.name, f.value);
    return all;
  }
};

/// A response head that many threads read while its body arrives, until it becomes an Entry.
class PublishedHead final : public RefCounted {
 public:
  /// Copies; the caller leaves out fields that must not be kept.
  static Ref<const PublishedHead> make(int status, http::FieldsView fields, http::FieldsView hidden = {});
  const Head& head() const noexcept { return head_; }

 private:
  PublishedHead() = default;
  Head head_;
  std::string text_;
  std::vector<http::Field> list_;
};

/// The parts of an entry.
struct EntryParts {
  Head head;
  std::vector<Slice> body;  ///< In order; whole.
  std::string_view key_text;
  std::string_view origin{};  ///< Name of the origin that gave it.
  Duration fetch_time{0};     ///< From the request to the last byte; the time that a hit saves.
  WallTime stored_at{};
  std::span<const std::string_view> tags{};  ///< The store keeps them beside the entry.
};

/// One stored response, made at commit, immutable but for the compressed forms of its body, which come when they are
/// asked for. Head, key and a body of up to 256 KiB are in one block; a larger body keeps its chunks. Charged until its
/// last reader releases it.
class Entry final : public RefCounted {
 public:
  static constexpr std::uint64_t kOneBlock = 256 * 1024;  ///< Bodies up to this size are copied into the entry.

  /// The memory that `make` takes, without the chunks of a large body, which are charged already.
  static std::size_t cost(const EntryParts& parts) noexcept;
  /// `charge` covers `cost(parts)`, or is empty for uncharged memory. The text of `head.fields` is copied; `head.lines`
  /// is regenerated from them.
  static Ref<const Entry> make(const EntryParts& parts, Charge charge);
  /// The same body under a freshened head (304); shares the body's memory, or copies it where it is small, and shares
  /// its compressed forms.
  static Ref<const Entry> with_head(const Ref<const Entry>& old, const Head& head, Charge charge);
  static std::size_t cost_with_head(const Entry& old, const Head& head) noexcept;

  const Head& head() const noexcept { return head_; }
  std::string_view key_text() const noexcept { return key_text_; }
  /// Name of the origin that gave it; empty: unknown.
  std::string_view origin() const noexcept { return {key_text_.data() + key_text_.size(), origin_size_}; }
  std::span<const std::string_view> body() const noexcept { return {pieces_, piece_count_}; }
  std::uint64_t body_length() const noexcept { return body_length_; }
  /// Its memory, including the chunks of a large body, without compressed forms.
  std::size_t charged() const noexcept { return charged_; }
  /// The compressed forms of the body; null: none was ever asked for.
  Encodings* encodings() const noexcept { return encodings_.load(std::memory_order_acquire); }
  /// Those, or these where there are none yet. From any thread.
  Encodings& encodings_or(Ref<Encodings> made) const noexcept;
  std::optional<std::string_view> etag() const noexcept { return head_.fields.value(http::FieldId::ETag); }
  std::optional<std::string_view> last_modified() const noexcept {
    return head_.fields.value(http::FieldId::LastModified);
  }
  /// Whether its body is in chunks that it shares with the body of the fetch.
  bool keeps_chunks() const noexcept { return body_length_ > kOneBlock; }
  /// The store has dropped it: what readers still hold of it is pinned.
  void leave_store() const noexcept;
  Duration fetch_time() const noexcept { return fetch_time_; }
  WallTime stored_at() const noexcept { return stored_at_; }

 private:
  friend struct EntryMaker;
  Entry() = default;
  ~Entry() override;
  void dispose() const noexcept override;
  void on_leave() const noexcept override { charge_.pin(); }
  std::uint32_t origin_size_ = 0;  // its name follows the text of the key
  Head head_;
  std::string_view key_text_;
  const std::string_view* pieces_ = nullptr;
  std::size_t piece_count_ = 0;
  std::uint64_t body_length_ = 0;
  std::size_t charged_ = 0;
  Duration fetch_time_{0};
  WallTime stored_at_{};
  std::vector<Owner> owners_;                           // of chunks, or of the entry whose body this shares
  mutable std::atomic<Encodings*> encodings_{nullptr};  // with a reference of its own
  Charge charge_;
};

}  // namespace forebay::cache
