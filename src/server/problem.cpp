#include "forebay/server/problem.hpp"

#include <algorithm>
#include <array>

#include "forebay/http/h1_writer.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/message.hpp"

namespace forebay::server {

namespace {

enum class Form { Json, Html, Text };

// A weight in thousandths (RFC 9110 section 12.4.2); what is no weight counts as 1.
int weight_of(std::string_view parameters) {
  int weight = 1000;
  while (!parameters.empty()) {
    const auto semicolon = parameters.find(';');
    const auto p = http::trim(parameters.substr(0, semicolon));
    parameters.remove_prefix(semicolon == std::string_view::npos ? parameters.size() : semicolon + 1);
    if (p.size() < 3 || (p[0] != 'q' && p[0] != 'Q') || p[1] != '=') continue;
    if (p[2] != '0') continue;
    weight = 0;
    int unit = 100;
    for (std::size_t i = 4; i < p.size() && i < 7 && p[3] == '.' && p[i] >= '0' && p[i] <= '9'; ++i, unit /= 10) {
      weight += (p[i] - '0') * unit;
    }
  }
  return weight;
}

// How well a media range matches a type: 0 not at all, then "*/*", "text/*", the type itself.
int closeness(std::string_view range, std::string_view type) {
  if (range == "*/*") return 1;
  if (http::iequals(range, type)) return 3;
  const auto slash = type.find('/') + 1;
  return range.size() == slash + 1 && range.back() == '*' &&
                 http::iequals(range.substr(0, slash), type.substr(0, slash))
             ? 2
             : 0;
}

// RFC 9110 section 12.5.1: of the ranges that match, the most specific one gives the weight.
int acceptability(std::string_view accept, std::string_view type) {
  int best = 0, weight = 0;
  http::for_each_member(accept, [&](std::string_view member) {
    const auto semicolon = member.find(';');
    const int close = closeness(http::trim(member.substr(0, semicolon)), type);
    if (close <= best) return;
    best = close;
    weight = weight_of(semicolon == std::string_view::npos ? std::string_view() : member.substr(semicolon + 1));
  });
  return weight;
}

// JSON unless the client prefers another form; a program that sends no Accept, or one that fits nothing, gets JSON as
// well.
Form form_for(std::string_view accept) {
  if (http::trim(accept).empty()) return Form::Json;
  const int json =
      std::max(acceptability(accept, "application/problem+json"), acceptability(accept, "application/json"));
  const int html = acceptability(accept, "text/html");
  const int text = acceptability(accept, "text/plain");
  if (html > json && html >= text) return Form::Html;
  return text > json ? Form::Text : Form::Json;
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte >= 0x7F) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

void append_html(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
}

std::string as_json(const Problem& p) {
  std::string out = "{\"type\":";
  append_json_string(out, "urn:forebay:error:" + std::string(p.code));
  out += ",\"title\":";
  append_json_string(out, p.title);
  out += ",\"status\":";
  http::append_decimal(out, static_cast<std::uint64_t>(p.status));
  const std::array<std::pair<std::string_view, std::string_view>, 3> members{
      {{"detail", p.detail}, {"request_id", p.request_id}, {"reason", p.reason}}};
  for (const auto& [name, value] : members) {
    if (value.empty()) continue;
    out += ",\"";
    out += name;
    out += "\":";
    append_json_string(out, value);
  }
  out += "}\n";
  return out;
}

std::string as_html(const Problem& p) {
  std::string heading;
  http::append_decimal(heading, static_cast<std::uint64_t>(p.status));
  heading += ' ';
  append_html(heading, p.title);
  std::string out = "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + heading +
                    "</title></head>\n<body><h1>" + heading + "</h1>\n";
  if (!p.detail.empty()) {
    out += "<p>";
    append_html(out, p.detail);
    out += "</p>\n";
  }
  out += "<p><small>forebay ";
  append_html(out, p.code);
  for (const auto text : {p.reason, p.request_id}) {
    if (text.empty()) continue;
    out += " &middot; ";
    append_html(out, text);
  }
  out += "</small></p></body></html>\n";
  return out;
}

std::string as_text(const Problem& p) {
  std::string out;
  http::append_decimal(out, static_cast<std::uint64_t>(p.status));
  out.append(" ").append(p.title).append("\n");
  if (!p.detail.empty()) out.append(p.detail).append("\n");
  out.append("error: ").append(p.code).append("\n");
  if (!p.reason.empty()) out.append("reason: ").append(p.reason).append("\n");
  if (!p.request_id.empty()) out.append("request: ").append(p.request_id).append("\n");
  return out;
}

}  // namespace

ProblemBody render(const Problem& problem, std::string_view accept) {
  switch (form_for(accept)) {
    case Form::Html:
      return {"text/html; charset=utf-8", as_html(problem)};
    case Form::Text:
      return {"text/plain; charset=utf-8", as_text(problem)};
    case Form::Json:
      break;
  }
  return {"application/problem+json", as_json(problem)};
}

}  // namespace forebay::server
