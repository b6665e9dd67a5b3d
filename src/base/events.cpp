#include "forebay/base/events.hpp"

#include <algorithm>
#include <array>

#include "forebay/base/mutex.hpp"
#include "forebay/base/text.hpp"

namespace forebay::events {
namespace {

struct Ring {
  Mutex mutex;
  std::array<EventPtr, kMost> events FOREBAY_GUARDED_BY(mutex);  // that of id n is at n % kMost
  std::uint64_t last FOREBAY_GUARDED_BY(mutex) = 0;
};

// Never destroyed: threads may record after the statics of main are destroyed.
Ring& the_ring() {
  static auto* ring = new Ring;
  return *ring;
}

std::string_view cut(std::string_view text) {
  if (text.size() <= kMostText) return text;
  std::size_t end = kMostText;
  // Not within a character of UTF-8.
  while (end > kMostText - 4 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

std::string members(std::initializer_list<Detail> details) {
  std::string out;
  std::size_t n = 0;
  for (const auto& d : details) {
    if (++n > kMostDetails) break;
    if (!out.empty()) out += ',';
    append_json_string(out, d.name);
    out += ':';
    if (d.is_number)
      append_number(out, d.number);
    else
      append_json_string(out, cut(d.text));
  }
  return out;
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
  switch (kind) {
    case Kind::Start: return "start";
    case Kind::Reload: return "reload";
    case Kind::Purge: return "purge";
    case Kind::Origin: return "origin";
    case Kind::Circuit: return "circuit";
    case Kind::Failover: return "failover";
    case Kind::Limit: return "limit";
    case Kind::LogLevel: return "log_level";
    case Kind::Drain: return "drain";
    case Kind::Undrain: return "undrain";
    case Kind::Stop: return "stop";
    case Kind::kCount: break;
  }
  return "";
}

void record(Timestamp now, Kind kind, std::string_view text, std::initializer_list<Detail> details) {
  const auto made = std::make_shared<Event>();
  made->at = now;
  made->kind = kind;
  made->text = cut(text);
  made->details = members(details);
  EventPtr event = made;
  auto& ring = the_ring();
  const MutexLock lock(ring.mutex);
  made->id = ++ring.last;
  ring.events[ring.last % kMost].swap(event);  // what was there is freed after the lock
}

std::vector<EventPtr> latest(std::size_t most) {
  std::vector<EventPtr> out;
  out.reserve(std::min(most, kMost));
  auto& ring = the_ring();
  const MutexLock lock(ring.mutex);
  for (auto id = ring.last; id != 0 && out.size() < most; --id) {
    const auto& event = ring.events[id % kMost];
    if (!event || event->id != id) break;
    out.push_back(event);
  }
  return out;
}

}  // namespace forebay::events
