#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "forebay/base/bytes.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::cache {

/// Names of the request fields that select among the responses of one key (RFC 9111 section 4.1): lower case, sorted,
/// without doubles, at least one. Shared by all entries filed under them, and compared by address.
class VaryNames final : public RefCounted {
 public:
  explicit VaryNames(std::vector<std::string> n) : names(std::move(n)) {}
  const std::vector<std::string> names;
};
/// Null: no names.
using VaryRef = Ref<const VaryNames>;
/// Whether `all` has every name of `some`.
bool includes(const VaryRef& all, const VaryRef& some) noexcept;
bool includes(const VaryRef& all, const std::vector<std::string>& some) noexcept;

/// The fields of a request that select among responses, as the origin gets them, since the origin selects by those.
/// Forebay writes some of them itself (X-Forwarded-For, Via, fields that a route sets).
class Selecting {
 public:
  virtual ~Selecting() = default;
  /// The fields to look these names up in; valid until the next call. Called without a lock.
  virtual http::FieldsView fields(const std::vector<std::string>& names) const = 0;
  /// Where the origin is asked for identity whatever the client accepts: the client's own fields, which say what
  /// codings of a stored response it may get. Accept-Encoding selects nothing then.
  virtual std::optional<http::FieldsView> codings_of_client() const { return std::nullopt; }
};

/// A request that reaches its origin unchanged.
class Unchanged final : public Selecting {
 public:
  explicit Unchanged(http::FieldsView fields) : fields_(fields) {}
  http::FieldsView fields(const std::vector<std::string>&) const override { return fields_; }

 private:
  http::FieldsView fields_;
};

}  // namespace forebay::cache
