#include "access_format.hpp"

#include "forebay/base/text.hpp"
#include "forebay/http/list.hpp"
#include "log_text.hpp"

namespace forebay::proxy {
namespace {

constexpr std::string_view kRedacted = "REDACTED";
std::string_view proto_text(http::Version v) noexcept {
  switch (v) {
    case http::Version::Http10: return "HTTP/1.0";
    case http::Version::Http11: return "HTTP/1.1";
    case http::Version::Http2: return "HTTP/2.0";
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
    cache.text("coding", r.coding);
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
  origin.text("failed_origin", r.failed_origin);
  origin.text("failed_by", r.failed_by);
  origin.close();
}

void append_tls(std::string& out, const net::TlsPeer& peer) {
  Members tls(out);
  tls.text("version", peer.version);
  tls.text("cipher", peer.cipher);
  tls.text("server_name", peer.server_name);
  tls.boolean("resumed", peer.resumed);
  if (!peer.client_verify.empty()) {
    tls.key("client");
    Members client(out);
    if (peer.client) {
      client.text("subject", peer.client->subject);
      client.text("fingerprint", peer.client->fingerprint);
    }
    client.text("verify", peer.client_verify);
    client.close();
  }
  tls.close();
}

void append_error(std::string& out, const AccessRecord& r) {
  Members error(out);
  error.text("code", r.error_code);
  error.text("detail", r.error_detail);
  error.close();
}

void append_tunnel(std::string& out, const AccessRecord& r) {
  Members tunnel(out);
  tunnel.text("protocol", r.tunnel_protocol);
  tunnel.text("end", r.tunnel_end);
  tunnel.close();
}

/// What the fields of a template are written by.
struct Line {
  std::string& out;
  const AccessRecord& r;
  const config::AccessLog& config;
  void text(std::string_view v) const { append_clf_text(out, v); }
  void number(auto v) const { append_number(out, v); }
  void time(double v) const { v < 0 ? void(out += '-') : append_ms(out, v); }
  /// Of the handshake; nothing without TLS.
  template <class Value>
  void tls(Value&& value) const {
    text(r.tls ? value(*r.tls) : std::string_view());
  }
  template <class Value>
  void client(Value&& value) const {
    text(r.tls && r.tls->client ? value(*r.tls->client) : std::string_view());
  }
};
struct TemplateField {
  std::string_view name;
  void (*append)(const Line&);
};
constexpr TemplateField kFields[] = {
    {"ts", [](const Line& l) { append_timestamp(l.out, l.r.at); }},
    {"remote", [](const Line& l) { l.text(l.r.remote); }},
    {"client", [](const Line& l) { l.text(l.r.client); }},
    {"method", [](const Line& l) { l.text(l.r.method); }},
    {"scheme", [](const Line& l) { l.text(l.r.scheme); }},
    {"host", [](const Line& l) { l.text(l.r.host); }},
    {"path", [](const Line& l) { l.text(l.r.path); }},
    {"query",
     [](const Line& l) {
       std::string query;
       append_redacted_query(query, l.r.query, l.config);
       l.text(query);
     }},
    {"proto", [](const Line& l) { l.text(proto_text(l.r.version)); }},
    {"status", [](const Line& l) { l.r.status == 0 ? l.text("") : l.number(l.r.status); }},
    {"bytes_in", [](const Line& l) { l.number(l.r.bytes_in); }},
    {"bytes_out", [](const Line& l) { l.number(l.r.bytes_out); }},
    {"route", [](const Line& l) { l.text(l.r.route); }},
    {"cache.result", [](const Line& l) { l.text(l.r.has_result ? rules::to_string(l.r.result) : ""); }},
    {"cache.reason", [](const Line& l) { l.text(rules::to_string(l.r.reason)); }},
    {"cache.cause", [](const Line& l) { l.text(rules::to_string(l.r.cause)); }},
    {"cache.cause_left_s",
     [](const Line& l) { l.r.cause == rules::Reason::None ? l.text("") : l.number(l.r.cause_left_s); }},
    {"cache.key_id", [](const Line& l) { l.text(l.r.key_id); }},
    {"cache.age_s", [](const Line& l) { l.r.age_s < 0 ? l.text("") : l.number(l.r.age_s); }},
    {"cache.ttl_s", [](const Line& l) { l.r.has_ttl ? l.number(l.r.ttl_s) : l.text(""); }},
    {"cache.ttl_source",
     [](const Line& l) { l.text(l.r.ttl_source == rules::TtlSource::None ? "" : rules::to_string(l.r.ttl_source)); }},
    {"cache.stored", [](const Line& l) { l.out += l.r.stored ? "true" : "false"; }},
    {"cache.tier", [](const Line& l) { l.text(l.r.has_result && from_store(l.r.result) ? "l1" : ""); }},
    {"cache.coding", [](const Line& l) { l.text(l.r.coding); }},
    {"time.total_ms", [](const Line& l) { l.time(l.r.total_ms); }},
    {"time.lookup_ms", [](const Line& l) { l.time(l.r.lookup_ms); }},
    {"time.queue_ms", [](const Line& l) { l.time(l.r.queue_ms); }},
    {"time.wait_ms", [](const Line& l) { l.time(l.r.wait_ms); }},
    {"time.origin_connect_ms", [](const Line& l) { l.time(l.r.origin_connect_ms); }},
    {"time.origin_ttfb_ms", [](const Line& l) { l.time(l.r.origin_ttfb_ms); }},
    {"time.send_ms", [](const Line& l) { l.time(l.r.send_ms); }},
    {"origin.name", [](const Line& l) { l.text(l.r.origin_name); }},
    {"origin.address", [](const Line& l) { l.text(l.r.origin_address); }},
    {"origin.method", [](const Line& l) { l.text(l.r.origin_method); }},
    {"origin.status", [](const Line& l) { l.r.origin_status == 0 ? l.text("") : l.number(l.r.origin_status); }},
    {"origin.attempts", [](const Line& l) { l.number(l.r.origin_attempts); }},
    {"origin.error", [](const Line& l) { l.text(l.r.origin_error); }},
    {"origin.detail", [](const Line& l) { l.text(l.r.origin_detail); }},
    {"origin.failed_origin", [](const Line& l) { l.text(l.r.failed_origin); }},
    {"origin.failed_by", [](const Line& l) { l.text(l.r.failed_by); }},
    {"error.code", [](const Line& l) { l.text(l.r.error_code); }},
    {"error.detail", [](const Line& l) { l.text(l.r.error_detail); }},
    {"tls.version", [](const Line& l) { l.tls([](auto& t) { return t.version; }); }},
    {"tls.cipher", [](const Line& l) { l.tls([](auto& t) { return t.cipher; }); }},
    {"tls.server_name", [](const Line& l) { l.tls([](auto& t) -> std::string_view { return t.server_name; }); }},
    {"tls.resumed",
     [](const Line& l) { l.tls([](auto& t) -> std::string_view { return t.resumed ? "true" : "false"; }); }},
    {"tls.client.subject", [](const Line& l) { l.client([](auto& c) -> std::string_view { return c.subject; }); }},
    {"tls.client.fingerprint",
     [](const Line& l) { l.client([](auto& c) -> std::string_view { return c.fingerprint; }); }},
    {"tls.client.verify", [](const Line& l) { l.tls([](auto& t) { return t.client_verify; }); }},
    {"tunnel.protocol", [](const Line& l) { l.text(l.r.tunnel_protocol); }},
    {"tunnel.end", [](const Line& l) { l.text(l.r.tunnel_end); }},
    {"trace_id", [](const Line& l) { l.text(l.r.trace_id); }},
    {"span_id", [](const Line& l) { l.text(l.r.span_id); }},
    {"parent_id", [](const Line& l) { l.text(l.r.parent_id); }},
    {"trace_link", [](const Line& l) { l.text(l.r.trace_link); }},
    {"request_id", [](const Line& l) { l.text(l.r.request_id); }},
    {"user_agent", [](const Line& l) { l.text(user_agent_text(l.r.user_agent, l.config)); }},
    {"referer", [](const Line& l) { l.text(referer_text(l.r.referer, l.config)); }},
};

/// Whether the names are those of the configuration, in its order.
constexpr bool fields_are(std::string_view names) {
  for (const auto& field : kFields) {
    if (!names.starts_with(field.name)) return false;
    names.remove_prefix(field.name.size());
    if (names.starts_with(' ')) names.remove_prefix(1);
  }
  return names.empty();
}
static_assert(fields_are(config::kAccessFields));

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
  if (!r.tunnel_protocol.empty()) {
    line.key("tunnel");
    append_tunnel(out, r);
  }
  if (!r.error_code.empty()) {
    line.key("error");
    append_error(out, r);
  }
  if (r.tls) {
    line.key("tls");
    append_tls(out, *r.tls);
  }
  line.text("trace_id", r.trace_id);
  line.text("span_id", r.span_id);
  line.text("parent_id", r.parent_id);
  line.text("trace_link", r.trace_link);
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
  for (const auto& part : config.line.parts) {
    out += part.text;
    kFields[part.field].append({out, r, config});
  }
  out += config.line.end;
}

}  // namespace forebay::proxy
