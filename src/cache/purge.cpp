#include "purge.hpp"

#include <algorithm>

#include "key_text.hpp"

namespace forebay::cache {
namespace {

// Digests of different kinds are in one list.
Digest of_kind(Digest name, PurgeKind kind) noexcept {
  name.hi += 0x9E3779B97F4A7C15u * (static_cast<std::uint64_t>(kind) + 1);
  return name;
}

std::string_view span_of(std::string_view text, std::uint32_t from, std::uint32_t to) noexcept {
  return text.substr(from, to - from);
}

std::string_view path_in(std::string_view text, const UrlSpans& url) noexcept {
  return span_of(text, url.path_from, url.path_to);
}

// Two bits of 64.
std::uint64_t bits(std::uint64_t hash) noexcept {
  return std::uint64_t{1} << (hash & 63) | std::uint64_t{1} << (hash >> 6 & 63);
}

std::uint64_t host_bits(std::string_view host) noexcept { return bits(digest_of(host).lo >> 12); }

// The folders that a path is in, outermost first. All are in the first one, which says nothing.
std::uint64_t folder_bits(std::string_view path) noexcept {
  constexpr int kFolders = 4;
  std::uint64_t all = 0;
  auto to = path.find('/', 1);
  for (int i = 0; i < kFolders && to != std::string_view::npos; ++i, to = path.find('/', to + 1))
    all |= bits(digest_of(path.substr(0, to)).lo);
  return all;
}

}  // namespace

Signature signature_of_route(std::string_view route) noexcept { return {0, bits(digest_of(route).lo)}; }

Signature signature_of_id(const Digest& id) noexcept { return {0, bits(id.lo >> 24)}; }

Signature signature_of(std::string_view key_text, const UrlSpans& url) noexcept {
  constexpr auto kAny = ~std::uint64_t{0};
  if (url.host_from == 0) return {url.path_from == 0 ? kAny : folder_bits(path_in(key_text, url)), kAny};
  Signature names = signature_of_route(route_in(key_text));
  names.add(signature_of_id(digest_of(key_text)));
  names.second |= host_bits(span_of(key_text, url.host_from, url.host_to));
  names.first = url.path_from == 0 ? kAny : folder_bits(path_in(key_text, url));
  return names;
}

Digest tag_digest(std::string_view tag) noexcept { return digest_of(tag); }

std::string_view to_string(PurgeMode mode) noexcept { return mode == PurgeMode::Hard ? "hard" : "soft"; }

std::string_view to_string(PurgeKind kind) noexcept {
  static constexpr std::array<std::string_view, kPurgeKinds> kNames{"url", "prefix", "tag",  "route",
                                                                    "id",  "all",    "write"};
  return kNames[static_cast<std::size_t>(kind)];
}

UrlMatcher::UrlMatcher(const UrlPattern& pattern)
    : how_(pattern.how), with_query_(pattern.text.find('?') != std::string::npos) {
  append_escaped(host_, pattern.host, kInPart);
  append_escaped(route_, pattern.route, kInPart);
  names_ = {0, (host_.empty() ? 0 : host_bits(host_)) | (route_.empty() ? 0 : signature_of_route(route_).second)};
  if (!route_.empty()) route_ += '|';
  const auto text = std::string_view(pattern.text);
  if (is_of_key()) {
    text_ = text;
    if (text.starts_with("|/")) names_.first = folder_bits(text.substr(1, text.find('|', 1) - 1));
    return;
  }
  const auto query = std::min(text.find('?'), text.size());
  append_escaped(text_, text.substr(0, query), kInPart);
  auto literal = std::string_view(text_);
  if (how_ == UrlPattern::How::Glob) literal = literal.substr(0, literal.find('*'));
  names_.first = folder_bits(literal);
  if (with_query_) {
    text_ += "|q:";
    std::string decoded;
    decode_unreserved(text.substr(query + 1), decoded);
    append_escaped(text_, decoded, kInPart);
  }
  if (how_ == UrlPattern::How::Glob) glob_ = Glob(text_);
}

Digest UrlMatcher::digest() const {
  // Escaped texts have no control bytes.
  std::string all(1, static_cast<char>('0' + static_cast<int>(how_)));
  all += with_query_ ? '?' : ' ';
  return digest_of(all.append(route_).append("\n").append(host_).append("\n").append(text_));
}

bool UrlMatcher::matches_keyed(std::string_view key_text, const UrlSpans& url) const noexcept {
  const auto own = key_text.substr(url.host_to);
  if (url.host_from == 0 || !own.starts_with(text_)) return false;
  const auto rest = own.substr(text_.size());
  if (how_ == UrlPattern::How::Searched) return rest.starts_with('|') && rest.find("|n:") != std::string_view::npos;
  return rest.empty() || (rest.front() == '|' && !rest.starts_with("|q:"));
}

bool UrlMatcher::matches(std::string_view key_text, const UrlSpans& url) const noexcept {
  if (!host_.empty() && url.host_from != 0 && span_of(key_text, url.host_from, url.host_to) != host_) return false;
  if (!route_.empty() && !key_text.starts_with(route_)) return false;
  if (is_of_key()) return matches_keyed(key_text, url);
  if (url.path_from == 0) return !route_.empty();
  const auto end = with_query_ || how_ == UrlPattern::How::Prefix ? url.query_to : url.path_to;
  const auto own = span_of(key_text, url.path_from, end);
  switch (how_) {
    case UrlPattern::How::Exact: return own == text_;
    case UrlPattern::How::Prefix: return own.starts_with(text_);
    case UrlPattern::How::Glob:
    case UrlPattern::How::Keyed:
    case UrlPattern::How::Searched: break;
  }
  return glob_.matches(own);
}

namespace {
constexpr std::size_t kMostCompared = 256 * 1024;  // bytes
}  // namespace

std::uint64_t PurgeLog::add(const PurgeOrder& order) {
  // Made before the lock is taken, which look-ups may wait for, and freed after it.
  std::vector<Digest> names, equal;
  std::vector<Pattern> patterns;
  Wide old;
  if (!order.all) {
    for (const auto& r : order.resources) names.push_back(of_kind(r, PurgeKind::Url));
    for (const auto& t : order.tags) names.push_back(of_kind(t, PurgeKind::Tag));
    for (const auto& i : order.ids) names.push_back(of_kind(i, PurgeKind::Id));
    std::string text;
    for (const auto& r : order.routes) {
      text.clear();
      append_escaped(text, r, kInPart);
      names.push_back(of_kind(digest_of(text), PurgeKind::Route));
    }
    for (const auto& u : order.urls) {
      UrlMatcher url(u);
      const auto digest = url.digest();
      patterns.push_back({0, digest, std::move(url)});
      equal.push_back(digest);
    }
    std::sort(equal.begin(), equal.end());
    if (names.size() > capacity_) std::sort(names.begin(), names.end());
  }
  const MutexLock lock(mutex_);
  const auto sequence = sequence_.load(std::memory_order_relaxed) + 1;
  if (order.all) {
    all_ = sequence;
    if (order.mode == PurgeMode::Hard) all_hard_.store(sequence, std::memory_order_release);
  } else {
    if (names.size() > capacity_) {
      if (wide_.size() == kMostWide) {
        forgotten_ = std::max(forgotten_, wide_.front().sequence);
        old = std::move(wide_.front());
        wide_.pop_front();
      }
      wide_.push_back({sequence, std::move(names)});
    } else {
      for (const auto& n : names) name(sequence, n);
    }
    if (!equal.empty())
      std::erase_if(patterns_,
                    [&](const Pattern& p) { return std::binary_search(equal.begin(), equal.end(), p.digest); });
    for (auto& p : patterns) {
      p.sequence = sequence;
      patterns_.push_back(std::move(p));
    }
    forget(sequence);
  }
  sequence_.store(sequence, std::memory_order_release);
  return sequence;
}

void PurgeLog::name(std::uint64_t sequence, const Digest& name) {
  named_.push_back({sequence, name});
  latest_[name] = sequence;
}

void PurgeLog::forget(std::uint64_t newest) {
  for (; named_.size() > capacity_; named_.pop_front()) {
    const auto& oldest = named_.front();
    const auto at = latest_.find(oldest.name);
    // Nothing is lost where a later order has the same name.
    if (at == latest_.end() || at->second != oldest.sequence) continue;
    forgotten_ = std::max(forgotten_, oldest.sequence);
    latest_.erase(at);
  }
  for (; patterns_.size() > pattern_capacity_ && patterns_.front().sequence != newest; patterns_.pop_front())
    forgotten_ = std::max(forgotten_, patterns_.front().sequence);
}

bool PurgeLog::named_after(std::uint64_t since, const Digest& name) const {
  const auto at = latest_.find(name);
  if (at != latest_.end() && at->second > since) return true;
  for (auto w = wide_.rbegin(); w != wide_.rend() && w->sequence > since; ++w)
    if (std::binary_search(w->names.begin(), w->names.end(), name)) return true;
  return false;
}

bool PurgeLog::forbids(std::uint64_t since, const Purgeable& what) const {
  if (since == current()) return false;
  const auto route = digest_of(route_in(what.key_text));
  const auto id = digest_of(what.key_text);
  const MutexLock lock(mutex_);
  if (since < forgotten_ || since < all_) return true;
  if (named_after(since, of_kind(what.resource, PurgeKind::Url)) ||
      named_after(since, of_kind(route, PurgeKind::Route)) || named_after(since, of_kind(id, PurgeKind::Id)))
    return true;
  for (const auto& t : what.tags)
    if (named_after(since, of_kind(t, PurgeKind::Tag))) return true;
  // Where it would take long under this lock, it counts as named.
  std::size_t work = 0;
  for (auto p = patterns_.rbegin(); p != patterns_.rend() && p->sequence > since; ++p) {
    work += p->url.work(what.url);
    if (work > kMostCompared || p->url.matches(what.key_text, what.url)) return true;
  }
  return false;
}

bool PurgeLog::forbids_tags(std::uint64_t since, std::span<const Digest> tags) const {
  if (since == current() || tags.empty()) return false;
  const MutexLock lock(mutex_);
  if (since < forgotten_) return true;
  return std::any_of(tags.begin(), tags.end(), [&](const Digest& t) FOREBAY_NOT_ANALYSED {
    return named_after(since, of_kind(t, PurgeKind::Tag));
  });
}

}  // namespace forebay::cache
