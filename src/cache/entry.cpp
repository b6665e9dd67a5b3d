#include "forebay/cache/entry.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

namespace forebay::cache {
namespace {

// A shared body keeps its whole block alive, with the old head; up to this size a copy is cheaper.
constexpr std::uint64_t kCopiedOnFreshen = 16 * 1024;

std::size_t lines_size(http::FieldsView fields) noexcept {
  std::size_t n = 0;
  for (const auto& f : fields) n += f.name.size() + f.value.size() + 4;
  return n;
}

std::uint64_t length_of(const std::vector<Slice>& body) noexcept {
  std::uint64_t n = 0;
  for (const auto& s : body) n += s.bytes.size();
  return n;
}

// Writes text into a block and gives views of it.
class Pen {
 public:
  explicit Pen(char* at) : at_(at) {}
  std::string_view put(std::string_view s) {
    if (!s.empty()) std::memcpy(at_, s.data(), s.size());
    const std::string_view written(at_, s.size());
    at_ += s.size();
    return written;
  }
  const char* here() const noexcept { return at_; }

 private:
  char* at_;
};

// Copies a head: its lines with the pen, its fields to `field`, which has memory for all of them.
Head write_head(const Head& from, Pen& pen, http::Field* field) {
  const auto put = [&](http::FieldsView fields) {
    const http::Field* first = field;
    for (const auto& f : fields) {
      const auto name = pen.put(f.name);
      pen.put(": ");
      new (field++) http::Field{name, pen.put(f.value), f.id};
      pen.put("\r\n");
    }
    return http::FieldsView(std::span<const http::Field>(first, fields.size()));
  };
  Head head{from.status, {}, {}, {}};
  const char* lines = pen.here();
  head.fields = put(from.fields);
  head.lines = {lines, static_cast<std::size_t>(pen.here() - lines)};
  head.hidden = put(from.hidden);
  return head;
}

}  // namespace

Ref<const PublishedHead> PublishedHead::make(int status, http::FieldsView fields, http::FieldsView hidden) {
  auto* made = new PublishedHead;
  Ref<const PublishedHead> ref(made);
  made->text_.resize(lines_size(fields) + lines_size(hidden));
  made->list_.resize(fields.size() + hidden.size());
  Pen pen(made->text_.data());
  made->head_ = write_head({status, {}, fields, hidden}, pen, made->list_.data());
  return ref;
}

// The block: the object, its pieces, its fields, then the text of key, origin, lines and a small body.
struct EntryMaker {
  std::size_t pieces = 0;  // of a body outside of the block; or one, of the body in the block
  std::size_t owners = 0;
  std::uint64_t inside = 0;   // bytes of the body in the block
  std::uint64_t outside = 0;  // what the body elsewhere takes

  static EntryMaker for_body(const std::vector<Slice>& body) {
    EntryMaker m;
    const auto length = length_of(body);
    if (length <= Entry::kOneBlock) {
      m.pieces = length == 0 ? 0 : 1;
      m.inside = length;
      return m;
    }
    m.pieces = m.owners = body.size();
    for (const auto& s : body) m.outside += Chunk::cost(s.bytes.size());
    return m;
  }

  // A second freshened entry shares the source of the first, so that there are no chains of entries.
  static EntryMaker for_freshened(const Entry& old) {
    EntryMaker m;
    m.pieces = old.piece_count_;
    if (old.body_length_ <= kCopiedOnFreshen) {
      m.pieces = old.body_length_ == 0 ? 0 : 1;
      m.inside = old.body_length_;
    } else if (old.owners_.empty()) {
      m.owners = 1;
      m.outside = old.charged_;
    } else {
      m.owners = old.owners_.size();
      m.outside = old.charged_ - old.charge_.bytes();
    }
    return m;
  }

  // `texts`: bytes of the key and of the origin's name.
  std::size_t block(const Head& head, std::size_t texts) const noexcept {
    return sizeof(Entry) + pieces * sizeof(std::string_view) +
           (head.fields.size() + head.hidden.size()) * sizeof(http::Field) + texts + lines_size(head.fields) +
           lines_size(head.hidden) + static_cast<std::size_t>(inside);
  }
  std::size_t cost(const Head& head, std::size_t texts) const noexcept {
    return allocated_size(block(head, texts)) + (owners == 0 ? 0 : allocated_size(owners * sizeof(Owner)));
  }

  // Everything but the body; `next` is where that may be written.
  Entry* begin(const Head& head, std::string_view key_text, std::string_view origin, Charge charge, char*& next) const {
    const auto texts = key_text.size() + origin.size();
    void* raw = std::malloc(block(head, texts));
    if (!raw) throw std::bad_alloc();
    auto* e = new (raw) Entry;
    auto* piece = reinterpret_cast<std::string_view*>(e + 1);
    for (std::size_t i = 0; i < pieces; ++i) new (piece + i) std::string_view;
    auto* field = reinterpret_cast<http::Field*>(piece + pieces);
    Pen pen(reinterpret_cast<char*>(field + head.fields.size() + head.hidden.size()));
    e->key_text_ = pen.put(key_text);
    e->origin_size_ = static_cast<std::uint32_t>(pen.put(origin).size());
    e->head_ = write_head(head, pen, field);
    e->pieces_ = piece;
    e->piece_count_ = pieces;
    e->owners_.reserve(owners);
    e->charged_ = cost(head, texts) + static_cast<std::size_t>(outside);
    e->charge_ = std::move(charge);
    next = const_cast<char*>(pen.here());
    return e;
  }

  static std::string_view* pieces_of(Entry* e) noexcept { return const_cast<std::string_view*>(e->pieces_); }
};

std::size_t Entry::cost(const EntryParts& parts) noexcept {
  return EntryMaker::for_body(parts.body).cost(parts.head, parts.key_text.size() + parts.origin.size());
}

Ref<const Entry> Entry::make(const EntryParts& parts, Charge charge) {
  const auto maker = EntryMaker::for_body(parts.body);
  char* next = nullptr;
  Entry* e = maker.begin(parts.head, parts.key_text, parts.origin, std::move(charge), next);
  Ref<const Entry> ref(e);
  e->body_length_ = length_of(parts.body);
  e->fetch_time_ = parts.fetch_time;
  e->stored_at_ = parts.stored_at;
  auto* piece = EntryMaker::pieces_of(e);
  if (maker.owners != 0) {
    for (const auto& s : parts.body) {
      *piece++ = s.bytes;
      e->owners_.push_back(s.owner);
    }
  } else if (maker.inside != 0) {
    Pen pen(next);
    for (const auto& s : parts.body) pen.put(s.bytes);
    *piece = {next, static_cast<std::size_t>(maker.inside)};
  }
  return ref;
}

std::size_t Entry::cost_with_head(const Entry& old, const Head& head) noexcept {
  return EntryMaker::for_freshened(old).cost(head, old.key_text_.size() + old.origin_size_);
}

Ref<const Entry> Entry::with_head(const Ref<const Entry>& old, const Head& head, Charge charge) {
  const auto maker = EntryMaker::for_freshened(*old);
  char* next = nullptr;
  Entry* e = maker.begin(head, old->key_text_, old->origin(), std::move(charge), next);
  Ref<const Entry> ref(e);
  e->body_length_ = old->body_length_;
  e->fetch_time_ = old->fetch_time_;
  e->stored_at_ = old->stored_at_;
  if (auto* const encodings = old->encodings()) e->encodings_or(Ref<Encodings>(encodings));
  auto* piece = EntryMaker::pieces_of(e);
  if (maker.owners == 0) {
    Pen pen(next);
    for (const auto p : old->body()) pen.put(p);
    if (maker.inside != 0) *piece = {next, static_cast<std::size_t>(maker.inside)};
    return ref;
  }
  for (const auto p : old->body()) *piece++ = p;
  if (old->owners_.empty())
    e->owners_.emplace_back(old.get());
  else
    e->owners_ = old->owners_;
  return ref;
}

Encodings& Entry::encodings_or(Ref<Encodings> made) const noexcept {
  Encodings* there = nullptr;
  if (!encodings_.compare_exchange_strong(there, made.get(), std::memory_order_acq_rel)) return *there;
  return *made.detach();
}

void Entry::leave_store() const noexcept {
  const bool read = use_count() > 1;
  if (read) leave();
  // Readers of the fetch, or of the entry before it was freshened, hold its parts alone.
  for (const auto& owner : owners_)
    if (read || owner->use_count() > 1) owner->leave();
}

Entry::~Entry() {
  if (const auto* const forms = encodings()) forms->release();
}

void Entry::dispose() const noexcept {
  // The charge is released after the memory, so that it never is less than the memory in use.
  auto* self = const_cast<Entry*>(this);
  const Charge last = std::move(self->charge_);
  if (left()) last.unpin();
  self->~Entry();
  std::free(self);
}

}  // namespace forebay::cache
