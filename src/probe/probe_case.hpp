#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/clock.hpp"
#include "forebay/config/config.hpp"
#include "forebay/config/route_table.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/http/message.hpp"

// The requests of `forebay check --probe`, and the evaluation of their responses. Opens no sockets.

namespace forebay::probe {

/// A URL, and the route that it takes.
struct ProbeTarget {
  const config::Route* route = nullptr;
  std::string url;     ///< `http://host/path?query`, as a client would ask for it.
  std::string target;  ///< What the origin is asked for, after rewrites.
  std::string host;    ///< In normal form.
  std::string key;     ///< Text of the key.
};

struct ProbeTargets {
  std::vector<ProbeTarget> targets;
  std::vector<std::string> notes;     ///< Why a route has none.
  std::vector<std::string> left_out;  ///< Routes that cache no GET, each with why: `search (no GET)`.
  std::vector<std::string> missed;    ///< Why a path that was named has none.
};

/// A field with a unique value, which contains the canary, eight random letters.
struct ProbeField {
  std::string name, value, canary;
};
/// The tested fields: those known from cache poisoning, then `more`.
std::vector<std::string> probed_names(const std::vector<std::string>& more);
/// A plausible value for the field: a host, a path, a list of languages.
ProbeField probe_field(std::string_view name, std::string_view canary);

/// How a client's field reaches the origin.
enum class Way : std::uint8_t {
  Open,      ///< From anybody, without being in the key.
  Trusted,   ///< Without being in the key, from a trusted proxy.
  Closed,    ///< Not at all: Forebay or the route removes or replaces it.
  Keyed,     ///< In the key.
  Bypassed,  ///< The request is not looked up then.
};

/// An answer of the origin, as far as it was read.
struct ProbeAnswer {
  int status = 0;
  http::Fields fields;
  std::string content;  ///< Without its coding; at most `kProbeContent`.
};
inline constexpr std::size_t kProbeContent = 1024 * 1024;
/// Decodes the content, and removes the query token from everything that repeats it.
ProbeAnswer probe_answer(int status, http::FieldsView fields, std::string_view body, std::string_view token);

/// How a response depends on a field.
struct Showing {
  enum class Kind : std::uint8_t { Nothing, Field, Content, Status, Change } kind = Kind::Nothing;
  std::string field;  ///< In which it stands.
  int before = 0, after = 0;
  explicit operator bool() const noexcept { return kind != Kind::Nothing; }
};

/// Whether such a response could be stored, and so served to others.
enum class Keeping : std::uint8_t { Stored, WithLifetime, Never };

class Prober {
 public:
  Prober(const config::Config& config, const config::RouteTable& routes, Now now)
      : config_(config), routes_(routes), now_(now) {}

  /// One target for each route that caches GET, or for the routes that `paths` (or URLs) lead to.
  ProbeTargets targets(const std::vector<std::string>& paths) const;
  /// How the field comes to the origin.
  Way way(const ProbeTarget& target, const ProbeField& field) const;
  /// The head of the request, as the proxy would send it, with `token` in the query so that no cache behind answers.
  /// `way` selects the peer; with `Closed`, the field is sent as if it had been forwarded.
  std::string request(const ProbeTarget& target, const ProbeField* field, Way way, std::string_view token) const;
  /// Whether the response has the field in Vary and the route respects that.
  bool varies(const ProbeTarget& target, const ProbeAnswer& answer, std::string_view name) const;
  /// How `answer` depends on the field, compared with two responses without it.
  Showing showing(const ProbeTarget& target, const ProbeField& field, const ProbeAnswer& first,
                  const ProbeAnswer& second, const ProbeAnswer& answer) const;
  Keeping keeping(const ProbeTarget& target, const ProbeField& field, const ProbeAnswer& answer) const;

 private:
  struct Led;
  Led lead(const std::string& url) const;
  void add_path(const std::string& path, ProbeTargets& out) const;
  void add_route(const config::Route& route, ProbeTargets& out) const;
  http::Fields fields(const ProbeTarget& target, const ProbeField* field, bool trusted, std::string_view token) const;

  const config::Config& config_;
  const config::RouteTable& routes_;
  Now now_;
};

/// The message of the diagnostic (FB2017), and its hint.
std::string showing_message(const ProbeTarget& target, const ProbeField& field, Way way, const Showing& showing,
                            Keeping keeping);
std::string showing_hint(const ProbeTarget& target, const ProbeField& field, Way way);

}  // namespace forebay::probe
