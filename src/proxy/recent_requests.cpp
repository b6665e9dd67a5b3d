#include "forebay/proxy/recent_requests.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

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
  if (slots_.size() < most_ && !add_slot()) return;
  auto& slot = slots_[next_];
  slot.record = record;
  slot.record.tls = nullptr;
  char* to = slot.text.get();
  std::size_t left = kMostText;
  for (const auto text : kTexts) {
    auto& view = slot.record.*text;
    if (view.empty()) continue;
    const auto size = std::min({view.size(), kLongest, left});
    std::memcpy(to, view.data(), size);
    view = {to, size};
    to += size;
    left -= size;
  }
  next_ = (next_ + 1) % most_;
}

bool RecentRequests::add_slot() noexcept {
  bool added = false;
  guarded(
      [&] {
        auto text = std::make_unique_for_overwrite<char[]>(kMostText);
        slots_.push_back({{}, std::move(text)});
        next_ = slots_.size() - 1;
        added = true;
      },
      [] {});
  return added;
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
