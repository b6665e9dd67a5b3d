#include <algorithm>
#include <string>
#include <string_view>

#include "config/report.hpp"
#include "forebay/config/load.hpp"

namespace forebay::config {
namespace {

constexpr int kWidest = 160;  // code points of a source line that are shown

struct Paint {
  bool on;
  std::string_view bold() const { return on ? "\x1b[1m" : ""; }
  std::string_view severity(Severity s) const { return !on ? "" : s == Severity::Error ? "\x1b[1;31m" : "\x1b[1;33m"; }
  std::string_view caret() const { return on ? "\x1b[1;32m" : ""; }
  std::string_view off() const { return on ? "\x1b[0m" : ""; }
};

std::string code_text(const Diagnostic& d) { return "FB" + std::to_string(d.code); }
std::string_view word(Severity s) { return s == Severity::Error ? "error" : "warning"; }

/// The source line and the caret line below it. A very long line is shown from shortly before the caret on.
void append_source(std::string& out, const Diagnostic& d, Paint paint) {
  std::string shown, pad;
  const int first = d.column > kWidest - 40 ? d.column - 40 : 1;
  int column = 1;
  if (first > 1) shown += "...", pad += "   ";
  for (std::string_view rest = d.source_line; !rest.empty() && column < first + kWidest; ++column) {
    const auto n = std::max<std::size_t>(utf8_length(rest), 1);
    const auto piece = rest.substr(0, n);
    rest.remove_prefix(n);
    if (column < first) continue;
    const auto c = static_cast<unsigned char>(piece.front());
    const bool hidden = (c < 0x20 && c != '\t') || c == 0x7f || utf8_length(piece) == 0;
    shown += hidden ? std::string_view("?") : piece;
    if (column < d.column) pad += c == '\t' ? '\t' : ' ';
  }
  while (column++ < d.column) pad += ' ';
  const auto number = std::to_string(d.line);
  out += std::string(5 - std::min<std::size_t>(number.size(), 5), ' ') + number + " | " + shown + '\n';
  const int length = std::clamp(d.end_column - d.column, 1, std::max(1, first + kWidest - d.column));
  out += "      | " + pad;
  out += paint.caret();
  out += '^';
  out.append(static_cast<std::size_t>(length - 1), '~');
  if (!d.hint.empty()) out += ' ' + d.hint;
  out += paint.off();
  out += '\n';
}

/// Escapes of GitHub's workflow commands; properties know two more than messages.
std::string workflow_text(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else if (property && c == ':')
      out += "%3A";
    else if (property && c == ',')
      out += "%2C";
    else
      out += c;
  }
  return out;
}

}  // namespace

std::string to_text(const std::vector<Diagnostic>& diagnostics, bool color) {
  const Paint paint{color};
  std::string out;
  for (const auto& d : diagnostics) {
    out += paint.bold();
    if (!d.flag.empty())
      out += d.flag + ": ";
    else if (!d.file.empty())
      out += d.file + ':';
    if (d.line > 0) out += std::to_string(d.line) + ':' + std::to_string(d.column) + ':';
    if (d.flag.empty() && (!d.file.empty() || d.line > 0)) out += ' ';
    out += paint.off();
    out += paint.severity(d.severity);
    out += word(d.severity);
    out += ' ' + code_text(d) + ':';
    out += paint.off();
    out += ' ' + d.message + '\n';
    if (d.line > 0)
      append_source(out, d, paint);
    else if (!d.hint.empty())
      out += "        " + d.hint + '\n';
  }
  return out;
}

std::string to_json(const std::vector<Diagnostic>& diagnostics) {
  std::string out = "[";
  for (const auto& d : diagnostics) {
    if (out.size() > 1) out += ',';
    out += "\n  {\"file\":";
    append_json_string(out, d.flag.empty() ? d.file : d.flag);
    out += ",\"line\":" + std::to_string(d.line) + ",\"column\":" + std::to_string(d.column) +
           ",\"end_column\":" + std::to_string(d.end_column) + ",\"severity\":\"";
    out += word(d.severity);
    out += "\",\"code\":\"" + code_text(d) + "\",\"path\":";
    append_json_string(out, d.path);
    out += ",\"message\":";
    append_json_string(out, d.message);
    out += ",\"hint\":";
    append_json_string(out, d.hint);
    out += '}';
  }
  out += diagnostics.empty() ? "]\n" : "\n]\n";
  return out;
}

std::string to_github(const std::vector<Diagnostic>& diagnostics) {
  std::string out;
  for (const auto& d : diagnostics) {
    out += "::";
    out += word(d.severity);
    out += ' ';
    if (!d.file.empty()) out += "file=" + workflow_text(d.file, true) + ',';
    if (d.line > 0) {
      out += "line=" + std::to_string(d.line) + ",col=" + std::to_string(d.column) +
             ",endColumn=" + std::to_string(d.end_column) + ',';
    }
    out += "title=" + code_text(d) + "::";
    if (!d.flag.empty()) out += workflow_text(d.flag, false) + ": ";
    out += workflow_text(d.message, false);
    if (!d.hint.empty()) out += " (" + workflow_text(d.hint, false) + ')';
    out += '\n';
  }
  return out;
}

std::string summary(const std::vector<Diagnostic>& diagnostics) {
  const auto errors = std::count_if(diagnostics.begin(), diagnostics.end(),
                                    [](const Diagnostic& d) { return d.severity == Severity::Error; });
  const auto warnings = static_cast<std::ptrdiff_t>(diagnostics.size()) - errors;
  const auto counted = [](std::ptrdiff_t n, const char* what) {
    return std::to_string(n) + ' ' + what + (n == 1 ? "" : "s");
  };
  if (errors == 0 && warnings == 0) return "no errors, no warnings";
  if (warnings == 0) return counted(errors, "error");
  if (errors == 0) return counted(warnings, "warning");
  return counted(errors, "error") + ", " + counted(warnings, "warning");
}

}  // namespace forebay::config
