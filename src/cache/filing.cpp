#include "filing.hpp"

#include <algorithm>

namespace forebay::cache {
namespace {

VaryRef ref_of(const rules::VaryList& list) {
  return list.names.empty() ? VaryRef() : VaryRef(new VaryNames(list.names));
}

}  // namespace

bool includes(const VaryRef& all, const std::vector<std::string>& some) noexcept {
  return some.empty() || (all && std::includes(all->names.begin(), all->names.end(), some.begin(), some.end()));
}

bool includes(const VaryRef& all, const VaryRef& some) noexcept { return !some || includes(all, some->names); }

http::AcceptedCodings accepted_codings(const Selecting& request, std::string& scratch) {
  static const std::vector<std::string> kName{"accept-encoding"};
  const auto own = request.codings_of_client();
  const auto fields = own ? *own : request.fields(kName);
  return http::AcceptedCodings(fields.combined(http::FieldId::AcceptEncoding, scratch));
}

Filing::Filing(const rules::VaryList& stated, const Head& head, const Selecting& request, const rules::Policy& policy,
               Timestamp now, VaryRef guess)
    : request_(request), ignored_(!policy.vary), now_(now), known_(std::move(guess)) {
  const auto coding = head.fields.value(http::FieldId::ContentEncoding);
  encoded_ = coding && !coding->empty() && !http::iequals(*coding, "identity");
  unwelcome_ = encoded_ && !accepted_codings(request, scratch_).accept(*coding);
  if (ignored_) return;
  stated_ = ref_of(stated);
}

void Filing::build() {
  built_ = true;
  refusable_ = encoded_;
  if (ignored_) return;
  names_ = known_;
  if (weighed_ || !includes(known_, stated_)) {
    std::vector<std::string> names;
    const auto add = [&](const VaryRef& more) {
      if (more) names.insert(names.end(), more->names.begin(), more->names.end());
    };
    if (!weighed_) add(known_);
    for (const auto& b : basis_) add(b);
    add(stated_);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    // The origin names new fields all the time: only the latest count.
    if (names.size() > rules::kMostVaryNames) names = stated_ ? stated_->names : std::vector<std::string>();
    if (!known_ || names != known_->names)
      names_ = names.empty() ? VaryRef() : VaryRef(new VaryNames(std::move(names)));
  }
  if (stated_ && names_ && stated_->names == names_->names) stated_ = names_;
  secondary_.clear();
  if (!names_) return;
  rules::append_secondary_key(names_->names, request_.fields(names_->names), secondary_);
  const bool selected = !request_.codings_of_client() &&
                        std::binary_search(names_->names.begin(), names_->names.end(), "accept-encoding");
  refusable_ = selected ? unwelcome_ : encoded_;
}

bool Filing::forgets(const Slot& slot) const noexcept {
  return slot.vary && !includes(stated_, slot.vary) && now_ > slot.vary_seen + kVaryRemembered;
}

bool Filing::fits(const Slot* slot) const noexcept {
  if (ignored_) return true;
  if (known_ != (slot ? slot->vary : VaryRef())) return false;
  return weighed_ || !slot || !forgets(*slot);
}

void Filing::take(const Slot* slot) {
  built_ = false;
  known_ = slot ? slot->vary : VaryRef();
  basis_.clear();
  weighed_ = slot && forgets(*slot);
  if (!weighed_) return;
  for (const Variant* v = slot->newest; v; v = v->next_older) basis_.push_back(v->stated);
}

void Filing::file(Shard& shard, Slot& slot, Garbage& garbage, Charge room) const {
  if (ignored_) return;
  if (weighed_ || stated_ == names_) slot.vary_seen = now_;
  if (slot.vary != names_) {
    garbage.take(Owner(slot.take_names(names_, shard.budget, room)));
    for (Variant* v = slot.newest; v;) {
      Variant* older = v->next_older;
      if (v->vary != names_) shard.remove(*v, Removal::Replaced, garbage);
      v = older;
    }
    slot.vary_seen = now_;
  }
}

}  // namespace forebay::cache
