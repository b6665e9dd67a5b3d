#include "config/secret.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

namespace forebay::config {
namespace {

constexpr std::size_t kLongest = 4096;

/// Whether a header field can carry it as one word.
bool is_visible(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

std::string unread_secret(std::string_view text) {
  std::string secret = "(unread)" + std::string(text.substr(0, 1024));
  std::replace_if(
      secret.begin(), secret.end(),
      [](char c) {
        return !is_visible({&c, 1});
      },
      '?');
  return secret;
}

std::optional<std::string> content_of_file(const std::string& path, std::size_t most, std::string& why) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status))
    return why = "it is no regular file", std::nullopt;
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) return why = errno != 0 ? std::strerror(errno) : "it cannot be opened", std::nullopt;
  std::string text(most + 3, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return why = "it cannot be read to its end", std::nullopt;
  text.resize(static_cast<std::size_t>(in.gcount()));
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::optional<std::string> read_secret_file(const Section& section, const Node& node, const std::string& path,
                                            const std::string& such_as) {
  const auto* name = section.scalar(node, path, "a path");
  if (!name) return std::nullopt;
  std::string why;
  section.report().note_source(*name);
  if (section.report().alone()) {
    section.report().not_looked_at(node, path, "the file " + in_quotes(*name));
    return unread_secret(*name);
  }
  auto secret = content_of_file(*name, kLongest, why);
  if (!secret && name->find('/') == std::string::npos) {
    // Perhaps the secret itself.
    section.report().hide(node.place);
    const auto key = path.substr(path.rfind('.') + 1);
    section.error(1008, node, path, in_quotes(key) + " cannot be read: " + why,
                  "write the path of a file, such as " + such_as);
  } else if (!secret) {
    section.error(1008, node, path, in_quotes(*name) + " cannot be read: " + why, {});
  }
  return secret;
}

namespace {

/// Whether it can be used; what is wrong is reported without the secret itself.
bool check_secret(const Section& section, const Node& node, const std::string& path, const std::string& subject,
                  std::string_view secret) {
  if (secret.empty()) {
    section.error(1004, node, path, subject + " is empty", {});
  } else if (secret.size() > kLongest) {
    section.error(1004, node, path, subject + " is too long", "at most " + std::to_string(kLongest) + " bytes");
  } else if (!is_visible(secret)) {
    section.error(1004, node, path, subject + " has a blank, a control byte or a letter beyond ASCII",
                  "one word of visible ASCII");
  } else {
    return true;
  }
  return false;
}

void read_inline(const Section& section, std::string_view name, const Node& node, std::string& value, Inline in_file) {
  const auto path = section.path_of(name);
  if (!node.is_scalar()) {
    section.error(1002, node, path, '"' + std::string(name) + "\" is a text", {});
    return;
  }
  if (node.text.empty()) {
    value.clear();
    return;
  }
  const auto elsewhere = "write " + std::string(name) + "_file: PATH, or \"${NAME}\" for a variable";
  if (node.text == kRedacted) {
    section.report().warning(2006, node, path, "a redacted secret fits nothing", elsewhere);
    value = '\x01';  // No field has a control byte.
    return;
  }
  if (!check_secret(section, node, path, '"' + std::string(name) + '"', node.text)) return;
  if (!node.replaced && in_file == Inline::Warned)
    section.report().warning(2006, node, path,
                             node.place.flag >= 0 ? "a secret stands in an argument" : "a secret stands in the file",
                             elsewhere);
  value = node.text;
}

}  // namespace

void read_secret(const Section& section, std::string_view name, std::string& value, std::string& file, Inline in_file) {
  const auto file_key = std::string(name) + "_file";
  const auto* node = section.node();
  for (const auto& key : {std::string(name), file_key}) {
    const auto* unknown = node ? node->find(key) : nullptr;
    if (!unknown || !unknown->unknown) continue;
    section.report().settle();
    value = unread_secret(unknown->text);
    file.clear();
    return;
  }
  const auto* given = section.find(name);
  const auto* file_node = section.find(file_key);
  const bool has_text = given && !(given->is_scalar() && given->text.empty());
  const bool has_file = file_node && !(file_node->is_scalar() && file_node->text.empty());
  if (has_text && has_file) {
    section.error(1005, *section.node()->entry(file_key)->key, section.path_of(file_key),
                  in_quotes(name) + " and " + in_quotes(file_key) + " are the same thing", "write one of them");
    return;
  }
  if (!has_file) {
    if (!given && !file_node) return;
    file.clear();
    if (given)
      read_inline(section, name, *given, value, in_file);
    else
      value.clear();
    return;
  }
  const auto path = section.path_of(file_key);
  auto secret = read_secret_file(section, *file_node, path, "/run/secrets/" + std::string(name));
  if (!secret) return;
  if (!check_secret(section, *file_node, path, "the secret in " + in_quotes(file_node->text), *secret)) return;
  value = std::move(*secret);
  file = file_node->text;
}

}  // namespace forebay::config
