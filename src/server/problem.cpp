#include "forebay/server/problem.hpp"

#include <algorithm>
#include <array>

#include "forebay/base/text.hpp"
#include "forebay/http/accept_encoding.hpp"
#include "forebay/http/list.hpp"
#include "forebay/http/message.hpp"

namespace forebay::server {

namespace {

enum class Form { Json, Html, Text };

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
    weight =
        http::weight_among(semicolon == std::string_view::npos ? std::string_view() : member.substr(semicolon + 1));
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

void append_html(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
}

std::string as_json(const Problem& p) {
  std::string out = "{\"type\":";
  append_json_string(out, "urn:forebay:error:" + std::string(p.code));
  out += ",\"title\":";
  append_json_string(out, p.title);
  out += ",\"status\":";
  append_number(out, p.status);
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
  append_number(heading, p.status);
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
  append_number(out, p.status);
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
    case Form::Html: return {"text/html; charset=utf-8", as_html(problem)};
    case Form::Text: return {"text/plain; charset=utf-8", as_text(problem)};
    case Form::Json: break;
  }
  return {"application/problem+json", as_json(problem)};
}

}  // namespace forebay::server
