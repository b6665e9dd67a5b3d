#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "forebay/base/suggest.hpp"

namespace forebay::config {

struct Schema;

/// `did you mean "WORD"?` of the nearest candidate; `otherwise` where none is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates,
                         std::string otherwise = {});
/// What to say about an unknown key among the children of `where` (and of `also`): a sibling, the place where it
/// belongs, the name it has here; empty when nothing comes near.
std::string suggest_key(std::string_view key, const Schema& where, const Schema* also);
/// Whether a key that nobody reads at this place is one of a later version, wherever that has it: `tls` at the top
/// level.
bool is_of_later_version(std::string_view name);
/// "at the top level", "in a route", "in \"server.timeouts\"".
std::string place_in_words(const Schema& where);

}  // namespace forebay::config
