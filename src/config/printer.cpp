#include "config/printer.hpp"

#include "config/secret.hpp"
#include "forebay/base/text.hpp"

namespace forebay::config {

std::string yaml_text(std::string_view text) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-./%+";
  constexpr std::string_view kOther[] = {"true", "false", "null", "yes",   "no",   "on",   "off",
                                         "y",    "n",     "True", "False", "Null", "NULL", "~"};
  const bool plain = !text.empty() && text.find_first_not_of(kPlain) == std::string_view::npos && text.front() != '-' &&
                     text.front() != '%' && !is_digit(text.front()) &&
                     std::find(std::begin(kOther), std::end(kOther), text) == std::end(kOther);
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\')
      out += std::string{'\\', c};
    else if (c == '$')
      out += "$$";
    else if (byte < 0x20 || byte == 0x7f)
      append_hex(out += "\\x", byte);
    else
      out += c;
  }
  return out + '"';
}

std::string yaml_name(std::string_view text) {
  auto out = yaml_text(text);
  for (auto at = out.find("$$"); at != std::string::npos; at = out.find("$$", at + 1)) out.erase(at, 1);
  return out;
}

std::string yaml_texts(const std::vector<std::string>& list) {
  return yaml_list(list, [](const std::string& s) { return yaml_text(s); });
}

void print_secret(Printer& p, const std::string& schema, const std::string& value, const std::string& file) {
  if (!file.empty())
    p.key(schema + "_file", yaml_text(file));
  else if (!value.empty())
    p.key(schema, yaml_text(kRedacted));
}

}  // namespace forebay::config
