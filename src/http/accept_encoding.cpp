#include "forebay/http/accept_encoding.hpp"

#include <algorithm>

#include "forebay/http/fields.hpp"
#include "forebay/http/list.hpp"
#include "http/chars.hpp"

namespace forebay::http {
namespace {

constexpr std::string_view kIdentity = "identity";

struct Weighted {
  std::string_view coding;
  int weight = 1000;  // thousandths
};

// RFC 9110 section 8.4.1: the two names that mean the same as others.
std::string_view usual_name(std::string_view coding) noexcept {
  if (iequals(coding, "x-gzip")) return "gzip";
  return iequals(coding, "x-compress") ? "compress" : coding;
}

// `coding` or `coding;q=0.5`, with blanks around the semicolon.
std::optional<Weighted> read_member(std::string_view member) noexcept {
  const auto semicolon = member.find(';');
  Weighted w{usual_name(trim(member.substr(0, semicolon)))};
  if (!is_token(w.coding)) return std::nullopt;
  if (semicolon == std::string_view::npos) return w;
  const auto parameter = trim(member.substr(semicolon + 1));
  if (parameter.size() < 2 || to_lower(parameter[0]) != 'q' || parameter[1] != '=') return std::nullopt;
  const auto weight = parse_qvalue(parameter.substr(2));
  if (!weight) return std::nullopt;
  w.weight = *weight;
  return w;
}

int compare(std::string_view a, std::string_view b) noexcept {
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    const auto x = static_cast<unsigned char>(to_lower(a[i])), y = static_cast<unsigned char>(to_lower(b[i]));
    if (x != y) return x < y ? -1 : 1;
  }
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

// The members of one field, each coding once.
class Members {
 public:
  bool read(std::string_view value) noexcept {
    bool readable = true;
    for_each_member(value, [&](std::string_view text) {
      const auto member = read_member(text);
      readable = member && add(*member);
      return readable;
    });
    return readable;
  }

  // The weight of a coding that is named.
  std::optional<int> weight(std::string_view coding) const noexcept {
    for (const auto& m : *this)
      if (iequals(m.coding, coding)) return m.weight;
    return std::nullopt;
  }
  template <class Predicate>
  void remove_if(Predicate&& p) noexcept {
    count_ = static_cast<std::size_t>(std::remove_if(list_.data(), last(), p) - list_.data());
  }
  void sort() noexcept {
    std::sort(list_.data(), last(), [](const Weighted& a, const Weighted& b) {
      return a.weight != b.weight ? a.weight > b.weight : compare(a.coding, b.coding) < 0;
    });
  }
  const Weighted* begin() const noexcept { return list_.data(); }
  const Weighted* end() const noexcept { return list_.data() + count_; }

 private:
  Weighted* last() noexcept { return list_.data() + count_; }
  bool add(const Weighted& member) noexcept {
    if (const auto known = weight(member.coding)) return *known == member.weight;
    if (count_ == list_.size()) return false;
    list_[count_++] = member;
    return true;
  }
  std::array<Weighted, 32> list_;
  std::size_t count_ = 0;
};

// Takes out what says nothing: refusals of codings that are not acceptable anyway, and identity where it is acceptable
// and every other coding is preferred to it. Gives whether identity is refused.
bool reduce(Members& members) noexcept {
  const auto star = members.weight("*");
  const auto identity = members.weight(kIdentity);
  if (star.value_or(0) > 0) return false;  // all are acceptable but those refused by name: every member counts
  const bool refused = identity ? *identity == 0 : star.has_value();
  members.remove_if([](const Weighted& m) { return m.weight == 0; });
  const auto above = [&](const Weighted& m) { return iequals(m.coding, kIdentity) || m.weight > *identity; };
  if (identity && !refused && std::all_of(members.begin(), members.end(), above))
    members.remove_if([](const Weighted& m) { return iequals(m.coding, kIdentity); });
  return refused;
}

}  // namespace

std::optional<int> parse_qvalue(std::string_view q) noexcept {
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

AcceptedCodings::AcceptedCodings(std::optional<std::string_view> field) noexcept : any_(!field) {
  if (!field) return;
  for_each_member(*field, [&](std::string_view text) {
    const auto member = read_member(text);
    const auto coding = member ? member->coding : usual_name(trim(text.substr(0, text.find(';'))));
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
    std::transform(m.coding.begin(), m.coding.end(), std::back_inserter(out), to_lower);
    previous = &m;
  }
  if (identity_refused) out.append("/").append(kIdentity);
  return true;
}

}  // namespace forebay::http
