#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace forebay::cache {
struct Capture;
}

namespace forebay::config {

/// The target of a redirect, compiled: a URL or path with parts of the request in braces, such as
/// `https://{host}/new/{id}?{query}`.
struct RedirectTarget {
  enum class Part : std::uint8_t {
    Host,     ///< Without port.
    Path,     ///< In normal form.
    Query,    ///< As sent. Without one, a "?" or "&" in front of it is left out where the target ends with it.
    Capture,  ///< Of the route's path; a capture named like one of the others goes first.
  };
  struct Piece {
    std::string text;  ///< What stands before the part.
    Part part = Part::Host;
    std::string capture;    ///< Its name.
    bool in_query = false;  ///< It stands behind a "?" or "#".
  };
  std::vector<Piece> pieces;
  std::string end;  ///< What stands behind the last part.

  /// Why a text is no target.
  struct Fault {
    bool unknown_part = false;  ///< `message` is about a name in braces.
    std::string message, hint;
  };
  static std::optional<RedirectTarget> compile(std::string_view text, const std::vector<std::string>& captures,
                                               Fault& fault);

  struct Request {
    std::string_view host;  ///< In normal form; may have a port.
    std::string_view path;  ///< In normal form.
    std::optional<std::string_view> query{};
    std::span<const cache::Capture> captures{};
  };
  /// The value of Location: bytes that a URL cannot have are percent-encoded, and a path never begins with "//", which
  /// would name another host. Nothing where the target needs a host and the request has none.
  std::optional<std::string> expand(const Request& request) const;
};

}  // namespace forebay::config
