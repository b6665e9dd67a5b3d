#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exit_code.hpp"
#include "forebay/base/clock.hpp"
#include "forebay/net/http_client.hpp"

// `forebay warm`: requests URLs at the daemon, so that their responses are stored.

namespace forebay::app {

struct WarmFlags {
  std::vector<std::string> urls;
  std::optional<std::string> file;  ///< With URLs, or a sitemap; `-` is standard input.
  std::optional<std::string> to;    ///< Where the daemon serves clients; else the daemon is asked.
  std::optional<std::string> config, admin;
  std::string method = "GET";
  std::vector<std::pair<std::string, std::string>> headers;
  unsigned concurrency = 4;
  unsigned rate = 0;  ///< Requests a second; 0: no limit.
  Duration timeout = std::chrono::seconds{30};
  bool json = false;
};

struct WarmUrl {
  std::string text;          ///< As written.
  std::string scheme, host;  ///< `http` or `https`; with the port where it was written.
  std::string target;        ///< Path and query.
};

constexpr std::size_t kMostWarmUrls = 1'000'000;

/// Nothing, with a sentence in `fault`, for what is no http or https URL.
std::optional<WarmUrl> warm_url(std::string_view text, std::string& fault);
/// The URLs of a file: one a line, without blank lines and those that begin with `#`; or the `loc` elements of a
/// sitemap (sitemaps.org). Nothing, with a sentence in `fault`, when there is a mistake or more than kMostWarmUrls.
std::optional<std::vector<WarmUrl>> warm_urls(std::string_view text, std::string& fault);

enum class Warmed { Stored, Fresh, NotStored, Unknown, Failed };
/// What came of a request; and why, for all but the first two.
struct WarmOutcome {
  Warmed warmed = Warmed::Unknown;
  std::string why;
};
/// By the status and by the last member of Cache-Status (RFC 9211), which is that of the cache that was asked.
WarmOutcome judge_warmed(const net::Asked& asked);

ExitCode warm(const WarmFlags& flags);

}  // namespace forebay::app
