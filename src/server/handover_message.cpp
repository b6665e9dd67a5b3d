#include "server/handover_message.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>

#include "forebay/http/list.hpp"

namespace forebay::server {
namespace {

using Kind = HandoverMessage::Kind;
using AddressKind = config::Address::Kind;
using Fields = std::map<std::string_view, std::string_view>;

constexpr std::string_view kMagic = "forebay-handover ";
constexpr std::array<std::string_view, 9> kKinds{"hello",    "sockets", "control", "end",   "ready",
                                                 "replaced", "refused", "purge",   "purged"};
constexpr std::array<std::string_view, 3> kAddressKinds{"tcp", "unix", "fd"};
constexpr std::array<AddressKind, 3> kAddresses{AddressKind::Tcp, AddressKind::Unix, AddressKind::Fd};
constexpr std::size_t kMostFields = 32;

template <class List>
std::optional<std::size_t> index_of(const List& list, const typename List::value_type& what) {
  const auto at = std::find(list.begin(), list.end(), what);
  if (at == list.end()) return std::nullopt;
  return static_cast<std::size_t>(std::distance(list.begin(), at));
}

/// The text up to the first `end`, which it takes off the front.
std::string_view take(std::string_view& text, char end) {
  const auto at = std::min(text.find(end), text.size());
  const auto part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

bool is_control(char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f; }

std::optional<unsigned> number(const Fields& fields, std::string_view key, unsigned most) {
  std::uint64_t value = 0;
  const auto at = fields.find(key);
  if (at == fields.end() || !http::parse_decimal(at->second, UINT32_MAX, value) || value > most) return std::nullopt;
  return static_cast<unsigned>(value);
}

std::string_view text_of(const Fields& fields, std::string_view key) {
  const auto at = fields.find(key);
  return at == fields.end() ? std::string_view() : at->second;
}

bool read_address(const Fields& fields, config::Address& out) {
  const auto kind = index_of(kAddressKinds, text_of(fields, "kind"));
  const auto port = number(fields, "port", 65535), v6_only = number(fields, "v6_only", 1);
  if (!kind || !port || !v6_only) return false;
  out = config::Address{kAddresses.at(*kind), std::string(text_of(fields, "host")), static_cast<std::uint16_t>(*port),
                        std::string(text_of(fields, "address")), *v6_only == 1};
  return out.kind == AddressKind::Tcp || !out.host.empty();
}

bool read_taken(std::string_view list, std::vector<unsigned>& out) {
  while (!list.empty()) {
    std::uint64_t value = 0;
    if (!http::parse_decimal(take(list, ','), UINT32_MAX, value)) return false;
    if (value >= HandoverMessage::kMostListeners || (!out.empty() && value <= out.back())) return false;
    out.push_back(static_cast<unsigned>(value));
  }
  return true;
}

}  // namespace

std::string to_text(const HandoverMessage& message) {
  std::string out(kMagic);
  out += std::to_string(HandoverMessage::kVersion) + ' ';
  out += kKinds.at(static_cast<std::size_t>(message.kind));
  out += '\n';
  const auto add = [&out](std::string_view key, std::string_view value) {
    out.append(key).append("=").append(value).append("\n");
  };
  switch (message.kind) {
    case Kind::Hello:
    case Kind::End: add("program", message.text); break;
    case Kind::Refused: add("reason", message.text); break;
    case Kind::Sockets: {
      const auto& a = message.address;
      add("listener", std::to_string(message.listener));
      add("kind", kAddressKinds.at(index_of(kAddresses, a.kind).value_or(0)));
      add("host", a.host);
      add("port", std::to_string(a.port));
      add("v6_only", a.v6_only ? "1" : "0");
      add("address", a.text);
      break;
    }
    case Kind::Ready: {
      std::string list;
      for (const auto n : message.taken) list += (list.empty() ? "" : ",") + std::to_string(n);
      add("taken", list);
      break;
    }
    case Kind::Control:
    case Kind::Replaced:
    case Kind::Purge:
    case Kind::Purged: break;
  }
  return out;
}

std::optional<HandoverMessage> parse_handover_message(std::string_view text, std::string& fault) {
  const auto bad = [&fault](std::string why) {
    fault = std::move(why);
    return std::nullopt;
  };
  if (text.size() > HandoverMessage::kLongest || !text.ends_with('\n') || !text.starts_with(kMagic) ||
      std::any_of(text.begin(), text.end(), is_control))
    return bad("it sends what is no message of a handover");
  text.remove_prefix(kMagic.size());
  auto first = take(text, '\n');
  const auto version = take(first, ' ');
  if (version != std::to_string(HandoverMessage::kVersion))
    return bad("it speaks version " + std::string(version.substr(0, 20)) + " of the handover, this program version " +
               std::to_string(HandoverMessage::kVersion));
  const auto kind = index_of(kKinds, first);
  if (!kind) return bad("it sends a message of an unknown kind");
  Fields fields;
  while (!text.empty()) {
    auto line = take(text, '\n');
    if (line.find('=') == std::string_view::npos) return bad("it sends a line without a value");
    const auto key = take(line, '=');
    if (fields.size() == kMostFields || !fields.emplace(key, line).second) return bad("it sends too many values");
  }
  HandoverMessage out;
  out.kind = static_cast<Kind>(*kind);
  out.text = text_of(fields, out.kind == Kind::Refused ? "reason" : "program");
  if (out.kind == Kind::Sockets) {
    const auto listener = number(fields, "listener", HandoverMessage::kMostListeners - 1);
    if (!listener || !read_address(fields, out.address)) return bad("it sends sockets without their address");
    out.listener = *listener;
  }
  if (out.kind == Kind::Ready && !read_taken(text_of(fields, "taken"), out.taken))
    return bad("it sends a list of listeners that is none");
  return out;
}

}  // namespace forebay::server
