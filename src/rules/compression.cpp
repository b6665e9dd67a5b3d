#include "forebay/rules/compression.hpp"

#include <algorithm>

#include "forebay/content/media_type.hpp"
#include "forebay/http/accept_encoding.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/message.hpp"

namespace forebay::rules {
namespace {

using http::FieldId;

constexpr std::array<std::string_view, 11> kWords{
    "", "off", "status", "encoded", "no_transform", "set_cookie", "private", "signed", "type", "small", "large"};

bool is_text_like(std::string_view content_type, const Policy& policy) noexcept {
  const auto type = content::essence(content_type);
  return std::any_of(policy.compress.types.begin(), policy.compress.types.end(),
                     [&](const auto& glob) { return http::glob_match(glob, type, true); });
}

// A Vary that selects by a credential keeps answers of single clients.
bool names_credential(std::string_view vary, const Policy& policy) noexcept {
  bool found = false;
  http::for_each_piece(vary, [&](std::string_view name) {
    found = found || name == "*" || http::iequals(name, "Cookie") || http::iequals(name, "Authorization") ||
            std::any_of(policy.credentials.begin(), policy.credentials.end(),
                        [&](const auto& credential) { return http::iequals(name, credential); });
  });
  return found;
}

Uncompressed by_field(const http::Field& f, const Policy& policy) noexcept {
  switch (f.id) {
    case FieldId::ContentEncoding:
      return f.value.empty() || http::iequals(f.value, "identity") ? Uncompressed::None : Uncompressed::Encoded;
    case FieldId::CacheControl:
    case FieldId::CdnCacheControl:
    case FieldId::SurrogateControl:
    case FieldId::ForebayCacheControl:
      return http::has_piece(f.value, "no-transform") ? Uncompressed::NoTransform : Uncompressed::None;
    case FieldId::ContentRange: return Uncompressed::Status;
    case FieldId::SetCookie: return Uncompressed::SetCookie;
    case FieldId::Vary: return names_credential(f.value, policy) ? Uncompressed::Private : Uncompressed::None;
    case FieldId::Other: return http::iequals(f.name, "Signature-Input") ? Uncompressed::Signed : Uncompressed::None;
    default: return Uncompressed::None;
  }
}

bool has_credential(http::FieldsView request, const Policy& policy) noexcept {
  return std::any_of(request.begin(), request.end(), [&](const http::Field& f) {
    return f.id == FieldId::Cookie || f.id == FieldId::Authorization ||
           std::any_of(policy.credentials.begin(), policy.credentials.end(),
                       [&](const auto& name) { return http::iequals(name, f.name); });
  });
}

}  // namespace

std::string_view to_string(Uncompressed why) noexcept { return kWords[static_cast<std::size_t>(why)]; }

Uncompressed may_compress(int status, http::FieldsView fields, std::optional<std::uint64_t> length,
                          const Policy& policy) noexcept {
  if (!policy.compress.on()) return Uncompressed::Off;
  if (status == 206 || http::never_has_content(status)) return Uncompressed::Status;
  auto why = Uncompressed::None;
  std::optional<std::string_view> type;
  for (const auto& f : fields) {
    if (f.id == FieldId::ContentType && !type) type = f.value;
    const auto now = by_field(f, policy);
    if (now != Uncompressed::None && (why == Uncompressed::None || now < why)) why = now;
  }
  if (why != Uncompressed::None) return why;
  if (!type || !is_text_like(*type, policy)) return Uncompressed::Type;
  if (!length) return Uncompressed::None;
  if (*length < policy.compress.min) return Uncompressed::Small;
  return *length > kMostCompressed ? Uncompressed::Large : Uncompressed::None;
}

Uncompressed may_get_compressed(const RequestFacts& facts, http::FieldsView request, const Policy& policy) noexcept {
  if (facts.directives.no_transform) return Uncompressed::NoTransform;
  if (facts.secret_in_query || facts.authorization_in_key) return Uncompressed::Private;
  return policy.compress.keyed_secrets && has_credential(request, policy) ? Uncompressed::Private : Uncompressed::None;
}

CodingChoice choose_codings(std::optional<std::string_view> accept_encoding,
                            std::span<const content::Compression> order) noexcept {
  CodingChoice choice;
  if (!accept_encoding || accept_encoding->empty()) return choice;
  std::array<std::string_view, content::kCompressions + 1> names{};
  for (std::size_t i = 0; i < content::kCompressions; ++i)
    names[i] = content::to_string(static_cast<content::Compression>(i));
  names.back() = "identity";
  std::array<int, content::kCompressions + 1> weights{};
  http::read_coding_weights(*accept_encoding, names, weights);
  const auto weight = [&](content::Compression coding) { return weights[static_cast<std::size_t>(coding)]; };
  for (const auto coding : order)
    if (choice.count < choice.codings.size() && weight(coding) > 0 && weight(coding) >= weights.back())
      choice.codings[choice.count++] = coding;
  const auto first = choice.codings.begin();
  // Three at most: an insertion sort, which keeps the order of equals and allocates nothing.
  for (std::size_t i = 1; i < choice.count; ++i)
    for (std::size_t j = i; j > 0 && weight(first[j]) > weight(first[j - 1]); --j) std::swap(first[j], first[j - 1]);
  return choice;
}

bool belongs_on_compressed(const http::Field& field) noexcept {
  if (field.id == FieldId::AcceptRanges || field.id == FieldId::ContentEncoding) return false;
  if (field.id != FieldId::Other) return true;
  constexpr std::string_view kChecksums = "x-amz-checksum-";
  for (const std::string_view name : {"Content-Digest", "Repr-Digest", "Digest", "Content-MD5", "X-Goog-Hash"})
    if (http::iequals(field.name, name)) return false;
  return !http::iequals(field.name.substr(0, kChecksums.size()), kChecksums);
}

bool ranges_over_identity(http::FieldsView request) noexcept {
  if (!request.has(FieldId::Range)) return false;
  const auto validator = request.value(FieldId::IfRange);
  return !validator || (validator->starts_with('"'));
}

}  // namespace forebay::rules
