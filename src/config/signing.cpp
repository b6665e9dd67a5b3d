#include "config/signing.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "config/address.hpp"
#include "config/codecs.hpp"
#include "forebay/content/aws_credentials.hpp"

namespace forebay::config {
namespace {

using Variable = std::function<std::optional<std::string>(const std::string&)>;
using From = Signing::From;

constexpr std::size_t kLargestFile = 1024 * 1024;

/// Empty where it is not set.
std::string value_of(const Variable& variable, const std::string& name) {
  return variable ? variable(name).value_or("") : std::string();
}

bool is_set(const Variable& variable, const std::string& name) { return !value_of(variable, name).empty(); }

/// The labels of a host name.
std::vector<std::string_view> labels_of(std::string_view host) {
  std::vector<std::string_view> labels;
  while (!host.empty()) {
    const auto dot = host.find('.');
    labels.push_back(host.substr(0, dot));
    host.remove_prefix(dot == std::string_view::npos ? host.size() : dot + 1);
  }
  return labels;
}

Signing::Found from_environment(const Variable& variable) {
  Signing::Found found;
  found.keys = {value_of(variable, "AWS_ACCESS_KEY_ID"), value_of(variable, "AWS_SECRET_ACCESS_KEY"),
                value_of(variable, "AWS_SESSION_TOKEN"), std::nullopt};
  if (content::are_usable(found.keys)) return found;
  found.keys = {};
  const bool both = is_set(variable, "AWS_ACCESS_KEY_ID") && is_set(variable, "AWS_SECRET_ACCESS_KEY");
  found.missing = both ? "a variable of AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN is not one word"
                       : "the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set";
  return found;
}

Signing::Found from_file(const Signing& sign, const Variable& variable) {
  Signing::Found found;
  auto file = sign.credentials_file;
  if (file.empty()) file = value_of(variable, "AWS_SHARED_CREDENTIALS_FILE");
  if (file.empty() && is_set(variable, "HOME")) file = value_of(variable, "HOME") + "/.aws/credentials";
  auto profile = sign.profile;
  if (profile.empty()) profile = value_of(variable, "AWS_PROFILE");
  if (profile.empty()) profile = "default";
  if (file.empty()) return found.missing = "there is no shared credentials file", found;
  std::string why;
  const auto text = content_of_file(file, kLargestFile, why);
  if (!text) return found.missing = in_quotes(file) + " cannot be read: " + why, found;
  const auto keys = content::read_shared_credentials(*text, profile);
  if (keys)
    found.keys = *keys;
  else
    found.missing = in_quotes(file) + " has no keys for the profile " + in_quotes(profile);
  return found;
}

/// Where `auto` looks.
Signing::Found from_anywhere(const Signing& sign, const Variable& variable) {
  if (!sign.profile.empty() || !sign.credentials_file.empty()) return from_file(sign, variable);
  auto environment = from_environment(variable);
  if (environment.missing.empty()) return environment;
  auto file = from_file(sign, variable);
  if (file.missing.empty()) return file;
  if (is_set(variable, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") ||
      is_set(variable, "AWS_CONTAINER_CREDENTIALS_FULL_URI"))
    return container_of(variable);
  Signing::Found none;
  none.missing = environment.missing + ", " + file.missing + ", and no variable names a container's endpoint";
  return none;
}

Signing::Found found_for(const Signing& sign, const Variable& variable) {
  switch (sign.credentials) {
    case From::Environment: return from_environment(variable);
    case From::File: return from_file(sign, variable);
    case From::Container: return container_of(variable);
    case From::Auto: break;
  }
  return from_anywhere(sign, variable);
}

/// Keys of the configuration itself. False where there are none.
bool take_written_keys(const Section& section, Signing& sign) {
  const auto* map = section.node();
  const auto is_written = [&](const std::string& name) {
    return map && (map->find(name) || map->find(name + "_file"));
  };
  const bool id = is_written("access_key_id"), secret = is_written("secret_access_key"),
             token = is_written("session_token");
  if (!id && !secret && !token) return false;
  const auto blame = [&](const std::string& name) {
    const auto* entry = map->entry(name) ? map->entry(name) : map->entry(name + "_file");
    return std::pair{entry->key.get(), section.path_of(entry->key->text)};
  };
  if (id != secret) {
    const auto [key, path] = blame(id ? "access_key_id" : "secret_access_key");
    section.error(
        1040, *key, path,
        id ? "\"access_key_id\" needs \"secret_access_key\"" : "\"secret_access_key\" needs \"access_key_id\"",
        id ? "such as secret_access_key_file: /run/secrets/aws" : "the access key that the secret belongs to");
    return true;
  }
  if (!id) {
    const auto [key, path] = blame("session_token");
    section.error(1040, *key, path, "\"session_token\" needs \"access_key_id\" and \"secret_access_key\"", {});
    return true;
  }
  if (sign.credentials != From::Auto) {
    const auto [key, path] = blame("access_key_id");
    section.report().warning(2071, *key, path, "the keys that are written here are not used",
                             "leave \"credentials\" out, or the keys");
    return false;
  }
  sign.found.keys = {sign.access_key_id, sign.secret_access_key, sign.session_token, std::nullopt};
  if (!content::are_usable(sign.found.keys)) {  // redacted, or empty
    sign.found.keys = {};
    sign.found.missing = "the keys of the configuration are empty or redacted";
  }
  return true;
}

}  // namespace

AwsPlace aws_place_of(std::string_view host) {
  const bool amazonaws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
  if (!amazonaws && !host.ends_with(".on.aws")) return {};
  constexpr std::array kServices{"lambda-url", "execute-api", "s3",  "dynamodb", "es",
                                 "aoss",       "appsync-api", "sqs", "sns"};
  const auto labels = labels_of(host);
  const std::size_t tail = host.ends_with(".cn") ? 3 : 2;
  for (std::size_t i = labels.size(); i-- > 0;) {
    if (std::find(kServices.begin(), kServices.end(), labels[i]) == kServices.end()) continue;
    // `es` and `aoss` stand behind the region, all others in front of it.
    const bool behind = labels[i] == "es" || labels[i] == "aoss";
    AwsPlace place{labels[i] == "lambda-url" ? "lambda" : std::string(labels[i]), {}};
    if (place.service == "appsync-api") place.service = "appsync";
    std::size_t at = i + 1;
    if (!behind && at < labels.size() && labels[at] == "dualstack") ++at;
    if (behind && i > 0)
      place.region = labels[i - 1];
    else if (!behind && at + tail < labels.size())
      place.region = labels[at];
    return place;
  }
  return {};
}

Signing::Found container_of(const Variable& variable) {
  Signing::Found found;
  const auto relative = value_of(variable, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const auto full = value_of(variable, "AWS_CONTAINER_CREDENTIALS_FULL_URI");
  const auto none = [&](std::string why) {
    Signing::Found nothing;
    nothing.missing = std::move(why);
    return nothing;
  };
  if (relative.empty() && full.empty())
    return none("neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set");
  if (relative.empty() && lower_case(full.substr(0, 8)) == "https://")
    return none("AWS_CONTAINER_CREDENTIALS_FULL_URI is an https url, which is not in this version");
  const auto url = relative.empty() ? full : "http://169.254.170.2" + relative;
  const auto name = relative.empty() ? "AWS_CONTAINER_CREDENTIALS_FULL_URI" : "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
  const auto scheme = url.find("://");
  const auto slash = scheme == std::string::npos ? scheme : url.find_first_of("/?#", scheme + 3);
  found.path = slash == std::string::npos ? "/" : url.substr(slash);
  const bool good_path = found.path.front() == '/' && std::all_of(found.path.begin(), found.path.end(), [](char c) {
                           return c > 0x20 && c < 0x7f && c != '#';
                         });
  auto parsed = parse_origin_url(url.substr(0, slash));
  if ((!relative.empty() && !relative.starts_with('/')) || !good_path || !parsed.value)
    return none(std::string(name) + " is not a usable url");
  found.endpoint = std::move(*parsed.value);
  constexpr std::array<std::string_view, 3> kOfAws{"169.254.170.2", "169.254.170.23", "fd00:ec2::23"};
  const bool allowed = is_loopback_host(found.endpoint.host) ||
                       std::find(kOfAws.begin(), kOfAws.end(), found.endpoint.host) != kOfAws.end();
  if (!allowed)
    return none(std::string(name) +
                " names a host that must not be asked by http: neither loopback nor 169.254.170.2, 169.254.170.23 or "
                "[fd00:ec2::23]");
  found.token_file = value_of(variable, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (found.token_file.empty()) found.token = value_of(variable, "AWS_CONTAINER_AUTHORIZATION_TOKEN");
  if (!http::is_field_value(found.token)) return none("AWS_CONTAINER_AUTHORIZATION_TOKEN has a control byte");
  return found;
}

void finish_signing(Loading& loading, const Section& section, Origin& origin) {
  auto& sign = origin.sign;
  const auto* node = section.node() ? section.node()->entry("sign") : nullptr;
  if (!node) return;
  const auto path = section.path_of("sign");
  if (node->value->is_map() && !node->value->find("type"))
    section.error(1040, *node->key, path, "\"sign\" needs a \"type\"", "such as type: aws_sigv4");
  if (!sign.on()) return;
  const auto& variable = loading.surroundings.variable;
  const auto place = aws_place_of(origin.url.host);
  const bool by_url = sign.service.empty() || sign.region.empty();
  for (const auto& [url, weight] : origin.urls)
    if (const auto other = aws_place_of(url.host);
        by_url && (other.service != place.service || other.region != place.region))
      section.error(1040, *node->key, path,
                    in_quotes(origin.url.text) + " and " + in_quotes(url.text) + " name different services or regions",
                    "write \"service\" and \"region\", or an origin for each");
  if (sign.service.empty()) sign.service = place.service;
  if (sign.region.empty()) sign.region = place.region;
  if (sign.region.empty()) sign.region = value_of(variable, "AWS_REGION");
  if (sign.region.empty()) sign.region = value_of(variable, "AWS_DEFAULT_REGION");
  if (sign.service.empty())
    section.error(1040, *node->key, path, "\"sign\" needs a \"service\": the url does not tell it",
                  "such as service: lambda, s3 or execute-api");
  const bool alone = loading.report.alone();
  if (sign.region.empty() && alone)
    loading.report.not_looked_at(*node->key, path, "the variable \"AWS_REGION\"");
  else if (sign.region.empty())
    section.error(1040, *node->key, path, "\"sign\" needs a \"region\": neither the url nor AWS_REGION tells it",
                  "such as region: eu-central-1");
  // The Host is signed, and services know themselves by their own.
  if (!section.node()->find("host_header")) origin.host_header = "origin";
  const bool written = take_written_keys(section.in("sign"), sign);
  if (!written && alone) return loading.report.not_looked_at(*node->key, path, "where the credentials are");
  if (!written) sign.found = found_for(sign, variable);
  if (!sign.found.missing.empty())
    loading.report.warning(
        2070, *node->key, path,
        "there are no credentials to sign with, so requests are answered with 502: " + sign.found.missing,
        "see docs/origins.md");
}

}  // namespace forebay::config
