#pragma once

#include <string>
#include <string_view>

#include "forebay/http/message.hpp"

namespace forebay::http {

/// "HTTP/1.1 200 OK\r\n"; a status without a standard phrase has an empty one.
void append_status_line(std::string& out, int status);
void append_request_line(std::string& out, std::string_view method, std::string_view target);
/// "5a\r\n", before a chunk's bytes.
void append_chunk_size(std::string& out, std::size_t size);
/// "0\r\n", trailers, "\r\n".
void append_last_chunk(std::string& out, FieldsView trailers);

}  // namespace forebay::http
