#include "support/client.hpp"

#include <cctype>
#include <cstdlib>
#include <ostream>

namespace forebay::test {
namespace {

Answer malformed(Answer a, std::string why) {
  a.end = Ending::Malformed;
  a.complaint = std::move(why);
  return a;
}

bool is_status_line(std::string_view s) {
  return s.size() >= 13 && (s.starts_with("HTTP/1.1 ") || s.starts_with("HTTP/1.0 ")) && std::isdigit(s[9]) &&
         std::isdigit(s[10]) && std::isdigit(s[11]) && s[12] == ' ';
}

// How the content of an answer is delimited (RFC 9112 section 6.3), and what a well-behaved server never sends.
Answer::Framing framing(Answer& a, std::string_view method, std::size_t& length) {
  const bool coded = a.has("Transfer-Encoding");
  const bool sized = a.has("Content-Length");
  const bool bodiless = a.status < 200 || a.status == 204 || a.status == 304 || method == "HEAD";
  if (coded && sized) a.complaint = "both Transfer-Encoding and Content-Length";
  if (coded && a.get("Transfer-Encoding") != "chunked") a.complaint = "a transfer coding that is not chunked";
  if (coded && a.version == "HTTP/1.0") a.complaint = "Transfer-Encoding in HTTP/1.0";
  if (sized && !parse_length(a.fields, length)) a.complaint = "a bad Content-Length: " + a.get("Content-Length");
  if ((coded || sized) && (a.status < 200 || a.status == 204)) a.complaint = "framing fields on a 1xx or 204";
  if (bodiless) return Answer::Framing::None;
  if (coded) return Answer::Framing::Chunked;
  return sized ? Answer::Framing::Length : Answer::Framing::UntilClose;
}

}  // namespace

long Answer::age() const { return has("Age") ? std::strtol(get("Age").c_str(), nullptr, 10) : -1; }

std::string Answer::cache_param(std::string_view name) const {
  auto member = cache_status();
  if (const auto comma = member.rfind(", "); comma != std::string::npos) member.erase(0, comma + 2);
  std::size_t at = member.find(';');
  while (at != std::string::npos) {
    const auto next = member.find(';', at + 1);
    auto part = std::string_view(member).substr(at + 1, next == std::string::npos ? next : next - at - 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    if (part == name) return "";
    if (part.starts_with(name) && part.size() > name.size() && part[name.size()] == '=')
      return std::string(part.substr(name.size() + 1));
    at = next;
  }
  return "-";
}

std::string Answer::key() const {
  const auto member = cache_status();
  const std::string_view name = "; key=\"";
  const auto found = member.find(name);
  if (found == std::string::npos) return "-";
  std::string key;
  for (auto i = found + name.size(); i < member.size() && member[i] != '"'; ++i) {
    if (member[i] == '\\') ++i;
    if (i < member.size()) key += member[i];
  }
  const std::string_view https = "|https|";
  if (const auto at = key.find(https); over_tls() && at != std::string::npos) key.replace(at, https.size(), "|http|");
  return key;
}

long Answer::ttl() const { return std::strtol(cache_param("ttl").c_str(), nullptr, 10); }

std::ostream& operator<<(std::ostream& out, const Answer& a) {
  out << "status " << a.status << ", ending " << to_string(a.end);
  if (!a.complaint.empty()) out << " (" << a.complaint << ')';
  return out << '\n' << a.head << a.body.substr(0, 500);
}

bool Client::request(std::string_view method, std::string_view target, const FieldLines& fields,
                     std::string_view body) {
  std::string text;
  text.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
  if (!fields.has("Host")) text += "Host: shop.test\r\n";
  for (const auto& [n, v] : fields) text.append(n).append(": ").append(v).append("\r\n");
  if (!body.empty() && !fields.has("Transfer-Encoding") && !fields.has("Content-Length"))
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n";
  text += body;
  return send(text);
}

Answer Client::read_head(Clock::duration limit) {
  Answer a;
  Wire::Head head;
  a.end = wire_.read_head(head, limit);
  a.head = head.bytes;
  if (a.end == Ending::Malformed) a.complaint = wire_.complaint();
  if (a.end != Ending::Complete) return a;
  if (!is_status_line(head.start_line)) return malformed(std::move(a), "a bad status line: " + head.start_line);
  a.version = head.start_line.substr(0, 8);
  a.status = std::atoi(head.start_line.c_str() + 9);
  a.fields = std::move(head.fields);
  return a;
}

Answer Client::read_message(std::string_view method, Clock::duration limit) {
  Answer a = read_head(limit);
  if (a.complete()) read_content(a, method, limit);
  return a;
}

void Client::read_content(Answer& a, std::string_view method, Clock::duration limit) {
  std::size_t length = 0;
  a.framing = framing(a, method, length);
  if (!a.complaint.empty()) {
    a.end = Ending::Malformed;
    return;
  }
  const auto keep = [&](std::string_view piece) { a.body += piece; };
  if (a.framing == Answer::Framing::Length) a.end = wire_.read_length(length, keep, limit);
  if (a.framing == Answer::Framing::Chunked) a.end = wire_.read_chunked(keep, a.trailers, limit);
  if (a.framing == Answer::Framing::UntilClose) a.end = wire_.read_until_close(keep, limit);
  if (a.end == Ending::Malformed) a.complaint = wire_.complaint();
}

Answer Client::read(std::string_view method, Clock::duration limit) {
  std::vector<Answer> interim;
  for (;;) {
    auto a = read_message(method, limit);
    if (a.complete() && a.status >= 100 && a.status < 200 && a.status != 101) {
      interim.push_back(std::move(a));
      continue;
    }
    a.interim = std::move(interim);
    return a;
  }
}

std::string Client::read_raw(std::size_t n, Clock::duration limit) {
  std::string all;
  wire_.read_length(
      n, [&](std::string_view piece) { all += piece; }, limit);
  return all;
}

bool Client::closed(Clock::duration limit) {
  if (!wire_.pending().empty()) return false;
  const auto got = wire_.more(limit);
  return got == Socket::Got::End || got == Socket::Got::Reset;
}

bool Client::quiet(Clock::duration during) {
  return wire_.pending().empty() && wire_.more(during) == Socket::Got::Timeout;
}

}  // namespace forebay::test
