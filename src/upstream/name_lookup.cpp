#include "upstream/name_lookup.hpp"

#include <algorithm>

#include "forebay/base/guarded.hpp"

namespace forebay::upstream {

void NameLookup::addresses_of(const std::string& host, std::uint16_t port) {
  first_ = resolver_.ask(host, [this, port](const net::Resolved& answer) {
    Found found{answer.result, {}, answer.ttl, answer.complete};
    guarded([&] { found.addresses = interleaved(answer.v6, answer.v4, port); },
            [&] { found.result = net::Resolution::Memory; });
    done_(std::move(found));
  });
}

void NameLookup::targets_of(const std::string& service) {
  first_ = resolver_.ask_targets(service, [this](const net::ResolvedTargets& found) {
    if (found.result != net::Resolution::Found) return done_({found.result});
    guarded([&] { ask_about(found); },
            [&] {
              lookups_.clear();
              done_({net::Resolution::Memory});
            });
  });
}

void NameLookup::ask_about(const net::ResolvedTargets& found) {
  targets_ = found.answer.targets;
  std::stable_sort(targets_.begin(), targets_.end(),
                   [](const auto& a, const auto& b) { return a.priority < b.priority; });
  if (targets_.size() > kMostTargets) targets_.resize(kMostTargets);
  ttl_ = found.answer.ttl;
  left_ = targets_.size();
  answers_.resize(left_);
  for (std::size_t i = 0; i < targets_.size(); ++i)
    lookups_.push_back(
        resolver_.ask(targets_[i].host, [this, i](const net::Resolved& answer) { answered(i, answer); }));
}

// A target without addresses is left out; none with any is a failure.
void NameLookup::answered(std::size_t target, const net::Resolved& answer) {
  if (!answer.complete) return;
  Found found;
  guarded(
      [&] {
        answers_[target] = answer;
        if (--left_ != 0) return;
        found.result = net::Resolution::NoName;
        for (const auto& one : answers_) found.result = std::max(found.result, one.result);
        found.ttl = ttl_;
        for (std::size_t i = 0; i < targets_.size(); ++i) {
          if (answers_[i].result != net::Resolution::Found) continue;
          found.ttl = std::min(found.ttl, answers_[i].ttl);
          for (auto& address : interleaved(answers_[i].v6, answers_[i].v4, targets_[i].port)) {
            address.target = static_cast<unsigned>(i);
            address.priority = targets_[i].priority;
            address.weight = targets_[i].weight;
            found.addresses.push_back(std::move(address));
          }
        }
        if (!found.addresses.empty()) found.result = net::Resolution::Found;
      },
      [&] {
        lookups_.clear();
        left_ = 0;
        found = {};
      });
  if (left_ == 0) done_(std::move(found));
}

}  // namespace forebay::upstream
