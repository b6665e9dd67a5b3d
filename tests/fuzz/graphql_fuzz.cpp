#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "content/graphql_lexer.hpp"
#include "forebay/content/graphql.hpp"
#include "invariant.hpp"

namespace {

using namespace forebay;
using content::GraphqlToken;
using fuzz::require;

void check_document(std::string_view text) {
  content::GraphqlDocument document;
  if (!content::read_graphql(text, document)) return;
  require(document.operations > 0);
  require(document.operations == 1 || document.only_name.empty());
  content::GraphqlDocument again;
  require(content::read_graphql(document.normal, again).has_value());
  require(again.normal == document.normal && again.operations == document.operations);
  require(again.reads_only == document.reads_only && again.only_name == document.only_name);
  // The same tokens, one by one.
  content::GraphqlLexer written(text);
  content::GraphqlLexer normal(document.normal);
  while (true) {
    const GraphqlToken a = written.next();
    const GraphqlToken b = normal.next();
    require(a.kind == b.kind && a.text == b.text && a.kind != GraphqlToken::Kind::Bad);
    if (a.kind == GraphqlToken::Kind::End) break;
  }
  // Two documents in a row have the operations of both.
  require(content::read_graphql(std::string(text) + "\n" + std::string(text), again).has_value());
  require(again.operations == 2 * document.operations && again.reads_only == document.reads_only);
}

void check_request(const content::GraphqlRequest& request) {
  require(request.hash.empty() || request.hash.size() == 64);
  content::CanonicalJson json;
  const std::vector<content::JsonPointer> whole = {*content::JsonPointer::parse("")};
  for (const std::string& part : {request.variables, request.rest}) {
    if (part.empty()) continue;
    require(part.size() > 2 && json.read(part, whole, content::Numbers::Written) && json.value(0) == part);
  }
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    char code[4];
    std::snprintf(code, sizeof code, "%%%02x", static_cast<unsigned char>(c));
    out += code;
  }
  return out;
}

const std::vector<std::string> kIgnored{"persistedQuery.miss", "tracing", "a.b"};

void check_content(std::string_view text) {
  content::GraphqlRequest request;
  if (!content::read_graphql_content("application/json", text, content::Numbers::Written, kIgnored, request)) return;
  check_request(request);
  // The parts say the same as parameters of a GET.
  if (!request.rest.empty()) return;
  std::string query = "operationName=" + percent_encoded(request.operation_name);
  if (request.query) query += "&query=" + percent_encoded(*request.query);
  if (!request.variables.empty()) query += "&variables=" + percent_encoded(request.variables);
  if (!request.hash.empty())
    query += "&extensions={\"persistedQuery\":{\"version\":1,\"sha256Hash\":\"" + request.hash + "\"}}";
  content::GraphqlRequest other;
  require(content::read_graphql_query(query, content::Numbers::Written, {}, other).has_value());
  require(other.query == request.query && other.operation_name == request.operation_name && other.rest.empty());
  require(other.variables == request.variables && other.hash == request.hash);
}

bool clean(std::string_view text, std::size_t step, std::string_view coding) {
  content::GraphqlAnswer answer(coding);
  for (std::size_t at = 0; at < text.size(); at += step) answer.feed(text.substr(at, step));
  return answer.clean();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Exact input(fuzz::as_text(data, size));
  check_document(input.view());
  check_content(input.view());
  content::GraphqlRequest request;
  if (content::read_graphql_query(input.view(), content::Numbers::Value, {}, request))
    require(request.hash.size() % 64 == 0);
  const bool is_clean = clean(input.view(), input.view().size() + 1, "");
  require(clean(input.view(), 1, "") == is_clean && clean(input.view(), 7, "") == is_clean);
  require(clean(input.view(), 5, "gzip") == clean(input.view(), 64, "gzip"));
  return 0;
}
