#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "config/section.hpp"
#include "forebay/config/config.hpp"
#include "forebay/config/secrecy.hpp"

// One row for each key of the file. A row names the member of a settings struct that the key sets, and says how the
// value is read, checked and printed. The rows of a struct are a table; tables nest as the maps of the file do
// (settings*.cpp).

namespace forebay::config {

struct Loading;
struct PolicyDraft;
struct Row;
class Printer;

/// The text of a value; nothing where its key is to be left out.
using Text = std::optional<std::string>;

/// What a changed value does at a reload: it holds from then on; it waits for a restart; it makes the stored answers of
/// its route unfit (`KeySpec::fingerprint`), or their lifetimes (`Policy::lifetimes`).
enum class Reload : std::uint8_t { Live, Restart, Entries, Lifetimes };

/// A key to be read: its row, and the map of the file that it may stand in.
struct Reading {
  Loading& loading;
  const Section& section;
  const Row& row;

  std::string path() const;
  std::string path(std::size_t index) const;  ///< `routes[2].methods[1]`
  /// The value; null where the key is absent or its value is wrong, which is reported.
  const Node* node() const;
  /// Its text; what is no scalar is reported as not being `what`.
  const std::string* scalar(std::string_view what) const;
  std::optional<Duration> duration(const Node& node, const std::string& path) const;
  /// The index in the row's closed list of words.
  std::optional<std::size_t> word() const;
  void error(int code, const Node& node, std::string message, std::string hint = {}) const;
  /// Empties `out` and calls `each(item, path)` for the scalars of a list; one scalar is a list of one. At most `most`
  /// of them: further ones are reported as too many of `what`. False where the key is absent or its value is no list.
  template <class List, class F>
  bool each(List& out, F&& each, std::size_t most = ~std::size_t{0}, std::string_view what = {}) const {
    const auto list = items(most, what);
    if (!list) return false;
    out.clear();
    for (std::size_t i = 0; i < list->size() && i < most; ++i) each(*(*list)[i], path(i));
    return true;
  }

 private:
  std::optional<std::vector<NodePtr>> items(std::size_t most, std::string_view what) const;
};

/// A value to be printed. What the access log redacts is not shown; null: all is.
struct Printing {
  const Row& row;
  const AccessLog* access = nullptr;
  bool shows(Named kind, std::string_view name) const { return !access || shows_value(*access, kind, name); }
};

struct Row {
  std::string_view name{};      ///< Within its map. `[]` stands for an element of a list, `*` for a name that the user
                                ///< chose. Empty: the rows below stand in the same map.
  std::string_view help{};      ///< One sentence.
  std::string_view type{};      ///< As the reference says it: `duration`, `a | b`, `list of glob`. Empty: a mere map.
  std::string_view bounds{};    ///< `low..high`, either end open.
  std::string_view fallback{};  ///< The default where it is not that of the struct.
  Reload reload = Reload::Live;
  bool here = true;  ///< False: a key of a later version (FB1016).
  std::span<const Row> (*below)() noexcept = nullptr;
  std::size_t members = 1;  ///< How many members of its owner it sets.

  // `owner` is the struct that the row is one of; which one is checked when the tables are compiled.
  void (*read)(const Reading&, void* owner) = nullptr;  ///< Null: whoever reads the owner reads this key too.
  Text (*text)(const Printing&, const void* owner) = nullptr;
  void (*write)(Printer&, const Row&, const void* owner) = nullptr;  ///< Prints a list or map of structs.
  void (*copy)(void* to, const void* from) = nullptr;
  const void* (*member)(const void* owner) = nullptr;  ///< The first of the chain; null: `members` of them.
  void* (*inside)(void* owner) = nullptr;              ///< The owner of the rows below.
  std::shared_ptr<void> (*fresh)() = nullptr;          ///< Of elements: a struct of its own with the defaults.

  std::span<const Row> rows() const noexcept { return below ? below() : std::span<const Row>(); }
  const void* inside_of(const void* owner) const { return inside(const_cast<void*>(owner)); }
};

/// A row of the table of `Owner`.
template <class Owner>
struct RowOf {
  Row row;
  constexpr RowOf by_default(std::string_view text) const { return with(&Row::fallback, text); }
  template <class M, class V>
  constexpr RowOf with(M Row::*member, V value) const {
    auto copy = *this;
    copy.row.*member = value;
    return copy;
  }
};

/// The rows of a struct.
template <class Owner>
struct Table {
  std::span<const Row> rows;
};
template <class Owner, std::size_t N>
struct Rows {
  std::array<Row, N> rows;
  constexpr operator Table<Owner>() const noexcept { return {rows}; }
};
template <class Owner, std::size_t N>
constexpr Rows<Owner, N> table(const RowOf<Owner> (&rows)[N]) {
  Rows<Owner, N> out;
  for (std::size_t i = 0; i < N; ++i) out.rows[i] = rows[i].row;
  return out;
}

/// How values of a type are read and printed: `read(Reading, T&)` leaves its target alone where the key is absent or
/// its value wrong; `text(T)` or `text(T, Printing)` gives YAML that reads back to the same, or nothing where the key
/// has to be left out. Codecs of one key are structs of the same shape with a name.
template <class T>
struct Codec;

namespace rows {

template <class C, class M>
C class_of(M C::*);
template <class C, class M>
M type_of(M C::*);

/// The members of a chain, from the owner on. None: the codec is for the owner as a whole.
template <class C, auto... Chain>
struct Bound;
template <class C>
struct Bound<C> {
  using Owner = typename C::Value;
  static Owner& at(Owner& owner) { return owner; }
  static const Owner& of(const void* owner) { return *static_cast<const Owner*>(owner); }
};
template <class C, auto First, auto... Rest>
struct Bound<C, First, Rest...> {
  using Owner = decltype(class_of(First));
  static const void* member(const void* owner) { return &(static_cast<const Owner*>(owner)->*First); }
  static auto& at(Owner& owner) { return ((owner.*First).*....*Rest); }
  static const auto& of(const void* owner) { return at(*static_cast<Owner*>(const_cast<void*>(owner))); }
};

template <auto... Chain>
struct LastOf;
template <auto Last>
struct LastOf<Last> {
  using Type = decltype(type_of(Last));
};
template <auto First, auto... Rest>
struct LastOf<First, Rest...> : LastOf<Rest...> {};

}  // namespace rows

/// A key that `C` reads and prints, and the member that it sets. `spec` is the type where `C` states none, such as a
/// list of words, else the bounds.
template <class C, auto... Chain>
constexpr auto as(std::string_view name, std::string_view spec, std::string_view help, Reload reload = Reload::Live) {
  using B = rows::Bound<C, Chain...>;
  using Owner = typename B::Owner;
  Row row{.name = name, .help = help, .type = spec, .reload = reload};
  if constexpr (requires { C::kType; }) {
    row.type = C::kType;
    row.bounds = spec;
  }
  if constexpr (requires { C::kMembers; }) row.members = C::kMembers;
  if constexpr (requires(const Reading& r, Owner& o) { C::read(r, B::at(o)); })
    row.read = [](const Reading& r, void* owner) { C::read(r, B::at(*static_cast<Owner*>(owner))); };
  if constexpr (requires(const Printing& p, Owner& o) { C::text(B::at(o), p); })
    row.text = [](const Printing& p, const void* owner) { return Text(C::text(B::of(owner), p)); };
  else if constexpr (requires(Owner & o) { C::text(B::at(o)); })
    row.text = [](const Printing&, const void* owner) { return Text(C::text(B::of(owner))); };
  if constexpr (requires(Printer & p, const Row& r, Owner& o) { C::write(p, r, B::at(o)); })
    row.write = [](Printer& p, const Row& r, const void* owner) { C::write(p, r, B::of(owner)); };
  if constexpr (sizeof...(Chain) > 0) {
    row.copy = [](void* to, const void* from) { B::at(*static_cast<Owner*>(to)) = B::of(from); };
    row.member = B::member;
  }
  return RowOf<Owner>{row};
}

/// The same for the type that the member has.
template <auto... Chain>
constexpr auto key(std::string_view name, std::string_view spec, std::string_view help, Reload reload = Reload::Live) {
  return as<Codec<typename rows::LastOf<Chain...>::Type>, Chain...>(name, spec, help, reload);
}

template <class Owner>
Table<Owner> table_of(Table<Owner> (*table)() noexcept) {
  return table();
}
template <class Owner, std::size_t N>
Table<Owner> table_of(const Rows<Owner, N>* rows) {
  return *rows;
}
template <class Owner>
Owner owner_of(Table<Owner>);

/// A map of the file for a struct within the owner. `Below` is its table: the address of one, or a function.
template <auto Member, auto Below>
constexpr auto map(std::string_view name) {
  using Owner = decltype(rows::class_of(Member));
  static_assert(std::is_same_v<decltype(table_of(Below)), Table<decltype(rows::type_of(Member))>>);
  Row row{.name = name};
  row.below = []() noexcept { return table_of(Below).rows; };
  row.member = rows::Bound<void, Member>::member;
  row.inside = [](void* owner) -> void* { return &(static_cast<Owner*>(owner)->*Member); };
  return RowOf<Owner>{row};
}

/// A map of the file whose keys set members of the owner itself.
template <auto Below>
constexpr auto map(std::string_view name) {
  Row row{.name = name, .members = 0};
  row.below = []() noexcept { return table_of(Below).rows; };
  row.inside = [](void* owner) { return owner; };
  return RowOf<decltype(owner_of(table_of(Below)))>{row};
}

/// The elements of a list or map, each a struct of its own.
template <auto Below>
constexpr Row each(std::string_view name) {
  Row row{.name = name};
  row.below = []() noexcept { return table_of(Below).rows; };
  row.fresh = []() -> std::shared_ptr<void> { return std::make_shared<decltype(owner_of(table_of(Below)))>(); };
  return row;
}

/// A key of a later version.
template <class Owner>
constexpr RowOf<Owner> later(std::string_view name) {
  return {{.name = name, .type = "later", .here = false, .members = 0}};
}

/// Reads all keys of a table from one map of the file.
void read_rows(Loading& loading, const Section& section, std::span<const Row> rows, void* owner);
/// Appends the texts of the rows of this class.
void append_texts(std::string& out, Reload reload, std::span<const Row> rows, const void* owner);

Table<Config> config_table() noexcept;
Table<Listener> listener_table() noexcept;
Table<ListenerTls> tls_table() noexcept;          ///< Of a listener.
Table<Listener> admin_listener_table() noexcept;  ///< Of `admin`.
Table<Origin> origin_table() noexcept;
Table<Origin> origin_tls_table() noexcept;  ///< Of `tls` of an origin.
Table<Server> server_table() noexcept;
Table<CacheTier> cache_table() noexcept;
Table<Config::Purging> purging_table() noexcept;
Table<PolicyDraft> policy_table() noexcept;  ///< Of `defaults`, of a named policy and of a route.
Table<cache::KeySpec> key_table() noexcept;
Table<rules::Policy::Bypass> bypass_table() noexcept;
Table<rules::Policy::Tags> tags_table() noexcept;
Table<Invalidates> invalidates_table() noexcept;
Table<rules::Conditions> match_table() noexcept;
Table<Route> route_table() noexcept;  ///< Beside the keys of a policy.
/// `policy` and `route` as if they were maps of the top level.
std::span<const Row> element_rows() noexcept;

/// `a | b` of a closed list, or of the words in front of ` or `, as its words.
std::vector<std::string_view> words_of(std::string_view type);
/// The word at an index of the list.
std::string word_at(std::string_view type, std::size_t index);

}  // namespace forebay::config
