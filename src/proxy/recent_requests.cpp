#include "forebay/proxy/recent_requests.hpp"

#include <algorithm>

#include "access_format.hpp"
#include "forebay/base/guarded.hpp"

namespace forebay::proxy {
namespace {

/// Bytes of the texts of one request; what is longer is cut.
constexpr std::size_t kLongest = 512, kMostText = 2048;

/// The id comes first: it is never cut.
constexpr std::string_view AccessRecord::*kTexts[] = {
    &AccessRecord::request_id,     &AccessRecord::method,        &AccessRecord::scheme,
    &AccessRecord::host,           &AccessRecord::route,         &AccessRecord::key_id,
    &AccessRecord::path,           &AccessRecord::query,         &AccessRecord::remote,
    &AccessRecord::client,         &AccessRecord::coding,        &AccessRecord::origin_name,
    &AccessRecord::origin_address, &AccessRecord::origin_error,  &AccessRecord::origin_detail,
    &AccessRecord::failed_origin,  &AccessRecord::failed_by,     &AccessRecord::error_code,
    &AccessRecord::error_detail,   &AccessRecord::origin_method, &AccessRecord::tunnel_protocol,
    &AccessRecord::tunnel_end,     &AccessRecord::trace_id,      &AccessRecord::span_id,
    &AccessRecord::parent_id,      &AccessRecord::trace_link,    &AccessRecord::user_agent,
    &AccessRecord::referer};

}  // namespace

void RecentRequests::keep(const AccessRecord& record) noexcept {
  if (record.request_id.empty()) return;
  guarded(
      [&] {
        if (slots_.size() < most_) {
          slots_.reserve(most_);  // Views of short texts would not survive a move.
          slots_.emplace_back();
          next_ = slots_.size() - 1;
        }
        auto& slot = slots_[next_];
        // Until its texts are there it is nobody's.
        slot.record = {};
        std::size_t size = 0;
        for (const auto text : kTexts) size += std::min((record.*text).size(), kLongest);
        slot.text.clear();
        slot.text.reserve(std::min(size, kMostText));
        auto copy = record;
        copy.tls = nullptr;
        for (const auto text : kTexts) {
          const auto at = slot.text.size();
          slot.text.append((record.*text).substr(0, std::min(kLongest, kMostText - at)));
          copy.*text = std::string_view(slot.text).substr(at);
        }
        slot.record = copy;
        next_ = (next_ + 1) % most_;
      },
      [] {});
}

std::vector<RecentRequests::Found> RecentRequests::find(std::string_view id, std::size_t most,
                                                        const config::AccessLog& config) const {
  std::vector<Found> found;
  for (std::size_t i = 1; i <= slots_.size() && found.size() < most; ++i) {
    const auto& record = slots_[(next_ + slots_.size() - i) % slots_.size()].record;
    if (record.request_id != id) continue;
    found.push_back({record.at, record.reason, {}});
    append_json(found.back().json, record, config);
  }
  return found;
}

RecentRequestsOfAll::RecentRequestsOfAll(std::size_t workers) {
  const auto each = std::max<std::size_t>(kMost / std::max<std::size_t>(workers, 1), 16);
  for (std::size_t i = 0; i < workers; ++i) workers_.push_back(std::make_unique<RecentRequests>(each));
}

}  // namespace forebay::proxy
