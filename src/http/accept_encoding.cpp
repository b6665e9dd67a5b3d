#include "forebay/http/accept_encoding.hpp"

#include <algorithm>

#include "forebay/base/text.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"

namespace forebay::http {
namespace {

constexpr std::string_view kIdentity = "identity";

// RFC 9110 section 8.4.1: the two names that mean the same as others.
std::string_view usual_name(std::string_view coding) noexcept {
  if (iequals(coding, "x-gzip")) return "gzip";
  return iequals(coding, "x-compress") ? "compress" : coding;
}

std::optional<Weighted> read_coding(std::string_view member) noexcept {
  auto w = read_weighted(member);
  if (w) w->token = usual_name(w->token);
  return w;
}

// The members of one field, each coding once.
class Members {
 public:
  bool read(std::string_view value) noexcept {
    bool readable = true;
    for_each_member(value, [&](std::string_view text) {
      const auto member = read_coding(text);
      readable = member && add(*member);
      return readable;
    });
    return readable;
  }

  // The weight of a coding that is named.
  std::optional<int> weight(std::string_view coding) const noexcept {
    for (const auto& m : *this)
      if (iequals(m.token, coding)) return m.weight;
    return std::nullopt;
  }
  template <class Predicate>
  void remove_if(Predicate&& p) noexcept {
    count_ = static_cast<std::size_t>(std::remove_if(list_.data(), last(), p) - list_.data());
  }
  void sort() noexcept { std::sort(list_.data(), last(), preferred); }
  const Weighted* begin() const noexcept { return list_.data(); }
  const Weighted* end() const noexcept { return list_.data() + count_; }

 private:
  Weighted* last() noexcept { return list_.data() + count_; }
  bool add(const Weighted& member) noexcept {
    if (const auto known = weight(member.token)) return *known == member.weight;
    if (count_ == list_.size()) return false;
    list_[count_++] = member;
    return true;
  }
  std::array<Weighted, 32> list_;
  std::size_t count_ = 0;
};

// Removes redundant members: refusals of codings that are not acceptable anyway, and identity if it is acceptable and
// every other coding is preferred to it. Returns whether identity is refused.
bool reduce(Members& members) noexcept {
  const auto star = members.weight("*");
  const auto identity = members.weight(kIdentity);
  if (star.value_or(0) > 0) return false;  // all are acceptable but those refused by name: every member counts
  const bool refused = identity ? *identity == 0 : star.has_value();
  members.remove_if([](const Weighted& m) { return m.weight == 0; });
  const auto above = [&](const Weighted& m) { return iequals(m.token, kIdentity) || m.weight > *identity; };
  if (identity && !refused && std::all_of(members.begin(), members.end(), above))
    members.remove_if([](const Weighted& m) { return iequals(m.token, kIdentity); });
  return refused;
}

}  // namespace

namespace {

// A qvalue in thousandths.
std::optional<int> read_qvalue(std::string_view q) noexcept {
  if (q.empty() || q.size() > 5 || (q[0] != '0' && q[0] != '1') || (q.size() > 1 && q[1] != '.')) return std::nullopt;
  int value = (q[0] - '0') * 1000;
  int place = 100;
  for (const char c : q.substr(std::min<std::size_t>(q.size(), 2))) {
    if (!is_digit(c)) return std::nullopt;
    value += (c - '0') * place;
    place /= 10;
  }
  return value <= 1000 ? std::optional(value) : std::nullopt;
}

// `q=0.5`
std::optional<int> read_weight(std::string_view parameter) noexcept {
  if (parameter.size() < 2 || to_lower(parameter[0]) != 'q' || parameter[1] != '=') return std::nullopt;
  return read_qvalue(parameter.substr(2));
}

}  // namespace

std::optional<Weighted> read_weighted(std::string_view member) noexcept {
  const auto semicolon = member.find(';');
  Weighted w{trim(member.substr(0, semicolon))};
  if (!is_token(w.token)) return std::nullopt;
  if (semicolon == std::string_view::npos) return w;
  const auto weight = read_weight(trim(member.substr(semicolon + 1)));
  if (!weight) return std::nullopt;
  w.weight = *weight;
  return w;
}

bool preferred(const Weighted& a, const Weighted& b) noexcept {
  return a.weight != b.weight ? a.weight > b.weight : less_ignoring_case(a.token, b.token);
}

int weight_among(std::string_view parameters) noexcept {
  int weight = 1000;
  while (!parameters.empty()) {
    const auto end = std::min(parameters.find(';'), parameters.size());
    weight = read_weight(trim(parameters.substr(0, end))).value_or(weight);
    parameters.remove_prefix(std::min(end + 1, parameters.size()));
  }
  return weight;
}

AcceptedCodings::AcceptedCodings(std::optional<std::string_view> field) noexcept : any_(!field) {
  if (!field) return;
  for_each_member(*field, [&](std::string_view text) {
    const auto member = read_coding(text);
    const auto coding = member ? member->token : usual_name(trim(text.substr(0, text.find(';'))));
    members_[count_++] = {coding, member && member->weight > 0};
    return count_ < kMost;
  });
}

bool AcceptedCodings::accepts_one(std::string_view coding) const noexcept {
  std::optional<bool> named, star;
  for (std::size_t i = 0; i < count_; ++i) {
    const Member& m = members_[i];
    // Named twice, the refusal counts.
    if (iequals(m.coding, coding)) named = named.value_or(true) && m.accepted;
    if (m.coding == "*") star = star.value_or(true) && m.accepted;
  }
  return named.value_or(star.value_or(iequals(coding, kIdentity)));
}

bool AcceptedCodings::accept(std::string_view content_encoding) const noexcept {
  if (any_) return true;
  bool all = true;
  for_each_member(content_encoding, [&](std::string_view coding) {
    all = accepts_one(usual_name(coding));
    return all;
  });
  return all;
}

void read_coding_weights(std::string_view value, std::span<const std::string_view> codings,
                         std::span<int> weights) noexcept {
  constexpr int kUnnamed = -1;
  std::fill(weights.begin(), weights.end(), kUnnamed);
  int star = kUnnamed;
  const auto lower = [](int& known, int weight) { known = known == kUnnamed ? weight : std::min(known, weight); };
  std::size_t count = 0;
  for_each_member(value, [&](std::string_view text) {
    const auto member = read_coding(text);
    const auto coding = member ? member->token : usual_name(trim(text.substr(0, text.find(';'))));
    const int weight = member ? member->weight : 0;
    if (coding == "*") lower(star, weight);
    for (std::size_t i = 0; i < codings.size(); ++i)
      if (iequals(coding, codings[i])) lower(weights[i], weight);
    return ++count < AcceptedCodings::kMost;
  });
  for (std::size_t i = 0; i < codings.size(); ++i) {
    if (weights[i] != kUnnamed) continue;
    if (star != kUnnamed)
      weights[i] = star;
    else if (!iequals(codings[i], kIdentity))
      weights[i] = 0;
  }
}

bool append_normal_accept_encoding(std::string_view value, std::string& out) {
  Members members;
  if (!members.read(value)) return false;
  const bool identity_refused = reduce(members);
  members.sort();
  const Weighted* previous = nullptr;
  for (const auto& m : members) {
    if (m.weight == 0)
      out.push_back('/');  // in no coding's name, as the other two
    else if (previous)
      out.push_back(previous->weight == m.weight ? ',' : '>');
    append_lower(out, m.token);
    previous = &m;
  }
  if (identity_refused) out.append("/").append(kIdentity);
  return true;
}

}  // namespace forebay::http
