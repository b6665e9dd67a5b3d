#include "represent.hpp"

#include <algorithm>

#include "forebay/http/list.hpp"
#include "forebay/rules/compression.hpp"

namespace forebay::proxy {
namespace {

using http::FieldId;
using rules::Uncompressed;

bool varies_on_coding(http::FieldsView fields) noexcept {
  return std::any_of(fields.begin(), fields.end(), [](const http::Field& f) {
    return f.id == FieldId::Vary && http::has_member(f.value, "Accept-Encoding");
  });
}

/// A made form that the request prefers; the best that may still be made is asked for.
const cache::EncodedBody* find_form(const PendingRequest& pending, const cache::Entry& entry,
                                    const rules::CodingChoice& choice, content::Compression& coding) {
  using State = cache::Encodings::State;
  auto& compressor = pending.core.shared.compressor;
  compressor.settle();
  const auto* forms = entry.encodings();
  bool asked = false;
  for (const auto wanted : choice.list()) {
    const auto state = forms ? forms->state(wanted) : State::None;
    if (state == State::Made) {
      coding = wanted;
      return forms->find(wanted);
    }
    if (state == State::None && !asked) compressor.ask(Ref<const cache::Entry>(&entry), wanted);
    asked = asked || state != State::Refused;
  }
  return nullptr;
}

/// RFC 9110 section 8.8.3.3: another coding needs another strong tag. A weak one is equal for the origin's validation
/// and for If-None-Match, and never joins parts of two forms.
void add_etag(PendingRequest& pending, const http::Field& stored) {
  if (stored.value.starts_with("W/")) return pending.core.answer.coded.push_back(stored);
  pending.core.answer.coded_etag.assign("W/").append(stored.value);
  pending.core.answer.coded.push_back({stored.name, pending.core.answer.coded_etag, stored.id});
}

void take_form(PendingRequest& pending, const cache::EncodedBody& form, content::Compression coding, Delivery& d,
               http::BodyCursor& cursor) {
  if (d.length) d.length = form.length();
  d.ranges = false;
  d.pieces = form.pieces();
  d.owner = Owner(&form);
  cursor = d.pieces.size() == 1 ? http::BodyCursor(d.owner, d.pieces[0]) : http::BodyCursor(d.owner, d.pieces);
  if (pending.exchange) pending.notes().coding = content::to_string(coding);
}

}  // namespace

Represented represent(PendingRequest& pending, Delivery& d, http::BodyCursor& cursor) {
  const auto& policy = pending.policy();
  const auto& request = pending.request.fields;
  if (rules::may_compress(d.head.status, d.head.fields, d.length, policy) != Uncompressed::None) return {};
  Represented as;
  as.varies = true;
  if (rules::may_get_compressed(pending.facts(), request, policy) != Uncompressed::None) return as;
  std::string scratch;
  const auto choice =
      rules::choose_codings(request.combined(FieldId::AcceptEncoding, scratch), policy.compress.codings);
  if (choice.count == 0) return as;
  if (request.has(FieldId::Range)) {
    if (rules::ranges_over_identity(request)) return as;
    d.ranges = false;
  }
  if (d.entry == nullptr) return as;
  content::Compression coding{};
  if (const auto* form = find_form(pending, *d.entry, choice, coding)) {
    take_form(pending, *form, coding, d, cursor);
    as.coding = coding;
  }
  return as;
}

void describe_form(PendingRequest& pending, const Represented& as, cache::Head& head) {
  auto& answer = pending.core.answer;
  if (as.varies && !varies_on_coding(head.fields)) answer.added.push_back({"Vary", "Accept-Encoding", FieldId::Vary});
  if (!as.coding) return;
  answer.coded.clear();
  for (const auto& f : head.fields) {
    if (!rules::belongs_on_compressed(f)) continue;
    if (f.id == FieldId::ETag)
      add_etag(pending, f);
    else
      answer.coded.push_back(f);
  }
  answer.coded.push_back({"Content-Encoding", content::to_string(*as.coding), FieldId::ContentEncoding});
  head.fields = http::FieldsView(std::span<const http::Field>(answer.coded));
  head.lines = {};
}

}  // namespace forebay::proxy
