#include "forebay/http/aws_sigv4.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "forebay/base/text.hpp"
#include "forebay/http/target.hpp"

namespace forebay::http {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

constexpr bool is_unreserved(char c) noexcept { return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~'; }

void append_encoded(std::string& out, char c) {
  if (is_unreserved(c))
    out.push_back(c);
  else
    append_percent_encoded(out, static_cast<unsigned char>(c));
}

/// Decodes what is percent-encoded and encodes all but unreserved bytes; `kept` stays as it is.
void append_normal(std::string& out, std::string_view text, char kept, bool plus_is_blank) {
  while (!text.empty()) {
    const int byte = percent_decoded(text);
    if (byte >= 0) {
      append_encoded(out, static_cast<char>(byte));
      text.remove_prefix(3);
      continue;
    }
    const char c = text.front();
    if (c == kept)
      out.push_back(c);
    else
      append_encoded(out, plus_is_blank && c == '+' ? ' ' : c);
    text.remove_prefix(1);
  }
}

std::string_view path_of(std::string_view target) noexcept { return target.substr(0, target.find('?')); }

std::string_view query_of(std::string_view target) noexcept {
  const auto mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

/// Without empty segments and dot segments; a slash at the end stays.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> segments;
  std::string_view rest = path;
  while (!rest.empty()) {
    const auto slash = rest.find('/');
    const auto segment = rest.substr(0, slash);
    rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
    if (segment.empty() || segment == ".") continue;
    if (segment != "..")
      segments.push_back(segment);
    else if (!segments.empty())
      segments.pop_back();
  }
  std::string out;
  for (const auto segment : segments) out.append("/").append(segment);
  if (out.empty() || path.ends_with('/')) out += '/';
  return out;
}

/// Inner runs of blanks as one.
void append_collapsed(std::string& out, std::string_view value) {
  bool blank = false;
  for (const char c : trim(value)) {
    if (!is_blank(c))
      out.push_back(c);
    else if (!blank)
      out.push_back(' ');
    blank = is_blank(c);
  }
}

bool starts_with_amz(std::string_view name) noexcept { return name.size() > 6 && iequals(name.substr(0, 6), "x-amz-"); }

bool is_signed_field(const Field& field) noexcept {
  return field.id == FieldId::Host || field.id == FieldId::ContentType || starts_with_amz(field.name) ||
         iequals(field.name, "Content-MD5");
}

/// A name in lower case and the canonical value of all its lines.
struct SignedField {
  std::string name, value;
};

std::vector<SignedField> signed_fields(FieldsView fields) {
  std::vector<SignedField> out;
  for (const auto& field : fields) {
    if (!is_signed_field(field)) continue;
    auto name = lower_case(field.name);
    auto same = std::find_if(out.begin(), out.end(), [&](const auto& f) { return f.name == name; });
    if (same != out.end())
      same->value += ',';
    else
      same = out.insert(same, {std::move(name), {}});
    append_collapsed(same->value, field.value);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return out;
}

std::string names_of(const std::vector<SignedField>& fields) {
  std::string out;
  for (const auto& field : fields) out.append(out.empty() ? "" : ";").append(field.name);
  return out;
}

std::string canonical(const AwsSigV4::Request& request, std::string_view service,
                      const std::vector<SignedField>& fields) {
  std::string out(request.method);
  out.append("\n").append(aws_canonical_path(request.target, service));
  out.append("\n").append(aws_canonical_query(request.target)).append("\n");
  for (const auto& field : fields) out.append(field.name).append(":").append(field.value).append("\n");
  return out.append("\n").append(names_of(fields)).append("\n").append(request.payload);
}

/// `20240131T235959Z`; the first eight digits are the day.
std::string time_text(WallTime now) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto days = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date{days};
  const std::chrono::hh_mm_ss time{seconds - days};
  std::string out;
  const auto append = [&out](unsigned value, std::size_t digits) {
    std::string number;
    append_number(number, value);
    out.append(digits - std::min(digits, number.size()), '0').append(number);
  };
  append(static_cast<unsigned>(static_cast<int>(date.year())), 4);
  append(static_cast<unsigned>(date.month()), 2);
  append(static_cast<unsigned>(date.day()), 2);
  out += 'T';
  append(static_cast<unsigned>(time.hours().count()), 2);
  append(static_cast<unsigned>(time.minutes().count()), 2);
  append(static_cast<unsigned>(time.seconds().count()), 2);
  return out += 'Z';
}

}  // namespace

bool aws_keeps_path(std::string_view service) noexcept {
  return service == "s3" || service == "s3-object-lambda" || service == "s3-outposts" || service == "s3express";
}

bool is_aws_field(const Field& field) noexcept {
  return field.id == FieldId::Authorization || starts_with_amz(field.name);
}

std::string aws_target(std::string_view target) {
  if (target == "*") return "*";  // of OPTIONS
  std::string out;
  out.reserve(target.size() + target.size() / 4);
  append_normal(out, path_of(target), '/', false);
  if (target.find('?') == std::string_view::npos) return out;
  char separator = '?';
  for_each_query_pair(query_of(target), [&](const QueryPair& pair) {
    out.push_back(std::exchange(separator, '&'));
    append_normal(out, pair.name, '\0', true);
    if (!pair.value) return;
    out.push_back('=');
    append_normal(out, *pair.value, '\0', true);
  });
  if (separator == '?') out.push_back('?');  // an empty query
  return out;
}

std::string aws_canonical_path(std::string_view target, std::string_view service) {
  const auto path = path_of(target);
  if (path.empty()) return "/";
  if (aws_keeps_path(service)) return std::string(path);
  std::string out;
  for (const char c : without_dots(path)) {
    if (c == '/')
      out.push_back(c);
    else
      append_encoded(out, c);
  }
  return out;
}

std::string aws_canonical_query(std::string_view target) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for_each_query_pair(query_of(target),
                      [&](const QueryPair& pair) { pairs.emplace_back(pair.name, pair.value.value_or("")); });
  std::sort(pairs.begin(), pairs.end());
  std::string out;
  for (const auto& [name, value] : pairs) out.append(out.empty() ? "" : "&").append(name).append("=").append(value);
  return out;
}

std::string AwsSigV4::canonical_request(const Request& request, FieldsView fields) const {
  return canonical(request, service_, signed_fields(fields));
}

void AwsSigV4::sign(const Request& request, Fields& fields, const AwsCredentials& credentials, WallTime now) {
  const auto time = time_text(now);
  const auto day = std::string_view(time).substr(0, 8);
  fields.remove(FieldId::Authorization);
  fields.set("X-Amz-Date", time);
  fields.set("X-Amz-Content-Sha256", request.payload);
  fields.remove("X-Amz-Security-Token");
  if (!credentials.session_token.empty()) fields.add("X-Amz-Security-Token", credentials.session_token);

  const auto listed = signed_fields(fields);
  const auto scope = std::string(day).append("/").append(region_).append("/").append(service_).append("/aws4_request");
  std::string text(kAlgorithm);
  text.append("\n").append(time).append("\n").append(scope).append("\n");
  append_sha256_hex(text, canonical(request, service_, listed));
  const auto signature = to_hex(hmac_sha256(bytes_of(key_for(day, credentials)), text));
  fields.add(FieldId::Authorization, std::string(kAlgorithm)
                                         .append(" Credential=")
                                         .append(credentials.access_key_id)
                                         .append("/")
                                         .append(scope)
                                         .append(", SignedHeaders=")
                                         .append(names_of(listed))
                                         .append(", Signature=")
                                         .append(signature));
}

const Hmac& AwsSigV4::key_for(std::string_view date, const AwsCredentials& credentials) {
  if (day_ == date && secret_ == credentials.secret_access_key) return key_;
  key_ = hmac_sha256("AWS4" + credentials.secret_access_key, date);
  for (const auto part : {std::string_view(region_), std::string_view(service_), std::string_view("aws4_request")})
    key_ = hmac_sha256(bytes_of(key_), part);
  day_ = date;
  secret_ = credentials.secret_access_key;
  return key_;
}

}  // namespace forebay::http
