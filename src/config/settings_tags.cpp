// Settings of `tags` and `invalidates`.
#include "config/codecs.hpp"
#include "forebay/http/fields.hpp"

namespace forebay::config {
namespace {

using rules::TagTemplate;
using Part = TagTemplate::Part;

/// Fields that identify a client: a tag is shown by explain, by the API and in logs.
bool is_secret(std::string_view field) noexcept {
  for (const std::string_view name : {"Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie"})
    if (http::iequals(field, name)) return true;
  return false;
}

/// Why this part cannot stand here; nothing for one that can.
std::optional<Fault> fault_of(const TagTemplate::Piece& piece, bool of_answer) {
  const bool field = piece.part == Part::Header || piece.part == Part::ResponseHeader;
  if (field && is_secret(piece.name))
    return Fault{1004, in_quotes(piece.name) + " has credentials, and tags are shown to operators",
                 "take a field or a part of the path that only names the client"};
  const bool answer = piece.part == Part::ResponseHeader || piece.part == Part::ResponseBody;
  if (answer && !of_answer)
    return Fault{1004, "tags.add is made of the request alone",
                 "the origin names tags of its answer in a field of tags.headers, such as Cache-Tag"};
  return std::nullopt;
}

struct TagHeaders {
  static constexpr std::string_view kType = "list of header name";
  static void read(const Reading& r, Texts& out) {
    r.each(
        out,
        [&](const Node& item, const std::string& path) {
          if (!is_token(item.text)) return r.section.bad_field_name(item, path);
          const auto id = http::field_id(item.text);
          if (id != http::FieldId::Other)
            return r.section.error(1004, item, path,
                                   in_quotes(item.text) + " has a meaning of its own and lists no tags",
                                   "such as Cache-Tag, Surrogate-Key or xkey");
          add_once(out, item.text);
        },
        kMostParts, "fields");
  }
  static std::string text(const Texts& names) { return yaml_texts(names); }
};

/// Where `invalidates` has no tags, nothing of it is printed.
struct WrittenTags {
  using Value = Invalidates;
  static constexpr std::string_view kType = TagTemplates::kType;
  static void read(const Reading& r, Invalidates& out) { TagTemplates::read(r, out.tags); }
  static Text text(const Invalidates& i) { return i.empty() ? Text() : TagTemplates::text(i.tags); }
};
struct WrittenMode {
  using Value = Invalidates;
  static void read(const Reading& r, Invalidates& out) { Codec<cache::PurgeMode>::read(r, out.mode); }
  static Text text(const Invalidates& i, const Printing& p) {
    return i.empty() ? Text() : Codec<cache::PurgeMode>::text(i.mode, p);
  }
};
struct WrittenBodyMax {
  using Value = Invalidates;
  static constexpr std::string_view kType = "size";
  static void read(const Reading& r, Invalidates& out) { Codec<std::uint64_t>::read(r, out.body_max); }
  static Text text(const Invalidates& i) { return i.empty() ? Text() : scalar_text(i.body_max); }
};

constexpr auto kTags = table<rules::Policy::Tags>({
    as<TagHeaders, &rules::Policy::Tags::headers>(
        "headers", "",
        "Response fields that list tags, separated by commas or blanks: what is stored can be purged by them.",
        Reload::Entries),
    key<&rules::Policy::Tags::strip>("strip", "", "Whether clients do not get these fields."),
    as<TagTemplates, &rules::Policy::Tags::add>(
        "add", "",
        "Further tags, with parts of the request: `{capture}`, `{header:NAME}` and `{body:/pointer}`, such as "
        "`product-{id}`.",
        Reload::Entries),
    key<&rules::Policy::Tags::max>("max", "0..1000", "Tags of one response; further ones are not kept.",
                                   Reload::Entries),
});
constexpr auto kInvalidates = table<Invalidates>({
    as<WrittenTags>("tags", "",
                    "What a successful write on this route makes stale: responses with one of these tags, which may "
                    "have parts as in `tags.add`, and `{response_header:NAME}` and `{response_body:/pointer}`.")
        .by_default("[]"),
    as<WrittenMode>("mode", "hard | soft",
                    "`hard`: they are gone before the write is answered; `soft`: they are stale from then on.")
        .by_default("hard"),
    as<WrittenBodyMax>("body_max", "1B..1MiB",
                       "How much of the write's answer is read for `{response_body:...}` before it goes to the client.")
        .by_default("64KiB"),
});

}  // namespace

bool TagTemplates::read(const Reading& r, std::vector<TagTemplate>& out) {
  const bool of_answer = r.row.name != "add";
  return r.each(
      out,
      [&](const Node& item, const std::string& path) {
        TagTemplate::Fault fault;
        auto made = TagTemplate::compile(item.text, fault);
        if (!made)
          return r.section.error(1011, item, path, "bad tag " + in_quotes(item.text) + ": " + fault.message,
                                 fault.hint);
        for (const auto& piece : made->pieces())
          if (const auto wrong = fault_of(piece, of_answer)) return r.section.fault(item, path, *wrong);
        add_once(out, std::move(*made));
      },
      kMostParts, "tags");
}

std::string TagTemplates::text(const std::vector<TagTemplate>& templates) {
  return yaml_list(templates, [](const auto& t) { return yaml_text(t.text()); });
}

void ShortInvalidates::read(const Reading& r, Route& out) {
  const auto* node = r.node();
  if (!node || node->is_map()) return;
  TagTemplates::read(r, out.invalidates.tags);
}

Table<rules::Policy::Tags> tags_table() noexcept { return kTags; }
Table<Invalidates> invalidates_table() noexcept { return kInvalidates; }

}  // namespace forebay::config
