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

// What `forebay check --probe` asks of origins, and what it makes of their answers. Nothing here opens a socket.

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

/// A field with a value that nobody else sends: somewhere in it stands the canary, eight letters.
struct ProbeField {
  std::string name, value, canary;
};
/// The fields that are asked about: those that frameworks and caches have been caught by, then `more`.
std::vector<std::string> probed_names(const std::vector<std::string>& more);
/// A value that the field could have: a host, a path, a list of languages.
ProbeField probe_field(std::string_view name, std::string_view canary);

/// How a client's field comes to the origin.
enum class Way : std::uint8_t {
  Open,      ///< From anybody, and past the key.
  Trusted,   ///< Past the key, where a trusted proxy passes it on.
  Closed,    ///< Not at all: Forebay or the route removes or replaces it.
  Keyed,     ///< With an entry of its own.
  Bypassed,  ///< The request is not looked up then.
};

/// An answer of the origin, as far as it was read.
struct ProbeAnswer {
  int status = 0;
  http::Fields fields;
  std::string content;  ///< Without its coding; at most `kProbeContent`.
};
inline constexpr std::size_t kProbeContent = 1024 * 1024;
/// Undoes the coding of the content and takes the token of the query out of all that repeats it.
ProbeAnswer probe_answer(int status, http::FieldsView fields, std::string_view body, std::string_view token);

/// How an answer shows that a field has made it.
struct Showing {
  enum class Kind : std::uint8_t { Nothing, Field, Content, Status, Change } kind = Kind::Nothing;
  std::string field;  ///< In which it stands.
  int before = 0, after = 0;
  explicit operator bool() const noexcept { return kind != Kind::Nothing; }
};

/// Whether an answer that a field has made could be stored, and so given to others.
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
  /// `way` says whose request it is; on a `Closed` one the field goes along as if it had come through.
  std::string request(const ProbeTarget& target, const ProbeField* field, Way way, std::string_view token) const;
  /// Whether the route heeds that the answer names the field in Vary.
  bool varies(const ProbeTarget& target, const ProbeAnswer& answer, std::string_view name) const;
  /// What of `answer` shows the field, against two answers without it.
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

/// A sentence for a diagnostic (FB2017), and what would be right.
std::string showing_message(const ProbeTarget& target, const ProbeField& field, Way way, const Showing& showing,
                            Keeping keeping);
std::string showing_hint(const ProbeTarget& target, const ProbeField& field, Way way);

}  // namespace forebay::probe
