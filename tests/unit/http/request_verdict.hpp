#pragma once

#include <gtest/gtest.h>

#include <string>

#include "forebay/http/h1_parser.hpp"

namespace forebay::http {

using std::string_literals::operator""s;

// The verdict on a head: what went wrong, or how its content is framed.
inline std::string verdict(const Result<void>& result, const RequestParser& p) {
  if (!result) {
    switch (result.error()) {
      case Errc::Incomplete: return "incomplete";
      case Errc::Malformed: return "400";
      case Errc::Ambiguous: return "400 ambiguous";
      case Errc::TargetTooLong: return "414";
      case Errc::HeaderTooLarge: return "431";
      case Errc::Unsupported: return p.bad_version() ? "505" : "501";
      default: return "another error";
    }
  }
  switch (p.framing()) {
    case Framing::None: return "none";
    case Framing::Length: return "length " + std::to_string(p.content_length());
    case Framing::Chunked: return "chunked";
    case Framing::UntilClose: return "close";
  }
  return "?";
}

inline std::string whole(const std::string& bytes, const HeadLimits& limits = {}) {
  RequestParser p(limits);
  return verdict(p.parse(bytes), p);
}

// The same bytes in pieces of `step`, in a buffer that moves as it grows.
inline std::string in_pieces(const std::string& bytes, std::size_t step, const HeadLimits& limits = {}) {
  RequestParser p(limits);
  for (std::size_t n = step;; n += step) {
    const std::string so_far = bytes.substr(0, n);
    const auto result = p.parse(so_far);
    if (result || result.error() != Errc::Incomplete || n >= bytes.size()) return verdict(result, p);
  }
}

inline void expect(const std::string& bytes, const std::string& expected, const HeadLimits& limits = {}) {
  EXPECT_EQ(whole(bytes, limits), expected) << bytes;
  for (const std::size_t step : {1u, 2u, 3u, 7u, 64u}) {
    EXPECT_EQ(in_pieces(bytes, step, limits), expected) << step << " at a time: " << bytes;
  }
}

// A GET with these field lines behind its Host.
inline std::string get(const std::string& lines) { return "GET / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"; }
inline std::string post(const std::string& lines) { return "POST / HTTP/1.1\r\nHost: a\r\n" + lines + "\r\n"; }

}  // namespace forebay::http
