#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flags.hpp"

// The flags of curl that `forebay explain` supports.

namespace forebay::app {

/// The values of curl's flags, before they become a request.
struct CurlWords {
  std::vector<std::string> headers;  ///< `Name: value`
  std::vector<std::string> cookies;  ///< `n=v; n=v`
  std::optional<std::string> user_agent, referer;
  std::optional<std::string> user;  ///< `name:password`
  bool head = false;                ///< -I
};

/// `--json DOCUMENT` among the words of the command line, distinguished from Forebay's own flag `--json` by the first
/// characters of the document. It becomes `--json-content DOCUMENT`.
void take_json(std::vector<std::string>& words);

/// Makes the request's fields, method and content kinds of what was given. The content is in `flags.content` already.
/// An error is a sentence for standard error.
std::optional<std::string> take_curl_words(const CurlWords& words, ExplainFlags& flags);

/// `Name: value` of each line, as curl takes it; false for what is not a field.
bool split_fields(const std::vector<std::string>& lines, std::vector<std::pair<std::string, std::string>>& into);

/// Why a flag of curl (`-L`, `--location`) is not supported, and what to use instead; nothing for other flags.
std::optional<std::string> curl_flag_advice(std::string_view flag);

/// Percent-encoded as by curl's --data-urlencode: everything but letters, digits and `-._~`.
std::string url_encoded(std::string_view text);

}  // namespace forebay::app
