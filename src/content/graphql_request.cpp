#include <algorithm>
#include <utility>

#include "content/json_tree.hpp"
#include "forebay/base/text.hpp"
#include "forebay/content/form.hpp"
#include "forebay/content/graphql.hpp"
#include "forebay/content/media_type.hpp"
#include "forebay/http/names.hpp"

namespace forebay::content {

void JsonTreeDeleter::operator()(JsonTree* tree) const noexcept { delete tree; }

namespace {

using Node = JsonTree::Node;
constexpr Node kNone = JsonTree::kNone;

constexpr std::string_view kParameters[] = {"query", "operationName", "variables", "extensions"};
constexpr std::string_view kPersisted = "persistedQuery";
constexpr std::string_view kHash = "sha256Hash";

void clear(GraphqlRequest& out) {
  out.operation_name.clear();
  out.variables.clear();
  out.hash.clear();
  out.rest.clear();
  if (!out.tree) out.tree.reset(new JsonTree);
}

void set_query(GraphqlRequest& out, std::string_view text) {
  if (!out.query) out.query.emplace();
  out.query->assign(text);
}

// Nothing when parsers that ignore case may find another one.
Result<Node> member(const JsonTree& tree, Node object, std::string_view name) noexcept {
  const Node node = tree.member(object, name);
  if (node == JsonTree::kAmbiguous) return Errc::Malformed;
  return node;
}

bool is_null(const JsonTree& tree, Node node) noexcept { return tree.kind(node) == JsonKind::Null; }

// An object, or null for none at all; kNone tells that there is nothing in it.
Result<Node> object_or_nothing(const JsonTree& tree, Node node) noexcept {
  if (node == kNone || is_null(tree, node)) return kNone;
  if (tree.kind(node) != JsonKind::Object) return Errc::Malformed;
  return tree.first_child(node) == kNone ? kNone : node;
}

// 64 hex digits, in lower case. Other text is refused, since lower case could change its meaning.
bool read_hash(std::string_view text, std::string& out) {
  if (text.size() != 64) return false;
  for (const char c : text) {
    if (!is_hex(c)) return false;
    out.push_back(to_lower(c));
  }
  return true;
}

// Ignored extensions: `NAME`, or `NAME.MEMBER`.
class Ignored {
 public:
  explicit Ignored(std::span<const std::string> names) noexcept : names_(names) {}
  bool has(std::string_view extension) const noexcept {
    return std::find(names_.begin(), names_.end(), extension) != names_.end();
  }
  bool has(std::string_view extension, std::string_view member) const noexcept {
    return std::any_of(names_.begin(), names_.end(), [&](std::string_view name) {
      return name.size() == extension.size() + 1 + member.size() && name.starts_with(extension) &&
             name[extension.size()] == '.' && name.ends_with(member);
    });
  }
  bool has_members_of(std::string_view extension) const noexcept {
    return std::any_of(names_.begin(), names_.end(), [&](std::string_view name) {
      return name.size() > extension.size() && name.starts_with(extension) && name[extension.size()] == '.';
    });
  }

 private:
  std::span<const std::string> names_;
};

// extensions.persistedQuery is {"version":1,"sha256Hash":"..."}; other members count as another extension.
struct Persisted {
  Node object = kNone;  // with a hash in it, else it is an extension like any other
  Node hash = kNone;
  Node version = kNone;  // when it is 1
};

Result<Persisted> read_persisted(const JsonTree& tree, Node extensions, GraphqlRequest& out) {
  Persisted persisted;
  const auto found = member(tree, extensions, kPersisted);
  if (!found) return found.error();
  const Node object = *found;
  if (object == kNone || is_null(tree, object)) return persisted;
  if (tree.kind(object) != JsonKind::Object) return Errc::Malformed;
  const auto hash = member(tree, object, kHash);
  if (!hash) return hash.error();
  persisted.hash = *hash;
  if (persisted.hash == kNone) return persisted;
  if (tree.kind(persisted.hash) != JsonKind::String || !read_hash(tree.text(persisted.hash), out.hash))
    return Errc::Malformed;
  persisted.object = object;
  const auto stated = member(tree, object, "version");
  if (!stated) return stated.error();
  const Node version = *stated;
  if (version != kNone && tree.kind(version) == JsonKind::Number && tree.text(version) == "1")
    persisted.version = version;
  return persisted;
}

void append_name(std::string& out, char separator, std::string_view name) {
  out.push_back(separator);
  append_json_string(out, name, kCanonicalJsonEscapes);
  out.push_back(':');
}

// Appends the members of `object` that `leave_out` does not name, as an object; false when there is none.
template <class LeaveOut>
bool append_others(const JsonTree& tree, Node object, Numbers numbers, LeaveOut&& leave_out, std::string& out) {
  bool any = false;
  for (Node node = tree.first_child(object); node != kNone; node = tree.next(node)) {
    if (leave_out(node)) continue;
    append_name(out, any ? ',' : '{', tree.name(node));
    any = true;
    tree.append_canonical(node, numbers, out);
  }
  if (any) out.push_back('}');
  return any;
}

// Appends `"extensions":{...}` without the hash and the ignored parts; false when nothing is left.
Result<bool> append_extensions(const JsonTree& tree, Node extensions, Numbers numbers, const Ignored& ignored,
                               char separator, GraphqlRequest& out) {
  const auto object = object_or_nothing(tree, extensions);
  if (!object) return object.error();
  if (*object == kNone) return false;
  const auto persisted = read_persisted(tree, *object, out);
  if (!persisted) return persisted.error();
  const std::size_t before = out.rest.size();
  append_name(out.rest, separator, "extensions");
  bool any = false;
  for (Node node = tree.first_child(*object); node != kNone; node = tree.next(node)) {
    const auto name = tree.name(node);
    if (ignored.has(name)) continue;
    const auto here = out.rest.size();
    append_name(out.rest, any ? ',' : '{', name);
    const bool reduced =
        node == persisted->object || (tree.kind(node) == JsonKind::Object && ignored.has_members_of(name));
    const auto left_out = [&](Node member) {
      return member == persisted->hash || member == persisted->version || ignored.has(name, tree.name(member));
    };
    if (!reduced) {
      tree.append_canonical(node, numbers, out.rest);
    } else if (!append_others(tree, node, numbers, left_out, out.rest)) {
      out.rest.resize(here);
      continue;
    }
    any = true;
  }
  if (any)
    out.rest.push_back('}');
  else
    out.rest.resize(before);
  return any;
}

Result<void> read_variables(const JsonTree& tree, Node variables, Numbers numbers, std::string& out) {
  const auto object = object_or_nothing(tree, variables);
  if (!object) return object.error();
  if (*object != kNone) tree.append_canonical(*object, numbers, out);
  return {};
}

// A member that is a string or null; kNone for null too.
Result<Node> string_member(const JsonTree& tree, Node object, std::string_view name) noexcept {
  const auto node = member(tree, object, name);
  if (!node || *node == kNone || is_null(tree, *node)) return node ? Result<Node>(kNone) : node;
  if (tree.kind(*node) != JsonKind::String) return Errc::Malformed;
  return node;
}

Result<void> read_object(std::string_view content, Numbers numbers, const Ignored& ignored, GraphqlRequest& out) {
  JsonTree& tree = *out.tree;
  if (auto done = tree.read(content, numbers); !done) return done;
  const Node root = tree.root();
  if (tree.kind(root) != JsonKind::Object) return Errc::Malformed;

  const auto query = string_member(tree, root, "query");
  if (!query) return query.error();
  if (*query != kNone)
    set_query(out, tree.text(*query));
  else
    out.query.reset();
  const auto name = string_member(tree, root, "operationName");
  if (!name) return name.error();
  if (*name != kNone) out.operation_name.assign(tree.text(*name));
  const auto variables = member(tree, root, "variables");
  if (!variables) return variables.error();
  if (auto done = read_variables(tree, *variables, numbers, out.variables); !done) return done;
  if (auto extensions = member(tree, root, "extensions"); !extensions) return extensions.error();

  bool any = false;
  for (Node node = tree.first_child(root); node != kNone; node = tree.next(node)) {
    const char separator = any ? ',' : '{';
    if (tree.name(node) == "extensions") {
      const auto appended = append_extensions(tree, node, numbers, ignored, separator, out);
      if (!appended) return appended.error();
      any |= *appended;
    } else if (!is_graphql_parameter(tree.name(node))) {
      append_name(out.rest, separator, tree.name(node));
      tree.append_canonical(node, numbers, out.rest);
      any = true;
    }
  }
  if (any) out.rest.push_back('}');
  return {};
}

}  // namespace

bool is_graphql_parameter(std::string_view name) noexcept {
  return std::find(std::begin(kParameters), std::end(kParameters), name) != std::end(kParameters);
}

bool resembles_graphql_parameter(std::string_view name, std::string& buffer) {
  return http::NameReadings(http::NameKind::Parameter, name, buffer).may_be_any(kParameters);
}

Result<void> read_graphql_content(std::string_view content_type, std::string_view content, Numbers numbers,
                                  std::span<const std::string> ignored, GraphqlRequest& out) {
  clear(out);
  if (is_type(content_type, "application/graphql")) {
    set_query(out, content);
    return {};
  }
  if (!is_json(content_type)) return Errc::Malformed;
  return read_object(content, numbers, Ignored(ignored), out);
}

namespace {

// Which of the four the decoded name is; their number for others.
std::size_t parameter_of(std::string_view name, std::string& buffer) {
  buffer.clear();
  if (!append_form_decoded(name, buffer)) return std::size(kParameters);
  return static_cast<std::size_t>(std::find(std::begin(kParameters), std::end(kParameters), buffer) - kParameters);
}

// The value of one of the four parameters in the query, decoded in `out.buffer`.
Result<void> read_parameter(std::size_t which, Numbers numbers, const Ignored& ignored, GraphqlRequest& out) {
  if (which == 0) {
    set_query(out, out.buffer);
    return {};
  }
  if (which == 1) {
    out.operation_name.assign(out.buffer);
    return {};
  }
  JsonTree& tree = *out.tree;
  if (auto done = tree.read(out.buffer, numbers); !done) return done;
  if (which == 2) return read_variables(tree, tree.root(), numbers, out.variables);
  const auto any = append_extensions(tree, tree.root(), numbers, ignored, '{', out);
  if (!any) return any.error();
  if (*any) out.rest.push_back('}');
  return {};
}

}  // namespace

Result<void> read_graphql_query(std::string_view query, Numbers numbers, std::span<const std::string> ignored,
                                GraphqlRequest& out) {
  clear(out);
  bool seen[std::size(kParameters)] = {};
  std::string& text = out.buffer;
  const auto resembles = [&text](std::string_view name) { return resembles_graphql_parameter(name, text); };
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view piece = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    const std::size_t equals = std::min(piece.find('='), piece.size());
    const auto name = piece.substr(0, equals), rest = piece.substr(equals);
    const auto which = parameter_of(name, text);
    const bool other = which == std::size(kParameters);
    if ((other && resembles(name)) || http::any_name_between_semicolons(other ? piece : rest, resembles))
      return Errc::Malformed;
    if (other) continue;
    if (std::exchange(seen[which], true)) return Errc::Malformed;
    text.clear();
    if (!rest.empty()) {
      if (auto done = append_form_decoded(rest.substr(1), text); !done) return done;
    }
    if (auto done = read_parameter(which, numbers, Ignored(ignored), out); !done) return done;
  }
  if (!seen[0]) out.query.reset();
  return {};
}

}  // namespace forebay::content
