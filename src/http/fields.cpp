#include "forebay/http/fields.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "forebay/http/chars.hpp"
#include "forebay/http/list.hpp"

namespace forebay::http {
namespace {

constexpr std::size_t kKnown = static_cast<std::size_t>(FieldId::kCount);

// In the order of FieldId.
constexpr std::array<std::string_view, kKnown> kNames{"",
                                                      "Accept",
                                                      "Accept-Encoding",
                                                      "Accept-Language",
                                                      "Accept-Ranges",
                                                      "Access-Control-Request-Headers",
                                                      "Access-Control-Request-Method",
                                                      "Age",
                                                      "Allow",
                                                      "Authorization",
                                                      "Cache-Control",
                                                      "Cache-Status",
                                                      "CDN-Cache-Control",
                                                      "CDN-Loop",
                                                      "Connection",
                                                      "Content-Encoding",
                                                      "Content-Language",
                                                      "Content-Length",
                                                      "Content-Location",
                                                      "Content-Range",
                                                      "Content-Type",
                                                      "Cookie",
                                                      "Date",
                                                      "ETag",
                                                      "Expect",
                                                      "Expires",
                                                      "Forebay-Cache-Control",
                                                      "Forwarded",
                                                      "Host",
                                                      "HTTP2-Settings",
                                                      "If-Match",
                                                      "If-Modified-Since",
                                                      "If-None-Match",
                                                      "If-Range",
                                                      "If-Unmodified-Since",
                                                      "Keep-Alive",
                                                      "Last-Modified",
                                                      "Link",
                                                      "Location",
                                                      "Origin",
                                                      "Pragma",
                                                      "Proxy-Authenticate",
                                                      "Proxy-Authentication-Info",
                                                      "Proxy-Authorization",
                                                      "Proxy-Connection",
                                                      "Range",
                                                      "Referer",
                                                      "Retry-After",
                                                      "Server",
                                                      "Set-Cookie",
                                                      "Surrogate-Control",
                                                      "TE",
                                                      "Trailer",
                                                      "Transfer-Encoding",
                                                      "Upgrade",
                                                      "User-Agent",
                                                      "Vary",
                                                      "Via",
                                                      "Warning",
                                                      "X-Cache",
                                                      "X-Forwarded-For",
                                                      "X-Forwarded-Host",
                                                      "X-Forwarded-Port",
                                                      "X-Forwarded-Proto",
                                                      "X-Request-Id"};

// A perfect hash over length and four letters: one load and one comparison find a name. The compiler searches the
// multiplier, and fails if there is none.
constexpr std::size_t kSlots = 512;

constexpr std::size_t slot_of(std::string_view name, std::uint32_t seed) noexcept {
  const auto letter = [name](std::size_t i) { return static_cast<std::uint32_t>(name[i] | 0x20) & 0xFF; };
  const std::size_t n = name.size();
  std::uint32_t h = static_cast<std::uint32_t>(n) << 24 ^ letter(0) << 18 ^ letter(n / 2) << 12;
  h ^= letter(n - 1) << 6 ^ letter(n > 1 ? n - 2 : 0);
  return (h * seed) >> 23;
}

constexpr std::array<std::uint8_t, kSlots> slots_for(std::uint32_t seed, bool& perfect) noexcept {
  std::array<std::uint8_t, kSlots> slots{};
  perfect = true;
  for (std::size_t id = 1; id < kKnown; ++id) {
    auto& slot = slots[slot_of(kNames[id], seed)];
    if (slot != 0) {
      perfect = false;
      return slots;
    }
    slot = static_cast<std::uint8_t>(id);
  }
  return slots;
}

consteval std::uint32_t find_seed() {
  std::uint32_t seed = 0x9E3779B1;
  for (int tries = 0; tries < 3000; ++tries) {
    bool perfect = false;
    slots_for(seed, perfect);
    if (perfect) return seed;
    seed = seed * 1664525 + 1013904223;
    seed |= 1;
  }
  return 0;
}

constexpr std::uint32_t kSeed = find_seed();
static_assert(kSeed != 0, "no perfect hash: widen kSlots or mix another letter");
constexpr std::array<std::uint8_t, kSlots> kSlotTable = [] {
  bool perfect = false;
  return slots_for(kSeed, perfect);
}();

// Eight letters at once: bit 7 of each byte of `upper` says that it is in A..Z, and lies two above the case bit.
std::uint64_t lower8(std::uint64_t x) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  const std::uint64_t heptets = x & (0x7F * ones);
  const std::uint64_t above_z = heptets + (0x7F - 'Z') * ones;
  const std::uint64_t from_a = heptets + (0x80 - 'A') * ones;
  const std::uint64_t upper = ~x & (from_a ^ above_z) & (0x80 * ones);
  return x | upper >> 2;
}

std::uint64_t load8(const char* p) noexcept {
  std::uint64_t x = 0;
  std::memcpy(&x, p, 8);
  return x;
}

// Fewer than eight bytes, in a way that is the same for both sides of a comparison.
std::uint64_t load_short(const char* p, std::size_t n) noexcept {
  if (n >= 4) {
    std::uint32_t a = 0, b = 0;
    std::memcpy(&a, p, 4);
    std::memcpy(&b, p + n - 4, 4);
    return std::uint64_t{a} << 32 | b;
  }
  if (n == 0) return 0;
  const auto byte = [p](std::size_t i) { return std::uint64_t{static_cast<unsigned char>(p[i])}; };
  return byte(0) << 16 | byte(n / 2) << 8 | byte(n - 1);
}

bool equal_ignoring_case(const char* a, const char* b, std::size_t n) noexcept {
  if (n < 8) return lower8(load_short(a, n)) == lower8(load_short(b, n));
  for (std::size_t i = 0; i + 8 < n; i += 8) {
    if (lower8(load8(a + i)) != lower8(load8(b + i))) return false;
  }
  return lower8(load8(a + n - 8)) == lower8(load8(b + n - 8));
}

// The first line of a field, or all of them joined: `matches` picks the lines.
template <class Matches>
std::optional<std::string_view> join(FieldsView fields, std::string& scratch, const Matches& matches) {
  const Field* first = nullptr;
  bool joined = false;
  for (const Field& f : fields) {
    if (!matches(f)) continue;
    if (first == nullptr) {
      first = &f;
      continue;
    }
    if (!joined) scratch.assign(first->value);
    joined = true;
    scratch.append(", ").append(f.value);
  }
  if (first == nullptr) return std::nullopt;
  return joined ? std::string_view(scratch) : first->value;
}

// Whether a line has this name; a known name is compared by its number alone.
struct Named {
  explicit Named(std::string_view n) noexcept : name(n), id(field_id(n)) {}
  bool operator()(const Field& f) const noexcept {
    return f.id == id && (id != FieldId::Other || iequals(f.name, name));
  }
  std::string_view name;
  FieldId id;
};

}  // namespace

FieldId field_id(std::string_view name) noexcept {
  if (name.empty()) return FieldId::Other;
  const std::uint8_t id = kSlotTable[slot_of(name, kSeed)];
  const std::string_view known = kNames[id];
  if (known.size() != name.size() || !equal_ignoring_case(known.data(), name.data(), name.size())) {
    return FieldId::Other;
  }
  return static_cast<FieldId>(id);
}

std::string_view field_name(FieldId id) noexcept {
  const auto i = static_cast<std::size_t>(id);
  return i < kKnown ? kNames[i] : std::string_view{};
}

bool iequals(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && equal_ignoring_case(a.data(), b.data(), a.size());
}

bool is_token(std::string_view s) noexcept {
  return !s.empty() && std::all_of(s.begin(), s.end(), [](char c) { return is_class(c, kTchar); });
}

bool is_field_value(std::string_view s) noexcept {
  return std::all_of(s.begin(), s.end(), [](char c) { return is_class(c, kText); });
}

// --- FieldsView ---

const Field* FieldsView::find(FieldId id) const noexcept {
  for (const Field& f : fields_) {
    if (f.id == id) return &f;
  }
  return nullptr;
}

const Field* FieldsView::find(std::string_view name) const noexcept {
  const Named matches(name);
  for (const Field& f : fields_) {
    if (matches(f)) return &f;
  }
  return nullptr;
}

std::optional<std::string_view> FieldsView::value(FieldId id) const noexcept {
  const Field* f = find(id);
  return f ? std::optional(f->value) : std::nullopt;
}

std::optional<std::string_view> FieldsView::value(std::string_view name) const noexcept {
  const Field* f = find(name);
  return f ? std::optional(f->value) : std::nullopt;
}

std::size_t FieldsView::count(FieldId id) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(fields_.begin(), fields_.end(), [id](const Field& f) { return f.id == id; }));
}

std::optional<std::string_view> FieldsView::combined(FieldId id, std::string& scratch) const {
  return join(*this, scratch, [id](const Field& f) { return f.id == id; });
}

std::optional<std::string_view> FieldsView::combined(std::string_view name, std::string& scratch) const {
  return join(*this, scratch, Named(name));
}

// --- Fields ---

Fields::Fields(FieldsView other, std::size_t extra) {
  // A larger allocation is rounded up to whole pages plus one: up to 8 KiB unused.
  constexpr std::size_t kMost = 14 * 1024;
  std::size_t left = extra;
  for (const Field& f : other) left += f.name.size() + f.value.size();
  list_.reserve(other.size());
  for (const Field& f : other) {
    const std::size_t size = f.name.size() + f.value.size();
    if (size > room_) reserve(std::max(size, std::min(left, kMost)));
    left -= size;
    list_.push_back({keep(f.name), keep(f.value), f.id});
  }
  if (list_.empty()) reserve(extra);
}

Fields& Fields::operator=(const Fields& o) {
  if (this != &o) *this = Fields(o);
  return *this;
}

void Fields::add(std::string_view name, std::string_view value) { add(Field{name, trim(value), field_id(name)}); }

void Fields::add(const Field& field) {
  // A known name in its canonical spelling needs no copy.
  const std::string_view spelling = field_name(field.id);
  push(field.name == spelling ? spelling : keep(field.name), field.value, field.id);
}

void Fields::set(std::string_view name, std::string_view value) {
  remove(name);
  add(name, value);
}

void Fields::remove(std::string_view name) { remove_if(Named(name)); }

void Fields::remove(FieldId id) {
  remove_if([id](const Field& f) { return f.id == id; });
}

void Fields::clear() {
  list_.clear();
  if (blocks_.empty()) return;
  blocks_.erase(blocks_.begin(), blocks_.end() - 1);
  free_ = blocks_.back().get();
  room_ = last_block_;
}

void Fields::reserve(std::size_t bytes, std::size_t fields) {
  if (fields != 0) list_.reserve(fields);
  if (bytes <= room_) return;
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
  free_ = blocks_.back().get();
  room_ = last_block_ = bytes;
}

std::string_view Fields::keep(std::string_view text) {
  if (text.empty()) return {};
  constexpr std::size_t kBlock = 256;
  if (text.size() > room_) reserve(std::max(text.size(), kBlock));
  char* const start = free_;
  std::memcpy(start, text.data(), text.size());
  free_ += text.size();
  room_ -= text.size();
  return {start, text.size()};
}

// --- free functions ---

void append_line(std::string& out, std::string_view name, std::string_view value) {
  // The string grows once for the whole line: answers are made of these.
  const std::size_t at = out.size();
  out.resize(at + name.size() + value.size() + 4);
  char* to = std::copy(name.begin(), name.end(), out.data() + at);
  *to++ = ':';
  *to++ = ' ';
  to = std::copy(value.begin(), value.end(), to);
  *to++ = '\r';
  *to = '\n';
}

void append_lines(std::string& out, const FieldBlock& block) {
  if (!block.lines.empty()) {
    out += block.lines;
    return;
  }
  for (const auto& f : block.fields) append_line(out, f.name, f.value);
}

bool is_hop_by_hop(FieldId id) noexcept {
  switch (id) {
    case FieldId::Connection:
    case FieldId::Http2Settings:  // RFC 7540 section 3.2.1
    case FieldId::KeepAlive:
    case FieldId::ProxyConnection:
    case FieldId::Te:
    case FieldId::Trailer:
    case FieldId::TransferEncoding:
    case FieldId::Upgrade:
    case FieldId::ProxyAuthenticate:
    case FieldId::ProxyAuthorization:
    case FieldId::ProxyAuthenticationInfo: return true;
    default: return false;
  }
}

bool connection_names(FieldsView fields, std::string_view name) noexcept {
  return std::any_of(fields.begin(), fields.end(),
                     [name](const Field& f) { return f.id == FieldId::Connection && has_piece(f.value, name); });
}

ConnectionNames::ConnectionNames(FieldsView fields) {
  for (const Field& f : fields)
    if (f.id == FieldId::Connection) for_each_piece(f.value, [this](std::string_view m) { names_.push_back(m); });
  std::sort(names_.begin(), names_.end(), less_ignoring_case);
}

bool ConnectionNames::has(std::string_view name) const noexcept {
  return std::binary_search(names_.begin(), names_.end(), name, less_ignoring_case);
}

}  // namespace forebay::http
