#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <iostream>
#include <iterator>

#include "admin_client.hpp"
#include "commands.hpp"
#include "config_source.hpp"
#include "curl_flags.hpp"
#include "forebay/admin/explain.hpp"
#include "forebay/base/suggest.hpp"
#include "forebay/http/fields.hpp"
#include "forebay/net/worker.hpp"

namespace forebay::app {
namespace {

/// `text`, or for `@FILE` what is in the file. False, with the reason on standard error, when it cannot be read.
bool read_content(const std::string& text, std::optional<std::string>& into) {
  if (text.empty() || text.front() != '@') {
    into = text;
    return true;
  }
  const auto file = text.substr(1);
  if (file == "-") {
    into = std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
    return true;
  }
  std::ifstream in(file, std::ios::binary);
  into = std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  if (in.is_open() && !in.bad()) return true;
  std::cerr << "forebay: cannot read " << file << '\n';
  return false;
}

/// `TEXT`, `=TEXT`, `NAME=TEXT`, `@FILE` or `NAME@FILE` of curl's --data-urlencode; the name stays as it is.
bool read_encoded(const std::string& text, std::optional<std::string>& into) {
  const auto mark = text.find_first_of("=@");
  const auto name = mark == std::string::npos ? std::string() : text.substr(0, mark);
  std::optional<std::string> value = mark == std::string::npos ? text : text.substr(mark + 1);
  if (mark != std::string::npos && text[mark] == '@' && !read_content(text.substr(mark), value)) return false;
  into = (name.empty() ? "" : name + '=') + url_encoded(*value);
  return true;
}

bool read_piece(const ExplainFlags::Content& piece, std::optional<std::string>& into) {
  using Kind = ExplainFlags::Content::Kind;
  if (piece.kind == Kind::Encoded) return read_encoded(piece.text, into);
  if (piece.kind != Kind::Raw) return read_content(piece.text, into);
  into = piece.text;
  return true;
}

/// `url` with one more part of its query, before a fragment.
std::string with_query(std::string url, const std::string& more) {
  const auto fragment = url.find('#');
  if (fragment != std::string::npos) url.erase(fragment);
  const auto mark = url.find('?');
  const bool open = mark == std::string::npos || mark + 1 == url.size() || url.back() == '&';
  return url + (mark == std::string::npos ? "?" : open ? "" : "&") + more;
}

bool make_request(const ExplainFlags& flags, proxy::ExplainRequest& request) {
  request.method = flags.method;
  request.url = flags.url;
  for (const auto& [name, value] : flags.headers) request.fields.add(name, value);
  for (const auto& given : flags.content) {
    std::optional<std::string> piece;
    if (!read_piece(given, piece)) return false;
    const auto* joint = given.kind == ExplainFlags::Content::Kind::Json ? "" : "&";
    request.content = request.content ? *request.content + joint + *piece : *piece;
  }
  if (flags.content_in_query && request.content) {
    request.url = with_query(request.url, *request.content);
    request.content.reset();
  }
  if (!flags.has_response) return true;
  request.response = proxy::ExplainRequest::Response{};
  auto& response = *request.response;
  response.status = flags.status.value_or(200);
  for (const auto& [name, value] : flags.response_headers) response.fields.add(name, value);
  return !flags.response_content || read_content(*flags.response_content, response.content);
}

/// Whether the explanation is of a request whose content counts, as far as Forebay could read it.
bool keys_content(const boost::json::value& explanation) {
  boost::json::error_code ec;
  const auto* reason = explanation.find_pointer("/lookup/reason", ec);
  if (reason && *reason == "body_unparsable") return true;
  const auto* parts = explanation.find_pointer("/key/parts", ec);
  if (!parts || !parts->is_array()) return false;
  return std::any_of(parts->get_array().begin(), parts->get_array().end(), [](const boost::json::value& part) {
    boost::json::error_code none;
    const auto* kind = part.find_pointer("/kind", none);
    return kind && *kind == "content_type";
  });
}

/// Unknown methods are legal, but may be typing errors.
void warn_of_method(const ExplainFlags& flags) {
  if (http::method_of(flags.method) != http::Method::Other) return;
  const std::vector<std::string_view> known{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"};
  if (const auto meant = nearest(flags.method, known))
    std::cerr << "forebay: " << flags.method << " is not a known method; did you mean " << *meant << "?\n";
}

/// curl adds a default Content-Type for -d; explain does not.
void warn_of_missing_type(const ExplainFlags& flags, const std::string& document) {
  const auto is_type = [](const auto& header) { return http::iequals(header.first, "Content-Type"); };
  if (flags.content.empty() || flags.content_in_query ||
      std::any_of(flags.headers.begin(), flags.headers.end(), is_type))
    return;
  boost::json::error_code ec;
  const auto explanation = boost::json::parse(document, ec);
  if (!ec && keys_content(explanation))
    std::cerr << "forebay: no Content-Type given; curl -d would send application/x-www-form-urlencoded\n";
}

ExitCode print(const ExplainFlags& flags, const std::string& document) {
  warn_of_missing_type(flags, document);
  if (flags.json) {
    std::cout << document << '\n';
    return ExitCode::Done;
  }
  std::cout << admin::to_text(document);
  return ExitCode::Done;
}

ExitCode explain_live(const ExplainFlags& flags, const proxy::ExplainRequest& request) {
  auto why = ExitCode::Done;
  const auto daemon = find_daemon(flags.run.config, flags.admin, why);
  if (!daemon) return why;
  const auto answer =
      ask_daemon(*daemon, {"POST", "/api/v1/explain", admin::write_explain_request(request)}, flags.timeout, why);
  if (!answer) return why;
  if (answer->status == 200 && admin::is_explanation(answer->body)) return print(flags, answer->body);
  return report_refusal(*daemon, *answer);
}

ExitCode explain_by_file(const ExplainFlags& flags, const proxy::ExplainRequest& request) {
  ConfigSource source(flags.run, environment());
  const auto loaded = source.load();
  if (!loaded.ok()) {
    std::cerr << config::to_text(loaded.diagnostics, may_color(STDERR_FILENO)) << source.name() << ": invalid, "
              << config::summary(loaded.diagnostics) << '\n';
    return ExitCode::Configuration;
  }
  const config::RouteTable routes(*loaded.config);
  const auto explained = proxy::explain(request, {*loaded.config, routes, nullptr, nullptr, net::SystemClock().now()});
  if (!explained) {
    std::cerr << "forebay: this request cannot be sent\n";
    return ExitCode::Usage;
  }
  return print(flags, admin::to_json(*explained));
}

}  // namespace

ExitCode explain(const ExplainFlags& flags) {
  proxy::ExplainRequest request;
  if (!make_request(flags, request)) return ExitCode::Failed;
  if (const auto why = proxy::unsendable(request); !why.empty()) {
    std::cerr << "forebay: this request cannot be sent: " << why << '\n';
    return ExitCode::Usage;
  }
  warn_of_method(flags);
  return flags.live ? explain_live(flags, request) : explain_by_file(flags, request);
}

}  // namespace forebay::app
