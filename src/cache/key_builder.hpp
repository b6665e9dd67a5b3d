#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "forebay/cache/key.hpp"
#include "forebay/cache/learned.hpp"
#include "forebay/content/form.hpp"
#include "forebay/content/graphql.hpp"
#include "forebay/content/json.hpp"
#include "forebay/http/cookie.hpp"
#include "forebay/http/names.hpp"
#include "key_text.hpp"

namespace forebay::cache {

/// Scratch buffers for building a key; reused for the next key.
struct KeyScratch {
  struct Cookie {
    http::CookiePair pair;
    std::size_t arrival = 0;
    bool taken = false;
  };
  std::string text;
  std::string query;  // decoded, or its counting part
  std::vector<http::QueryPair> pairs;
  // A pair with its name, in a buffer: up to the first `[`, and as readers compare it.
  struct Sorted {
    http::QueryPair pair;
    std::size_t arrival, from, middle, end;
  };
  std::vector<Sorted> order;
  std::vector<Cookie> cookies;
  std::string content;  // decoded
  std::string member;
  std::string type;  // of the content, in normal form
  std::string form;
  std::vector<content::FormField> fields;
  std::vector<std::uint64_t> read_as;  // which names of the list each of them may be read as
  content::CanonicalJson json;
  content::GraphqlRequest graphql;
  content::GraphqlDocument document;
};

/// Builds one key. The parts follow one another in the text; each function appends one of them.
class KeyBuilder {
 public:
  KeyBuilder(Key& key, const KeySpec& spec, const KeyInput& input, std::vector<KeyPart>* parts)
      : key_(key), text_(key.text_), scratch_(scratch()), spec_(spec), input_(input), parts_(parts) {}

  rules::Reason build();
  /// Up to the query, with the resource.
  void build_resource();

 private:
  static KeyScratch& scratch() {
    thread_local KeyScratch buffers;
    return buffers;
  }
  void route_to_host();
  void path();
  void captures();
  void headers();
  bool header(std::string_view name, bool first);
  bool is_keyed(std::string_view name) const noexcept;
  void claims(bool first);
  void cookies();
  void whole_cookies(bool first);
  void authorization();
  void members(http::FieldId id);
  void rule();

  // key_query.cpp
  void query();
  void searched_query();
  void collect_pairs();
  void sort_pairs();
  bool counts(const http::ListedNames& listed, const http::QueryPair& pair) const;

  // key_content.cpp
  enum class Form : std::uint8_t { None, Raw, Pointers };
  struct Content {
    Form body = Form::None;
    bool fields = false;   // of a form
    bool graphql = false;  // of the content or of the query
    bool typed = false;    // `m:` stands
  };
  Content what_counts() const;
  rules::Reason check_description(const Content& what);
  rules::Reason content(const Content& what);
  void content_type(const Content& what);
  void pointer(std::size_t i);
  rules::Reason pointers(std::string_view content);
  rules::Reason form(std::string_view content);
  bool may_be(std::string_view listed, std::string_view name) const;
  bool hides_field(const http::ListedNames& listed, std::string_view sent) const;
  bool counts_coding(const Content& what) const;
  rules::Reason decoded(std::string_view& content);
  void raw(std::string_view content);
  void whole(std::string_view content);

  // key_graphql.cpp
  rules::Reason graphql();
  rules::Reason read_graphql();
  rules::Reason graphql_content();
  Result<std::optional<PersistedQueries::Document>> graphql_document();

  bool is_graphql() const noexcept;
  std::uint32_t position() const noexcept { return static_cast<std::uint32_t>(text_.size()); }

  // For explain. `from`: start of the part's value, which is the end of the text.
  void note(std::string_view kind, std::string_view name, std::size_t from) {
    if (parts_) parts_->push_back({std::string(kind), std::string(name), text_.substr(from), true});
  }
  void note_absent(std::string_view kind, std::string_view name) {
    if (parts_) parts_->push_back({std::string(kind), std::string(name), {}, false});
  }
  /// Appends `name=value` (only the name without a value) and records it.
  void pair(std::string_view kind, std::string_view name, std::optional<std::string_view> value);

  Key& key_;
  std::string& text_;
  KeyScratch& scratch_;
  const KeySpec& spec_;
  const KeyInput& input_;
  std::vector<KeyPart>* parts_;
};

/// Whether the method's content is in the key by default, and a request without content lacks nothing.
constexpr bool is_bodiless(http::Method m) noexcept {
  return m == http::Method::Get || m == http::Method::Head || m == http::Method::Options;
}

}  // namespace forebay::cache
