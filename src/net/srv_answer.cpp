#include "forebay/net/srv_answer.hpp"

#include <algorithm>

namespace forebay::net {

namespace {
constexpr std::uint16_t kAlias = 5, kSrv = 33, kInternet = 1;
constexpr std::size_t kLongestName = 255;  // RFC 1035 section 2.3.4

/// Goes through a message. After a failure every further reading fails too.
class Reader {
 public:
  explicit Reader(std::string_view message) : message_(message) {}

  bool failed() const noexcept { return failed_; }
  std::size_t at() const noexcept { return at_; }
  void skip(std::size_t n) noexcept {
    failed_ = failed_ || n > message_.size() - at_;
    if (!failed_) at_ += n;
  }
  std::uint8_t byte() noexcept {
    const auto at = at_;
    skip(1);
    return failed_ ? std::uint8_t{0} : static_cast<std::uint8_t>(message_[at]);
  }
  std::uint16_t word() noexcept {
    const unsigned high = byte();
    return static_cast<std::uint16_t>(high << 8 | byte());
  }
  std::uint32_t wide() noexcept {
    const std::uint32_t high = word();
    return high << 16 | word();
  }
  // RFC 1035 section 4.1.4. A pointer leads to an earlier place than any before it, so that reading ends.
  std::string name() {
    std::string out;
    std::size_t end = 0, first = at_;
    for (;;) {
      const unsigned length = byte();
      if (failed_ || length == 0) break;
      if (length >= 0xc0) {
        const std::size_t to = (length & 0x3fU) << 8 | byte();
        if (end == 0) end = at_;
        failed_ = failed_ || to >= first;
        if (failed_) break;
        at_ = first = to;
        continue;
      }
      const auto from = at_;
      skip(length);
      failed_ = failed_ || length > 63 || out.size() + length + 1 > kLongestName;
      if (failed_) break;
      if (!out.empty()) out += '.';
      out += message_.substr(from, length);
    }
    if (end != 0) at_ = end;
    return failed_ ? std::string() : out;
  }

 private:
  const std::string_view message_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

bool is_host(std::string_view name) noexcept {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}
}  // namespace

std::optional<SrvAnswer> read_srv_answer(std::string_view message) {
  Reader in(message);
  SrvAnswer answer;
  in.skip(4);  // id and flags
  const unsigned questions = in.word(), records = in.word();
  in.skip(4);  // the counts of the other sections
  for (unsigned i = 0; i < questions && !in.failed(); ++i) {
    in.name();
    in.skip(4);
  }
  for (unsigned i = 0; i < records && !in.failed(); ++i) {
    in.name();
    const auto type = in.word(), network = in.word();
    const std::uint32_t ttl = in.wide();
    const std::size_t size = in.word(), begin = in.at();
    const bool ours = network == kInternet && (type == kSrv || type == kAlias);
    // RFC 2181 section 8: with the highest bit set it counts as 0.
    if (ours) answer.ttl = std::min(answer.ttl, Duration{std::chrono::seconds{ttl > 0x7fffffff ? 0 : ttl}});
    if (ours && type == kSrv) {
      SrvTarget target{in.word(), in.word(), in.word(), {}};
      target.host = in.name();
      if (in.failed() || in.at() != begin + size) return std::nullopt;
      if (!target.host.empty() && is_host(target.host) && answer.targets.size() < SrvAnswer::kMostTargets)
        answer.targets.push_back(std::move(target));
    } else {
      in.skip(size);
    }
  }
  if (in.failed()) return std::nullopt;
  return answer;
}

}  // namespace forebay::net
