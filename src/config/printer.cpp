#include "config/printer.hpp"

#include <algorithm>
#include <utility>

#include "config/row.hpp"

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

void Printer::rows(std::span<const Row> rows, const void* owner) {
  for (const auto& row : rows) {
    if (row.write) {
      row.write(*this, row, owner);
    } else if (row.inside) {
      if (!row.name.empty()) open(row.name);
      this->rows(row.rows(), row.inside_of(owner));
      if (!row.name.empty()) close();
    } else if (const auto text = row.text ? row.text({row, &access_}, owner) : std::nullopt) {
      help(row);
      line(std::string(row.name) + ": " + *text);
    }
  }
}

void Printer::row(std::span<const Row> rows, std::string_view name, const void* owner) {
  for (const auto& row : rows)
    if (row.name == name)
      this->rows({&row, 1}, owner);
    else if (row.name.empty() && row.inside)
      this->row(row.rows(), name, row.inside_of(owner));
}

void Printer::open(std::string_view name) {
  open_.emplace_back(name);
  if (name.size() > 1 && name.starts_with('"')) name = name.substr(1, name.size() - 2);
  frames_.push_back({std::string(name), 0});
}

void Printer::open_element() {
  open_.emplace_back();
  const auto number = frames_.empty() ? 0 : frames_.back().elements++;
  frames_.push_back({'[' + std::to_string(number) + ']', 0});
}

void Printer::close() {
  frames_.pop_back();
  if (open_.empty())
    --depth_;
  else
    open_.pop_back();
}

void Printer::help(const Row& row) {
  if (!helped_.insert(&row).second) return;
  write_open();
  out_ += std::string(depth_ * 2, ' ') + "# " + std::string(row.help) +
          (row.reload == Reload::Restart ? " Needs a restart.\n" : "\n");
}

void Printer::line(const std::string& text) {
  write_open();
  out_ += indent() + text;
  const bool first = !frames_.empty() && frames_.back().elements++ == 0;
  if (const auto said = note_ ? note_(path_of(text), first) : std::string(); !said.empty()) {
    out_ += "  # ";
    for (const char c : said) out_ += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  out_ += '\n';
}

std::string Printer::path_of(const std::string& line) const {
  std::string path;
  for (const auto& frame : frames_) path.append(path.empty() || frame.name.starts_with('[') ? "" : ".") += frame.name;
  return path.append(path.empty() ? "" : ".") += line.substr(0, line.find(": "));
}

void Printer::write_open() {
  if (std::exchange(gap_, false)) out_ += '\n';
  for (const auto& name : std::exchange(open_, {})) {
    if (!name.empty()) out_ += indent() + name + ":\n";
    dash_ = name.empty();
    ++depth_;
  }
}

std::string Printer::indent() {
  auto blanks = std::string(depth_ * 2, ' ');
  if (std::exchange(dash_, false)) blanks.replace(blanks.size() - 2, 2, "- ");
  return blanks;
}

}  // namespace forebay::config
