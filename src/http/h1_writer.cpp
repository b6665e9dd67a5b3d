#include "forebay/http/h1_writer.hpp"

#include <charconv>

namespace forebay::http {

void append_decimal(std::string& out, std::uint64_t n) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
  out.append(digits, end);
}

void append_status_line(std::string& out, int status) {
  out.append("HTTP/1.1 ");
  append_decimal(out, static_cast<std::uint64_t>(status));
  // The space stays where the phrase is empty (RFC 9112 section 4).
  out.append(" ").append(reason_phrase(status)).append("\r\n");
}

void append_request_line(std::string& out, std::string_view method, std::string_view target) {
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
}

void append_chunk_size(std::string& out, std::size_t size) {
  char digits[16];
  const auto end = std::to_chars(digits, digits + sizeof digits, size, 16).ptr;
  out.append(digits, end).append("\r\n");
}

void append_last_chunk(std::string& out, FieldsView trailers) {
  out.append("0\r\n");
  for (const Field& f : trailers) append_line(out, f.name, f.value);
  out.append("\r\n");
}

}  // namespace forebay::http
