#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <initializer_list>

#include "forebay/admin/explain.hpp"
#include "forebay/base/base64.hpp"
#include "forebay/base/text.hpp"

// The request document: `{method, url, headers, body, response}`.

namespace forebay::admin {
namespace {

namespace json = boost::json;

/// Reads one object of the document and keeps the first error.
class Reader {
 public:
  explicit Reader(std::string& fault) : fault_(fault) {}
  bool good() const noexcept { return fault_.empty(); }
  void say(std::string what) {
    if (good()) fault_ = std::move(what);
  }

  void only(const json::object& object, std::string_view where, std::initializer_list<std::string_view> names) {
    for (const auto& member : object) {
      const std::string_view name(member.key());
      bool known = false;
      for (const auto n : names) known = known || n == name;
      if (known) continue;
      std::string list;
      for (const auto n : names) list.append(list.empty() ? "" : ", ").append(n);
      return say("unknown member " + quoted(where, name) + "; known members are " + list);
    }
  }

  /// A text, or nothing where the member is absent or null.
  const json::string* text(const json::object& object, std::string_view where, std::string_view name) {
    const auto* member = find(object, name);
    if (member == nullptr) return nullptr;
    if (!member->is_string()) {
      say(quoted(where, name) + " must be a string");
      return nullptr;
    }
    return &member->get_string();
  }

  void fields(const json::object& object, std::string_view where, http::Fields& into) {
    const auto* member = find(object, "headers");
    if (member == nullptr) return;
    const auto at = quoted(where, "headers");
    if (member->is_object()) {
      for (const auto& [name, value] : member->get_object()) values(at, name, value, into);
    } else if (member->is_array()) {
      for (const auto& pair : member->get_array()) {
        const bool fits = pair.is_array() && pair.get_array().size() == 2 && pair.get_array()[0].is_string() &&
                          pair.get_array()[1].is_string();
        if (!fits) return say(at + " as a list must hold [name, value] pairs of strings");
        add(at, pair.get_array()[0].get_string(), pair.get_array()[1].get_string(), into);
      }
    } else {
      say(at + " must be an object or a list of [name, value]");
    }
  }

  std::optional<std::string> content(const json::object& object, std::string_view where) {
    const auto* plain = text(object, where, "body");
    const auto* coded = text(object, where, "body_base64");
    if (plain != nullptr && coded != nullptr) say(quoted(where, "body") + " and body_base64 cannot be used together");
    if (plain != nullptr) return std::string(*plain);
    if (coded == nullptr) return std::nullopt;
    auto bytes = from_base64(*coded);
    if (!bytes) say(quoted(where, "body_base64") + " is not valid Base64");
    return bytes;
  }

  static const json::value* find(const json::object& object, std::string_view name) {
    const auto* member = object.if_contains({name.data(), name.size()});
    return member == nullptr || member->is_null() ? nullptr : member;
  }
  static std::string quoted(std::string_view where, std::string_view name) {
    std::string out = "\"";
    out.append(where).append(where.empty() ? "" : ".").append(name).append("\"");
    return out;
  }

 private:
  void values(const std::string& at, std::string_view name, const json::value& value, http::Fields& into) {
    if (value.is_string()) return add(at, name, value.get_string(), into);
    if (!value.is_array())
      return say(at + ": the value of " + std::string(name) + " must be a string or a list of strings");
    for (const auto& line : value.get_array()) {
      if (!line.is_string()) return say(at + ": the list of " + std::string(name) + " must hold strings");
      add(at, name, line.get_string(), into);
    }
  }
  void add(const std::string& at, std::string_view name, std::string_view value, http::Fields& into) {
    if (!http::is_token(name)) return say(at + ": \"" + std::string(name) + "\" is not a field name");
    const auto trimmed = http::trim(value);
    if (!http::is_field_value(trimmed))
      return say(at + ": the value of " + std::string(name) + " contains bytes that are not allowed in a field");
    into.add(name, trimmed);
  }

  std::string& fault_;
};

void read_response(Reader& reader, const json::value& member, proxy::ExplainRequest& request) {
  if (!member.is_object()) return reader.say("\"response\" must be an object");
  const auto& object = member.get_object();
  reader.only(object, "response", {"status", "headers", "body", "body_base64"});
  request.response = proxy::ExplainRequest::Response{};
  auto& response = *request.response;
  if (const auto* status = Reader::find(object, "status")) {
    const auto* number = status->if_int64();
    if (number == nullptr || *number < 200 || *number > 599)
      return reader.say("\"response.status\" must be a number from 200 to 599");
    response.status = static_cast<int>(*number);
  }
  reader.fields(object, "response", response.fields);
  response.content = reader.content(object, "response");
}

json::array pairs(http::FieldsView fields) {
  json::array out;
  for (const auto& f : fields) out.push_back(json::array{as_utf8(f.name), as_utf8(f.value)});
  return out;
}

void add_content(json::object& object, const std::optional<std::string>& content) {
  if (!content) return;
  if (is_utf8(*content))
    object["body"] = *content;
  else
    object["body_base64"] = to_base64(*content);
}

}  // namespace

std::variant<proxy::ExplainRequest, std::string> read_explain_request(std::string_view document) {
  json::error_code ec;
  const auto parsed = json::parse({document.data(), document.size()}, ec);
  if (ec) return "the content is not valid JSON: " + ec.message();
  if (!parsed.is_object()) return std::string("the content must be a JSON object with at least \"url\"");
  const auto& object = parsed.get_object();

  std::string fault;
  Reader reader(fault);
  proxy::ExplainRequest request;
  reader.only(object, "", {"method", "url", "headers", "body", "body_base64", "response"});
  if (const auto* method = reader.text(object, "", "method")) request.method = *method;
  if (const auto* url = reader.text(object, "", "url"))
    request.url = *url;
  else
    reader.say("\"url\" is missing");
  if (reader.good() && !http::is_token(request.method)) reader.say("\"method\" is not a method");
  reader.fields(object, "", request.fields);
  request.content = reader.content(object, "");
  if (const auto* response = Reader::find(object, "response")) read_response(reader, *response, request);
  if (!reader.good()) return fault;
  return request;
}

std::string write_explain_request(const proxy::ExplainRequest& request) {
  json::object object{
      {"method", as_utf8(request.method)}, {"url", as_utf8(request.url)}, {"headers", pairs(request.fields)}};
  add_content(object, request.content);
  if (request.response) {
    json::object response{{"status", request.response->status}, {"headers", pairs(request.response->fields)}};
    add_content(response, request.response->content);
    object["response"] = std::move(response);
  }
  return json::serialize(object);
}

}  // namespace forebay::admin
