#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace forebay::http {

/// A member of Accept-Encoding or Accept-Language, and its weight in thousandths (RFC 9110 section 12.4.2).
struct Weighted {
  std::string_view token;
  int weight = 1000;
};
/// Reads `token` or `token;q=0.5`, with blanks around the semicolon; nothing for all else.
std::optional<Weighted> read_weighted(std::string_view member) noexcept;
/// Orders by falling weight, then by name.
bool preferred(const Weighted& a, const Weighted& b) noexcept;
/// The weight among the parameters of a media range, `level=1;q=0.3`, in thousandths; 1000 when none can be read, the
/// last of several.
int weight_among(std::string_view parameters) noexcept;

/// Which content codings a request accepts (RFC 9110 section 12.5.3). Borrows the field's text.
class AcceptedCodings {
 public:
  static constexpr std::size_t kMost = 16;  ///< Members that are read; a longer list refuses all codings beyond them.

  AcceptedCodings() = default;
  /// `field`: all lines of Accept-Encoding, joined; nothing when there are none, which accepts every coding.
  explicit AcceptedCodings(std::optional<std::string_view> field) noexcept;
  /// Whether content with this Content-Encoding (a list) may be sent. A member whose weight cannot be read is refused.
  bool accept(std::string_view content_encoding) const noexcept;

 private:
  struct Member {
    std::string_view coding;
    bool accepted = false;
  };
  bool accepts_one(std::string_view coding) const noexcept;
  std::array<Member, kMost> members_{};
  std::size_t count_ = 0;
  bool any_ = true;
};

/// Reads the weights, in thousandths, of some codings from an Accept-Encoding value, identity among them: 0 is refused,
/// and -1 stands for an identity that nothing is said of, which is acceptable. A member whose weight cannot be read is
/// refused, of two members for one coding the lower weight counts, and at most `AcceptedCodings::kMost` members are
/// read.
void read_coding_weights(std::string_view value, std::span<const std::string_view> codings,
                         std::span<int> weights) noexcept;

/// The normal form of an Accept-Encoding value: the acceptable codings, known or not, by falling preference; codings of
/// equal weight sorted by name. It contains neither weights, nor identity if that is only the last resort. False, with
/// nothing appended, for a value without a normal form: unreadable, a coding twice with different weights, or more than
/// 32 members.
bool append_normal_accept_encoding(std::string_view value, std::string& out);

}  // namespace forebay::http
