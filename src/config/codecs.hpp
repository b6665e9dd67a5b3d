#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "config/printer.hpp"
#include "config/readers.hpp"
#include "config/row.hpp"
#include "config/secret.hpp"
#include "forebay/content/encoder.hpp"
#include "forebay/http/forwarding.hpp"

// How the values of keys are read and printed: first by their types, then of single keys whose values are special.

namespace forebay::config {

using Texts = std::vector<std::string>;

constexpr std::size_t kMostParts = 64;  // pointers, form fields or extensions of one key

template <class List>
void add_once(List& list, typename List::value_type item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(std::move(item));
}

/// A scalar with bounds.
bool read_scalar(const Reading& r, Duration& out);
bool read_scalar(const Reading& r, std::uint64_t& out);  ///< A size.
bool read_scalar(const Reading& r, double& out);         ///< A ratio.
bool read_scalar(const Reading& r, std::uint32_t& out);
bool read_scalar(const Reading& r, bool& out);
inline std::string scalar_text(Duration value) { return format_duration(value); }
inline std::string scalar_text(std::uint64_t value) { return format_size(value); }
inline std::string scalar_text(double value) { return format_ratio(value); }
inline std::string scalar_text(std::uint32_t value) { return std::to_string(value); }
inline std::string scalar_text(bool value) { return value ? "true" : "false"; }

template <class T>
requires std::is_arithmetic_v<T> || std::is_same_v<T, Duration>
struct Codec<T> {
  static constexpr std::string_view kType = std::is_same_v<T, Duration>        ? "duration"
                                            : std::is_same_v<T, std::uint64_t> ? "size"
                                            : std::is_same_v<T, double>        ? "ratio"
                                            : std::is_same_v<T, bool>          ? "bool"
                                                                               : "int";
  static bool read(const Reading& r, T& out) { return read_scalar(r, out); }
  static std::string text(T value) { return scalar_text(value); }
};
/// A count that is no size.
struct Count {
  static constexpr std::string_view kType = "int";
  static void read(const Reading& r, std::size_t& out);
  static std::string text(std::size_t value) { return std::to_string(value); }
};

/// One word of the row's list; enumerators and words are in one order.
template <class E>
requires std::is_enum_v<E>
struct Codec<E> {
  static void read(const Reading& r, E& out) {
    if (const auto index = r.word()) out = static_cast<E>(*index);
  }
  static std::string text(E value, const Printing& p) { return word_at(p.row.type, static_cast<std::size_t>(value)); }
};
/// A bool that is one of two words.
template <bool First>
struct WordFor {
  static void read(const Reading& r, bool& out) {
    if (const auto index = r.word()) out = (*index == 0) == First;
  }
  static std::string text(bool value, const Printing& p) { return word_at(p.row.type, value == First ? 0 : 1); }
};

/// Tags with parts in braces.
struct TagTemplates {
  static constexpr std::string_view kType = "list of tag template";
  static bool read(const Reading& r, std::vector<rules::TagTemplate>& out);
  static std::string text(const std::vector<rules::TagTemplate>& templates);
};
/// `invalidates: [products]`; the keys of the map are rows of their own.
struct ShortInvalidates {
  using Value = Route;
  static constexpr std::string_view kType = "list of tag template or map";
  static constexpr std::size_t kMembers = 0;
  static void read(const Reading& r, Route& out);
};

/// Names of header fields, as they are written.
struct FieldNames {
  static constexpr std::string_view kType = "list of header name";
  static bool read(const Reading& r, Texts& out);
  static std::string text(const Texts& names) { return yaml_texts(names); }
};
/// Globs over names of header fields: `*` may be part of a token.
struct FieldGlobs : FieldNames {
  static constexpr std::string_view kType = "list of glob";
};
struct Globs : FieldNames {
  static constexpr std::string_view kType = "list of glob";
  static bool read(const Reading& r, Texts& out);
};
/// Content codings that Forebay makes, the preferred one first.
struct Codings {
  static constexpr std::string_view kType = "list of zstd, br or gzip";
  static void read(const Reading& r, std::vector<content::Compression>& out);
  static std::string text(const std::vector<content::Compression>& codings);
};
/// A ratio of whole percents.
struct Percent {
  static constexpr std::string_view kType = "percentage";
  static void read(const Reading& r, unsigned& out);
  static std::string text(unsigned value) { return std::to_string(value) + '%'; }
};
using StatusPatterns = std::vector<rules::StatusPattern>;
struct Statuses {
  static constexpr std::string_view kType = "list of status";
  static void read(const Reading& r, StatusPatterns& out);
  static std::string text(const StatusPatterns& statuses) { return yaml_list(statuses, format_status); }
};
/// What counts as a failure of an origin: a struct of `connect`, `timeout` and `statuses`.
struct Failures {
  static constexpr std::string_view kType = "list of connect, timeout or status";
  template <class T>
  static void read(const Reading& r, T& out) {
    T failures{false, false, {}};
    if (read_words(r, failures.connect, failures.timeout, failures.statuses)) out = std::move(failures);
  }
  template <class T>
  static std::string text(const T& failures) {
    Texts words;
    if (failures.connect) words.emplace_back("connect");
    if (failures.timeout) words.emplace_back("timeout");
    for (const auto& status : failures.statuses) words.push_back(format_status(status));
    return yaml_list(words, [](const std::string& word) { return word; });
  }

 private:
  static bool read_words(const Reading& r, bool& connect, bool& timeout, StatusPatterns& statuses);
};
/// Globs over media types, in lower case.
struct MediaTypes {
  static constexpr std::string_view kType = "list of media type";
  static void read(const Reading& r, Texts& out);
  static std::string text(const Texts& types) { return yaml_texts(types); }
};
/// `token` and `token_file` of a struct; the second is read with the first.
template <class Owner>
struct Token {
  using Value = Owner;
  static constexpr std::string_view kType = "secret";
  static void read(const Reading& r, Owner& owner) {
    read_secret(r.section, r.row.name, owner.token, owner.token_file);
  }
  static Text text(const Owner& owner) {
    return owner.token.empty() || !owner.token_file.empty() ? Text() : yaml_text(kRedacted);
  }
};
template <class Owner>
struct TokenFile {
  using Value = Owner;
  static constexpr std::string_view kType = "path";
  static Text text(const Owner& owner) { return owner.token_file.empty() ? Text() : yaml_text(owner.token_file); }
};
/// `auto` leaves the number that is there.
struct Threads {
  static constexpr std::string_view kType = "int or auto";
  static void read(const Reading& r, unsigned& out);
  static std::string text(unsigned value) { return std::to_string(value); }
};
struct RefreshAhead {
  static constexpr std::string_view kType = "ratio or auto";
  static void read(const Reading& r, rules::Policy::RefreshAhead& out);
  static std::string text(const rules::Policy::RefreshAhead& ahead);
};

void write_route(Printer& p, const Route& route);

/// A network, or an address, which is the network of that one address.
std::optional<http::Cidr> read_network(const std::string& text);
/// Wider than any private network: 10.0.0.0/8 and fc00::/7.
bool trusts_strangers(const http::Cidr& net);

// Keys of the top level that many files have a part in.

struct Listeners {
  static constexpr std::string_view kType = "list of address or listener";
  static void read(const Reading& r, std::vector<Listener>& out);
  static void write(Printer& p, const Row& row, const std::vector<Listener>& listeners);
};
struct Origins {
  static constexpr std::string_view kType = "map of url or origin";
  static void read(const Reading& r, std::map<std::string, Origin>& out);
  static void write(Printer& p, const Row& row, const std::map<std::string, Origin>& origins);
};
/// The name of an origin, or the urls of one without a name; read with what it belongs to.
struct OriginName {
  static constexpr std::string_view kType = "origin name, url or list of url";
  static Text text(const std::string& name);  ///< None where it is empty.
};
struct DefaultOrigin : OriginName {
  static void read(const Reading& r, std::string& out);
};
struct Routes {
  using Value = Config;
  static constexpr std::string_view kType = "list of route";
  static void read(const Reading& r, Config& out);
  static void write(Printer& p, const Row& row, const Config& config);
};

}  // namespace forebay::config
