#include <array>

#include "explain_case.hpp"
#include "forebay/rules/compression.hpp"

namespace forebay::proxy {
namespace {

using rules::Uncompressed;
using State = cache::Encodings::State;

std::string_view because(Uncompressed why) noexcept {
  switch (why) {
    case Uncompressed::Status: return "its status has no whole content";
    case Uncompressed::Encoded: return "the origin has encoded it";
    case Uncompressed::NoTransform: return "Cache-Control says no-transform";
    case Uncompressed::SetCookie: return "it has a Set-Cookie";
    case Uncompressed::Private: return "it may be one client's: a credential or secret selects it";
    case Uncompressed::Signed: return "its fields are signed (Signature-Input)";
    case Uncompressed::Type: return "compress_types does not have its Content-Type";
    case Uncompressed::Small: return "it is shorter than compress_min";
    case Uncompressed::Large: return "it is longer than 16 MiB";
    case Uncompressed::None:
    case Uncompressed::Off: break;
  }
  return {};
}

std::string name_of(content::Compression coding) { return std::string(content::to_string(coding)); }

}  // namespace

void note_coding(ExplainCase& c, int status, http::FieldsView fields, std::optional<std::uint64_t> length,
                 const cache::Entry* entry) {
  const auto& policy = c.route().policy;
  if (!policy.compress.on()) return;
  auto why = rules::may_compress(status, fields, length, policy);
  if (why == Uncompressed::None) why = rules::may_get_compressed(c.reading.facts, c.request.fields, policy);
  if (why != Uncompressed::None) return c.note("it is not compressed: " + std::string(because(why)));
  std::string scratch;
  const auto accepted = c.request.fields.combined(http::FieldId::AcceptEncoding, scratch);
  const auto choice = rules::choose_codings(accepted, policy.compress.codings);
  if (choice.count == 0) return c.note("it is sent as identity: the request accepts no coding of `compress`");
  const auto* forms = entry ? entry->encodings() : nullptr;
  for (const auto coding : choice.list()) {
    const auto state = forms ? forms->state(coding) : State::None;
    if (state == State::Made) return c.note("it is sent in " + name_of(coding) + ", which is made");
    if (state == State::Refused) continue;
    return c.note("hits get " + name_of(coding) + " once it is made, which the first of them asks for");
  }
  c.note("it is sent as identity: its compressed forms are hardly smaller, or there was no memory for them");
}

}  // namespace forebay::proxy
