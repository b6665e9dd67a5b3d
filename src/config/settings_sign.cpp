// Settings of `origins.NAME.sign` and `origins.NAME.headers`.
#include <algorithm>

#include "config/codecs.hpp"
#include "config/signing.hpp"

namespace forebay::config {
namespace {

/// `sign: aws_sigv4`; the keys of the map are rows of their own.
struct ShortSign {
  using Value = Origin;
  static constexpr std::string_view kType = "off, aws_sigv4 or map";
  static constexpr std::size_t kMembers = 0;
  static void read(const Reading& r, Origin& out) {
    const auto* node = r.node();
    if (!node || node->is_map()) return;
    const auto* text = r.scalar("aws_sigv4 or a map");
    if (!text) return;
    if (*text == "aws_sigv4")
      out.sign.type = Signing::Type::AwsSigV4;
    else if (*text != "off")
      r.error(1002, *node, in_quotes(*text) + " is not off, aws_sigv4 or a map",
              "such as sign: { type: aws_sigv4, region: eu-central-1, service: lambda }");
  }
};

/// A region, a service, a profile.
struct Word {
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a text");
    if (!text) return;
    const bool good = !text->empty() && text->size() <= 128 && std::all_of(text->begin(), text->end(), [](char c) {
      return is_alnum(c) || c == '-' || c == '_' || c == '.';
    });
    if (good)
      out = *text;
    else
      r.error(1002, *r.node(), in_quotes(*text) + " is not a name", "letters, digits and - . _");
  }
};

/// A member that is printed only where requests are signed, and it is not empty.
template <class C, auto Member>
struct Shown {
  using Value = Signing;
  static constexpr std::size_t kMembers = 1;
  static void read(const Reading& r, Signing& out) { C::read(r, out.*Member); }
  static Text text(const Signing& sign, const Printing& p) {
    if (!sign.on()) return Text();
    if constexpr (std::is_same_v<decltype(rows::type_of(Member)), std::string>)
      return (sign.*Member).empty() ? Text() : yaml_text(sign.*Member);
    else if constexpr (requires { C::text(sign.*Member, p); })
      return C::text(sign.*Member, p);
    else
      return C::text(sign.*Member);
  }
};
template <auto Member>
using ShownWord = Shown<Word, Member>;
template <auto Member>
using ShownValue = Shown<Codec<decltype(rows::type_of(Member))>, Member>;

/// Secrets that may be in a file of their own; the file is read with them.
template <auto Member, auto File, Inline InFile = Inline::Warned>
struct Secret {
  using Value = Signing;
  static constexpr std::size_t kMembers = 1;
  static void read(const Reading& r, Signing& out) {
    read_secret(r.section, r.row.name, out.*Member, out.*File, InFile);
  }
  static Text text(const Signing& sign) {
    if (!sign.on() || (sign.*Member).empty() || !(sign.*File).empty()) return Text();
    return yaml_text(InFile == Inline::Fine ? std::string_view(sign.*Member) : kRedacted);
  }
};
template <auto File>
struct SecretFile {
  using Value = Signing;
  static constexpr std::size_t kMembers = 1;
  static constexpr std::string_view kType = "path";
  static Text text(const Signing& sign) { return !sign.on() || (sign.*File).empty() ? Text() : yaml_text(sign.*File); }
};
struct FilePath {
  static void read(const Reading& r, std::string& out) {
    if (const auto* text = r.scalar("a path")) out = *text;
  }
};

constexpr auto kSign = table<Signing>({
    as<ShownValue<&Signing::type>>("type", "off | aws_sigv4",
                                   "How requests are signed: AWS Signature Version 4, or not at all.")
        .by_default("off"),
    as<ShownWord<&Signing::region>>("region", "string", "Region of the service.")
        .by_default("of the url, else $AWS_REGION"),
    as<ShownWord<&Signing::service>>("service", "string",
                                     "Name of the service in signatures: lambda, s3, execute-api, dynamodb, ...")
        .by_default("of the url"),
    as<ShownValue<&Signing::body_max>>("body_max", "size",
                                       "Largest content, which is read and hashed before the request goes out (413); "
                                       "S3 gets content unsigned, as it comes.")
        .by_default("6MiB")
        .with(&Row::bounds, std::string_view("0..1GiB")),
    as<ShownValue<&Signing::credentials>>("credentials", "auto | environment | file | container",
                                          "Where the keys are: as written here, else in the environment, in a shared "
                                          "credentials file, at the credentials endpoint of a container.")
        .by_default("auto"),
    as<Secret<&Signing::access_key_id, &Signing::access_key_id_file, Inline::Fine>>(
        "access_key_id", "string", "Access key; with `secret_access_key`.")
        .by_default("-"),
    as<SecretFile<&Signing::access_key_id_file>>("access_key_id_file", "",
                                                 "File with the access key, read at start and reload.")
        .by_default("-"),
    as<Secret<&Signing::secret_access_key, &Signing::secret_access_key_file>>("secret_access_key", "secret",
                                                                              "Secret of the access key.")
        .by_default("-"),
    as<SecretFile<&Signing::secret_access_key_file>>("secret_access_key_file", "",
                                                     "File with that secret, read at start and reload.")
        .by_default("-"),
    as<Secret<&Signing::session_token, &Signing::session_token_file>>("session_token", "secret",
                                                                      "Token of temporary keys.")
        .by_default("-"),
    as<SecretFile<&Signing::session_token_file>>("session_token_file", "",
                                                 "File with that token, read at start and reload.")
        .by_default("-"),
    as<ShownWord<&Signing::profile>>("profile", "string", "Profile of the shared credentials file.")
        .by_default("$AWS_PROFILE, else default"),
    as<Shown<FilePath, &Signing::credentials_file>>("credentials_file", "path",
                                                    "Shared credentials file, read at start and reload.")
        .by_default("$AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials"),
});

constexpr std::size_t kMostFields = 64;

/// `headers` of an origin: texts, or files that hold them.
struct OriginFields {
  static constexpr std::string_view kType = "map of header name to text or file";
  static void read(const Reading& r, std::vector<OriginField>& out) {
    const auto* node = r.node();
    if (!node) return;
    if (!node->is_map())
      return r.error(1002, *node, in_quotes(r.row.name) + " maps header fields to values",
                     "such as { X-Origin-Secret: { file: /run/secrets/origin } }");
    if (node->entries.size() > kMostFields)
      r.error(1004, *node, std::to_string(node->entries.size()) + " header fields",
              "at most " + std::to_string(kMostFields));
    for (const auto& [key, value] : node->entries)
      read_field(r.section, r.path() + '.' + clipped(name_of_key(key->text)), *key, *value, out);
  }
  static Text text(const std::vector<OriginField>& fields) {
    if (fields.empty()) return {};
    return yaml_map(fields, [](const auto& field) {
      return yaml_name(field.name) + ": " +
             (field.file.empty() ? yaml_text(kRedacted) : "{ file: " + yaml_text(field.file) + " }");
    });
  }

 private:
  static void read_field(const Section& section, const std::string& path, const Node& key, const Node& value,
                         std::vector<OriginField>& out) {
    const auto name = in_quotes(key.text);
    if (!check_field_name(section, key, path)) return;
    if (std::any_of(out.begin(), out.end(), [&](const auto& field) { return http::iequals(field.name, key.text); }))
      return section.error(1005, key, path, "the field " + name + " stands twice", "names of fields have no case");
    OriginField field{key.text, {}, {}};
    if (value.is_map()) {
      const auto* file = value.find("file");
      if (!file || value.entries.size() != 1)
        return section.error(1002, value, path, "the value of " + name + " is a text or a file",
                             "write { file: /run/secrets/origin }");
      auto content = read_secret_file(section, *file, path + ".file", "/run/secrets/origin");
      if (!content) return;
      field.value = std::move(*content);
      field.file = file->text;
    } else {
      if (value.is_null() && !value.bad) return section.error(1002, key, path, name + " has no value");
      const auto* text = section.scalar(value, path, "a text or a file");
      if (!text) return;
      if (*text == kRedacted) {
        section.report().warning(2006, value, path, "a redacted value is nothing that anybody can use",
                                 "write { file: PATH }, or \"${NAME}\" for a variable; the field is left out");
        return out.push_back(std::move(field));
      }
      if (!value.replaced && looks_secret(key.text))
        section.report().warning(2006, value, path, "a secret stands in the file",
                                 "write { file: PATH }, or \"${NAME}\" for a variable");
      field.value = *text;
    }
    field.value = http::trim(field.value);
    check_value(section, path, value, std::move(field), out);
  }
  static void check_value(const Section& section, const std::string& path, const Node& value, OriginField field,
                          std::vector<OriginField>& out) {
    constexpr std::size_t kLongest = 4096;
    const auto name = in_quotes(field.name);
    if (field.value.empty())
      section.error(1004, value, path, "the value of " + name + " is empty", "leave the field out");
    else if (field.value.size() > kLongest)
      section.error(1004, value, path, "the value of " + name + " is too long",
                    "at most " + std::to_string(kLongest) + " bytes");
    else if (!http::is_field_value(field.value))
      section.error(1002, value, path, "the value of " + name + " has a control byte");
    else
      out.push_back(std::move(field));
  }
};

constexpr auto kOriginSigning = table<Origin>({
    as<ShortSign>("sign", "", "Requests to this origin are signed; `aws_sigv4` alone finds out the rest."),
    map<&Origin::sign, &kSign>("sign"),
    as<OriginFields, &Origin::headers>("headers", "",
                                       "Fields that the origin gets with each request, over all others of that name; "
                                       "their values are never shown. Files are read at start and reload.")
        .by_default("{}"),
});

}  // namespace

Table<Origin> origin_signing_table() noexcept { return kOriginSigning; }

}  // namespace forebay::config
