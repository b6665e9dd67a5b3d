#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command_line.hpp"

// What `forebay explain` has of curl's command line.

namespace forebay::app {

/// What was given by flags of curl, before it is a request.
struct CurlWords {
  std::vector<std::string> headers;  ///< `Name: value`
  std::vector<std::string> cookies;  ///< `n=v; n=v`
  std::optional<std::string> user_agent, referer;
  std::optional<std::string> user;  ///< `name:password`
  bool head = false;                ///< -I
};

/// `--json DOCUMENT` among the words of the command line, told from Forebay's own flag `--json` by what a document
/// begins with. It becomes `--json-content DOCUMENT`.
void take_json(std::vector<std::string>& words);

/// Makes the request's fields, method and content kinds of what was given. The content is in `flags.content` already.
/// An error is a sentence for standard error.
std::optional<std::string> take_curl_words(const CurlWords& words, ExplainFlags& flags);

/// `Name: value` of each line, as curl takes it; false for what is not a field.
bool split_fields(const std::vector<std::string>& lines, std::vector<std::pair<std::string, std::string>>& into);

/// Why a flag that curl has (`-L`, `--location`) is not taken, and what to write; nothing for a flag that curl does not
/// have.
std::optional<std::string> curl_flag_advice(std::string_view flag);

/// Percent-encoded as by curl's --data-urlencode: everything but letters, digits and `-._~`.
std::string url_encoded(std::string_view text);

}  // namespace forebay::app
