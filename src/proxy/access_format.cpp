#include "access_format.hpp"

#include "forebay/base/text.hpp"
#include "forebay/http/list.hpp"
#include "log_text.hpp"

namespace forebay::proxy {
namespace {

constexpr std::string_view kRedacted = "REDACTED";
std::string_view proto_text(http::Version v) noexcept {
  switch (v) {
    case http::Version::Http10:
      return "HTTP/1.0";
    case http::Version::Http11:
      return "HTTP/1.1";
    case http::Version::Http2:
      return "HTTP/2";
  }
  return "";
}

// Whether the answer came out of the store.
bool from_store(rules::CacheResult r) noexcept {
  return r == rules::CacheResult::Hit || r == rules::CacheResult::Stale || r == rules::CacheResult::StaleError ||
         r == rules::CacheResult::Revalidated;
}

bool header_redacted(std::string_view name, const config::AccessLog& config) {
  for (const auto& glob : config.redact_headers)
    if (http::glob_match(glob, name, true)) return true;
  return false;
}

bool query_name_redacted(std::string_view name, const config::AccessLog& config) {
  std::string decoded;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (const int byte = percent_decoded(name.substr(i)); byte >= 0) {
      decoded += static_cast<char>(byte);
      i += 2;
    } else {
      decoded += name[i];
    }
  }
  for (const auto& glob : config.redact_query)
    if (http::glob_match(glob, decoded, true)) return true;
  return false;
}

// A Referer is often a URL of the same site: its query is redacted like that of the request.
std::string referer_text(std::string_view referer, const config::AccessLog& config) {
  std::string out;
  if (referer.empty()) return out;
  if (header_redacted("Referer", config)) return std::string(kRedacted);
  const auto mark = referer.find('?');
  out = referer.substr(0, mark);
  if (mark != std::string_view::npos) {
    out += '?';
    append_redacted_query(out, referer.substr(mark + 1), config);
  }
  return out;
}

std::string_view user_agent_text(std::string_view agent, const config::AccessLog& config) {
  return !agent.empty() && header_redacted("User-Agent", config) ? kRedacted : agent;
}

/// Members of one JSON object, those that are absent left out.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    key(name);
    append_json_string(out_, value);
  }
  void time(std::string_view name, double value) {
    if (value < 0) return;
    key(name);
    append_ms(out_, value);
  }
  template <class T>
  void number(std::string_view name, T value) {
    key(name);
    append_number(out_, value);
  }
  void boolean(std::string_view name, bool value) {
    key(name);
    out_ += value ? "true" : "false";
  }
  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }
  void close() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_cache(std::string& out, const AccessRecord& r) {
  Members cache(out);
  if (r.has_result) cache.text("result", rules::to_string(r.result));
  cache.text("reason", rules::to_string(r.reason));
  if (r.cause != rules::Reason::None) {
    cache.text("cause", rules::to_string(r.cause));
    cache.number("cause_left_s", r.cause_left_s);
  }
  cache.text("key_id", r.key_id);
  if (r.age_s >= 0) cache.number("age_s", r.age_s);
  if (r.has_ttl) cache.number("ttl_s", r.ttl_s);
  if (r.ttl_source != rules::TtlSource::None) cache.text("ttl_source", rules::to_string(r.ttl_source));
  if (r.has_result) {
    cache.boolean("stored", r.stored);
    if (from_store(r.result)) cache.text("tier", "l1");
  }
  cache.close();
}

void append_time(std::string& out, const AccessRecord& r) {
  Members time(out);
  time.time("total_ms", r.total_ms);
  time.time("lookup_ms", r.lookup_ms);
  time.time("queue_ms", r.queue_ms);
  time.time("wait_ms", r.wait_ms);
  time.time("origin_connect_ms", r.origin_connect_ms);
  time.time("origin_ttfb_ms", r.origin_ttfb_ms);
  time.time("send_ms", r.send_ms);
  time.close();
}

void append_origin(std::string& out, const AccessRecord& r) {
  Members origin(out);
  origin.text("name", r.origin_name);
  origin.text("address", r.origin_address);
  origin.text("method", r.origin_method);
  if (r.origin_status != 0) origin.number("status", r.origin_status);
  if (r.origin_attempts != 0) origin.number("attempts", r.origin_attempts);
  origin.text("error", r.origin_error);
  origin.text("detail", r.origin_detail);
  origin.close();
}

void append_error(std::string& out, const AccessRecord& r) {
  Members error(out);
  error.text("code", r.error_code);
  error.text("detail", r.error_detail);
  error.close();
}

// One `{name}` of a template; false for a name that does not exist.
bool append_template_field(std::string& out, std::string_view name, const AccessRecord& r,
                           const config::AccessLog& config) {
  const auto text = [&](std::string_view v) { append_clf_text(out, v); };
  const auto number = [&](auto v) { append_number(out, v); };
  const auto time = [&](double v) { v < 0 ? void(out += '-') : append_ms(out, v); };
  const auto flag = [&](bool v) { out += v ? "true" : "false"; };
  if (name == "ts")
    append_timestamp(out, r.at);
  else if (name == "remote")
    text(r.remote);
  else if (name == "client")
    text(r.client);
  else if (name == "method")
    text(r.method);
  else if (name == "scheme")
    text(r.scheme);
  else if (name == "host")
    text(r.host);
  else if (name == "path")
    text(r.path);
  else if (name == "query") {
    std::string query;
    append_redacted_query(query, r.query, config);
    text(query);
  } else if (name == "proto")
    text(proto_text(r.version));
  else if (name == "status")
    r.status == 0 ? text("") : number(r.status);
  else if (name == "bytes_in")
    number(r.bytes_in);
  else if (name == "bytes_out")
    number(r.bytes_out);
  else if (name == "route")
    text(r.route);
  else if (name == "cache.result")
    text(r.has_result ? rules::to_string(r.result) : "");
  else if (name == "cache.reason")
    text(rules::to_string(r.reason));
  else if (name == "cache.cause")
    text(rules::to_string(r.cause));
  else if (name == "cache.cause_left_s")
    r.cause == rules::Reason::None ? text("") : number(r.cause_left_s);
  else if (name == "cache.key_id")
    text(r.key_id);
  else if (name == "cache.age_s")
    r.age_s < 0 ? text("") : number(r.age_s);
  else if (name == "cache.ttl_s")
    r.has_ttl ? number(r.ttl_s) : text("");
  else if (name == "cache.ttl_source")
    text(r.ttl_source == rules::TtlSource::None ? "" : rules::to_string(r.ttl_source));
  else if (name == "cache.stored")
    flag(r.stored);
  else if (name == "cache.tier")
    text(r.has_result && from_store(r.result) ? "l1" : "");
  else if (name == "time.total_ms")
    time(r.total_ms);
  else if (name == "time.lookup_ms")
    time(r.lookup_ms);
  else if (name == "time.queue_ms")
    time(r.queue_ms);
  else if (name == "time.wait_ms")
    time(r.wait_ms);
  else if (name == "time.origin_connect_ms")
    time(r.origin_connect_ms);
  else if (name == "time.origin_ttfb_ms")
    time(r.origin_ttfb_ms);
  else if (name == "time.send_ms")
    time(r.send_ms);
  else if (name == "origin.name")
    text(r.origin_name);
  else if (name == "origin.address")
    text(r.origin_address);
  else if (name == "origin.method")
    text(r.origin_method);
  else if (name == "origin.status")
    r.origin_status == 0 ? text("") : number(r.origin_status);
  else if (name == "origin.attempts")
    number(r.origin_attempts);
  else if (name == "origin.error")
    text(r.origin_error);
  else if (name == "origin.detail")
    text(r.origin_detail);
  else if (name == "error.code")
    text(r.error_code);
  else if (name == "error.detail")
    text(r.error_detail);
  else if (name == "trace_id")
    text(r.trace_id);
  else if (name == "request_id")
    text(r.request_id);
  else if (name == "user_agent")
    text(user_agent_text(r.user_agent, config));
  else if (name == "referer")
    text(referer_text(r.referer, config));
  else
    return false;
  return true;
}

}  // namespace

void append_redacted_query(std::string& out, std::string_view query, const config::AccessLog& config) {
  if (config.redact_query.empty()) {
    out += query;
    return;
  }
  while (true) {
    const auto amp = query.find('&');
    const auto piece = query.substr(0, amp);
    const auto eq = piece.find('=');
    if (eq != std::string_view::npos && query_name_redacted(piece.substr(0, eq), config)) {
      out += piece.substr(0, eq + 1);
      out += kRedacted;
    } else {
      out += piece;
    }
    if (amp == std::string_view::npos) return;
    out += '&';
    query.remove_prefix(amp + 1);
  }
}

void append_json(std::string& out, const AccessRecord& r, const config::AccessLog& config) {
  Members line(out);
  line.key("ts");
  out += '"';
  append_timestamp(out, r.at);
  out += '"';
  line.text("remote", r.remote);
  line.text("client", r.client);
  line.text("method", r.method);
  line.text("scheme", r.scheme);
  line.text("host", r.host);
  line.text("path", r.path);
  if (r.has_query) {
    line.key("query");
    if (config.redact_query.empty()) {
      append_json_string(out, r.query);
    } else {
      std::string query;
      append_redacted_query(query, r.query, config);
      append_json_string(out, query);
    }
  }
  line.text("proto", proto_text(r.version));
  if (r.status != 0) line.number("status", r.status);
  line.number("bytes_in", r.bytes_in);
  line.number("bytes_out", r.bytes_out);
  line.text("route", r.route);
  if (r.has_result || r.reason != rules::Reason::None || !r.key_id.empty()) {
    line.key("cache");
    append_cache(out, r);
  }
  line.key("time");
  append_time(out, r);
  if (!r.origin_name.empty()) {
    line.key("origin");
    append_origin(out, r);
  }
  if (!r.error_code.empty()) {
    line.key("error");
    append_error(out, r);
  }
  line.text("trace_id", r.trace_id);
  line.text("request_id", r.request_id);
  line.text("user_agent", user_agent_text(r.user_agent, config));
  if (!r.referer.empty()) line.text("referer", referer_text(r.referer, config));
  if (!r.completed) line.boolean("completed", false);
  line.close();
}

namespace {

/// Method, path and query.
void append_asked(std::string& out, const AccessRecord& r, const config::AccessLog& config) {
  append_clf_text(out, r.method);
  out += ' ';
  append_clf_text(out, r.path);
  if (!r.has_query) return;
  std::string query;
  append_redacted_query(query, r.query, config);
  out += '?';
  if (!query.empty()) append_clf_text(out, query);
}

}  // namespace

void append_combined(std::string& out, const AccessRecord& r, const config::AccessLog& config) {
  append_clf_text(out, r.client.empty() ? r.remote : r.client);
  out += " - - [";
  append_clf_time(out, r.at);
  out += "] \"";
  if (r.method.empty()) {
    out += '-';  // refused before there was a request line
  } else {
    append_asked(out, r, config);
    out += ' ';
    out += proto_text(r.version);
  }
  out += "\" ";
  if (r.status == 0)
    out += '-';
  else
    append_number(out, r.status);
  out += ' ';
  append_number(out, r.bytes_out);
  out += " \"";
  append_clf_text(out, referer_text(r.referer, config));
  out += "\" \"";
  append_clf_text(out, user_agent_text(r.user_agent, config));
  out += '"';
}

// For people: time, request, result and reason, in one line.
void append_console(std::string& out, const AccessRecord& r, const config::AccessLog& config) {
  append_time_of_day(out, r.at);
  out += ' ';
  if (r.method.empty())
    out += '-';  // refused before there was a request line
  else
    append_asked(out, r, config);
  out += ' ';
  if (r.status == 0)
    out += '-';
  else
    append_number(out, r.status);
  if (r.has_result) {
    out += ' ';
    out += rules::to_string(r.result);
    if (r.reason != rules::Reason::None) {
      out += " (";
      out += rules::to_string(r.reason);
      if (r.cause != rules::Reason::None) {
        out += ": ";
        out += rules::to_string(r.cause);
      }
      out += ')';
    }
  }
  out += ' ';
  append_number(out, r.bytes_out);
  out += " B ";
  append_ms(out, r.total_ms);
  out += " ms";
  if (!r.origin_error.empty()) {
    out += "; origin ";
    append_clf_text(out, r.origin_name);
    out += ": ";
    append_clf_text(out, r.origin_error);
    if (!r.origin_detail.empty()) {
      out += ": ";
      append_clf_text(out, r.origin_detail);
    }
  }
  // If the origin failed, that is the cause.
  if (!r.error_code.empty() && r.origin_error.empty()) {
    out += "; ";
    out += r.error_code;
    if (!r.error_detail.empty()) {
      out += ": ";
      append_clf_text(out, r.error_detail);
    }
  }
  if (!r.completed) out += "; not completed";
}

void append_template(std::string& out, const AccessRecord& r, const config::AccessLog& config) {
  std::string_view rest = config.template_text;
  while (!rest.empty()) {
    const auto open = rest.find('{');
    out += rest.substr(0, open);
    if (open == std::string_view::npos) return;
    const auto close = rest.find('}', open);
    if (close == std::string_view::npos) {
      out += rest.substr(open);
      return;
    }
    const auto name = rest.substr(open + 1, close - open - 1);
    // Unknown names are printed as written.
    if (!append_template_field(out, name, r, config)) out += rest.substr(open, close - open + 1);
    rest.remove_prefix(close + 1);
  }
}

}  // namespace forebay::proxy
