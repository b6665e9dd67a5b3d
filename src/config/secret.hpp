#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "config/section.hpp"

namespace forebay::config {

/// What `check --print` writes for a secret of the file. Loaded again it fits nothing that can be sent.
inline constexpr std::string_view kRedacted = "(redacted)";

/// What stands for a secret that is not looked at; another one for each text.
std::string unread_secret(std::string_view text);

/// Whether a value may stand in the file itself without a warning.
enum class Inline : std::uint8_t { Warned, Fine };

/// `NAME` or its twin `NAME_file`, whose content is read here. An empty text is none. Leaves both targets alone when
/// neither key is there or what is there is wrong.
void read_secret(const Section& section, std::string_view name, std::string& value, std::string& file,
                 Inline in_file = Inline::Warned);

/// The content of a file of at most `most` bytes, without the newlines at its end; nothing with the reason in `why`.
std::optional<std::string> content_of_file(const std::string& path, std::size_t most, std::string& why);
/// The content of the file that a node names, of 4 KiB at most; reported (FB1008) where it cannot be read. `such_as`:
/// a path to write in place of what may be the secret itself.
std::optional<std::string> read_secret_file(const Section& section, const Node& node, const std::string& path,
                                            const std::string& such_as);

}  // namespace forebay::config
