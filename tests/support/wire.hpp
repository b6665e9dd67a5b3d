#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/socket.hpp"

namespace forebay::test {

bool same_name(std::string_view a, std::string_view b);

/// Field lines in order of arrival, names as sent.
class FieldLines : public std::vector<std::pair<std::string, std::string>> {
 public:
  using vector::vector;
  bool has(std::string_view name) const { return count(name) != 0; }
  std::size_t count(std::string_view name) const;
  /// All lines of that name joined by ", "; empty when there is none.
  std::string get(std::string_view name) const;
  void remove(std::string_view name);
};

/// How a message ended.
enum class Ending { Complete, Cut, Reset, Timeout, Malformed };
std::string_view to_string(Ending e);
inline void PrintTo(Ending e, std::ostream* out) { *out << to_string(e); }

/// Reads HTTP/1.x messages from a socket, strictly: a second opinion on framing that shares no code with the product.
class Wire {
 public:
  explicit Wire(Socket& socket) : socket_(&socket) {}

  struct Head {
    std::string start_line;
    FieldLines fields;
    std::string bytes;  ///< As received, with the final empty line.
  };
  /// Cut with nothing received at all is the normal end of a connection: then `Head::bytes` is empty.
  Ending read_head(Head& head, Clock::duration limit = kPatience);

  using OnContent = std::function<void(std::string_view)>;
  Ending read_length(std::size_t length, const OnContent& on_content, Clock::duration limit = kPatience);
  Ending read_chunked(const OnContent& on_content, FieldLines& trailers, Clock::duration limit = kPatience);
  Ending read_until_close(const OnContent& on_content, Clock::duration limit = kPatience);

  /// Bytes received that belong to no message yet.
  const std::string& pending() const { return buffer_; }
  /// Everything ever received.
  const std::string& received() const { return received_; }
  /// Waits for one more receive; says what came.
  Socket::Got more(Clock::duration limit);
  /// What was wrong, for a Malformed.
  const std::string& complaint() const { return complaint_; }

 private:
  Ending line(std::string& into, Clock::duration limit);
  Ending malformed(std::string why);
  static Ending ended(Socket::Got got);

  Socket* socket_;
  std::string buffer_;
  std::string received_;
  std::string complaint_;
};

/// Content-Length as a number; false for anything else than one line of digits.
bool parse_length(const FieldLines& fields, std::size_t& length);

}  // namespace forebay::test
