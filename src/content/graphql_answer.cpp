#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <utility>

#include "content/inflater.hpp"
#include "forebay/content/graphql.hpp"

namespace forebay::content {
namespace {

namespace bj = boost::json;

// Examines only the first level of a JSON text, piece by piece, and stores nothing of it. (GraphQL, section 7.1.2: an
// answer without errors has no `errors`; many servers send null or an empty list.)
struct ErrorsHandler {
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  static constexpr std::string_view kErrors = "errors";
  std::size_t depth = 0;
  std::size_t name_read = 0;  // bytes of a name of the first level, or more than there are in `errors` if it differs
  bool in_errors = false;     // the next value of the first level, or of its list, belongs to `errors`

  static bool refuse(bj::error_code& ec) {
    ec = bj::error::syntax;
    return false;
  }
  // Any value that is not a list: as the whole response, as `errors`, or inside of it.
  bool value(bj::error_code& ec) {
    if (depth == 0 || in_errors) return refuse(ec);
    return true;
  }
  void name_part(bj::string_view part) {
    if (depth != 1) return;
    const auto expected = kErrors.substr(std::min(name_read, kErrors.size()), part.size());
    name_read = expected == std::string_view(part.data(), part.size()) ? name_read + part.size() : kErrors.size() + 1;
  }

  bool on_document_begin(bj::error_code&) { return true; }
  bool on_document_end(bj::error_code&) { return true; }
  bool on_object_begin(bj::error_code& ec) {
    if (in_errors) return refuse(ec);
    ++depth;
    return true;
  }
  bool on_object_end(std::size_t, bj::error_code&) {
    --depth;
    return true;
  }
  bool on_array_begin(bj::error_code& ec) {
    if (depth == 0 || (in_errors && depth > 1)) return refuse(ec);
    ++depth;
    return true;
  }
  bool on_array_end(std::size_t, bj::error_code&) {
    if (--depth == 1) in_errors = false;
    return true;
  }
  bool on_key_part(bj::string_view part, std::size_t, bj::error_code&) {
    name_part(part);
    return true;
  }
  bool on_key(bj::string_view rest, std::size_t, bj::error_code&) {
    name_part(rest);
    if (depth == 1) in_errors = std::exchange(name_read, 0) == kErrors.size();
    return true;
  }
  bool on_string_part(bj::string_view, std::size_t, bj::error_code&) { return true; }
  bool on_string(bj::string_view, std::size_t, bj::error_code& ec) { return value(ec); }
  bool on_number_part(bj::string_view, bj::error_code&) { return true; }
  bool on_int64(std::int64_t, bj::string_view, bj::error_code& ec) { return value(ec); }
  bool on_uint64(std::uint64_t, bj::string_view, bj::error_code& ec) { return value(ec); }
  bool on_double(double, bj::string_view, bj::error_code& ec) { return value(ec); }
  bool on_bool(bool, bj::error_code& ec) { return value(ec); }
  bool on_null(bj::error_code& ec) {
    if (depth == 0 || (in_errors && depth > 1)) return refuse(ec);
    if (depth == 1) in_errors = false;
    return true;
  }
  bool on_comment_part(bj::string_view, bj::error_code&) { return true; }
  bool on_comment(bj::string_view, bj::error_code&) { return true; }
};

constexpr std::size_t kMaxDepth = 256;
constexpr std::size_t kStep = 16 * 1024;
// Maximum decoded size of a response; bounds work, not memory.
constexpr std::size_t kMaxInflated = std::size_t{256} << 20;

bj::parse_options options() {
  bj::parse_options options;
  options.max_depth = kMaxDepth;
  return options;
}

}  // namespace

struct GraphqlAnswer::Private {
  Coding coding = Coding::Unknown;
  std::unique_ptr<Inflater> inflater;  // null for identity
  bj::basic_parser<ErrorsHandler> parser{options()};
  std::size_t inflated = 0;
  bool clean = true;
  bool ended = false;

  bool read(std::string_view json);
  bool inflate(std::string_view bytes);
};

bool GraphqlAnswer::Private::read(std::string_view json) {
  bj::error_code ec;
  return parser.write_some(true, json.data(), json.size(), ec) == json.size() && !ec;
}

bool GraphqlAnswer::Private::inflate(std::string_view bytes) {
  std::array<char, kStep> step;  // NOLINT: written before it is read
  while (true) {
    const auto made = inflater->step(bytes, step.data(), step.size());
    if (!made || !read({step.data(), *made})) return false;
    inflated += *made;
    if (inflated > kMaxInflated) return false;
    if (*made < step.size()) return true;
  }
}

GraphqlAnswer::GraphqlAnswer(std::string_view content_encoding) : p_(std::make_unique<Private>()) {
  p_->coding = only_coding(content_encoding);
  p_->inflater = make_inflater(p_->coding);
  p_->clean = p_->coding == Coding::Identity || p_->inflater;
}
GraphqlAnswer::~GraphqlAnswer() = default;

void GraphqlAnswer::feed(std::string_view bytes) {
  if (!p_->clean || bytes.empty()) return;
  try {
    p_->clean = p_->inflater ? p_->inflate(bytes) : p_->read(bytes);
  } catch (const std::exception&) {
    p_->clean = false;
  }
}

bool GraphqlAnswer::clean() {
  if (std::exchange(p_->ended, true)) return p_->clean;
  if (!p_->clean || (p_->inflater && !p_->inflater->finished())) return p_->clean = false;
  bj::error_code ec;
  p_->parser.write_some(false, nullptr, 0, ec);
  return p_->clean = !ec && p_->parser.done();
}

}  // namespace forebay::content
