#include "forebay/http/h1_writer.hpp"

#include "forebay/base/text.hpp"

namespace forebay::http {

void append_status_line(std::string& out, int status) {
  if (status == 200) {
    out.append("HTTP/1.1 200 OK\r\n");
    return;
  }
  out.append("HTTP/1.1 ");
  append_number(out, status);
  // The space stays where the phrase is empty (RFC 9112 section 4).
  out.append(" ").append(reason_phrase(status)).append("\r\n");
}

void append_request_line(std::string& out, std::string_view method, std::string_view target) {
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
}

void append_chunk_size(std::string& out, std::size_t size) {
  append_number<16>(out, size);
  out.append("\r\n");
}

void append_last_chunk(std::string& out, FieldsView trailers) {
  out.append("0\r\n");
  for (const Field& f : trailers) append_line(out, f.name, f.value);
  out.append("\r\n");
}

}  // namespace forebay::http
