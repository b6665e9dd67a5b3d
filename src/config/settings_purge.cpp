// Settings of `purge`.
#include <algorithm>

#include "config/codecs.hpp"
#include "config/suggest.hpp"

namespace forebay::config {
namespace {

using Purging = Config::Purging;

struct PurgeMethods {
  using Value = Purging;
  static constexpr std::string_view kType = "list of PURGE or BAN";
  static constexpr std::size_t kMembers = 2;
  static void read(const Reading& r, Purging& out) {
    Texts words;
    const bool set = r.each(words, [&](const Node& item, const std::string& path) {
      if (item.text == "PURGE" || item.text == "BAN") return words.push_back(item.text);
      r.section.error(1002, item, path, in_quotes(item.text) + " is not PURGE or BAN",
                      did_you_mean(item.text, {"PURGE", "BAN"}, "other methods are not for purging"));
    });
    if (!set) return;
    out.purge = std::find(words.begin(), words.end(), "PURGE") != words.end();
    out.ban = std::find(words.begin(), words.end(), "BAN") != words.end();
    r.loading.places["purge.methods"] = {r.node(), r.path()};
  }
  static std::string text(const Purging& purging) {
    Texts words;
    if (purging.purge) words.emplace_back("PURGE");
    if (purging.ban) words.emplace_back("BAN");
    return yaml_texts(words);
  }
};

struct Allow {
  static constexpr std::string_view kType = "list of CIDR";
  static void read(const Reading& r, std::vector<http::Cidr>& out) {
    std::vector<http::Cidr> networks;
    const bool set = r.each(networks, [&](const Node& item, const std::string& path) {
      if (const auto net = read_network(item.text)) return networks.push_back(*net);
      r.section.error(1002, item, path, in_quotes(item.text) + " is not a network",
                      "write it like 10.0.0.0/8 or fd00::/8");
    });
    if (set) out = std::move(networks);
  }
  static std::string text(const std::vector<http::Cidr>& networks) {
    return yaml_list(networks, [](const auto& net) { return yaml_text(http::cidr_text(net)); });
  }
};

constexpr auto kPurging = table<Purging>({
    as<PurgeMethods>("methods", "",
                     "Methods by which clients may purge, on every listener for clients. PURGE and BAN are never "
                     "forwarded; without this they are answered 405."),
    as<Allow, &Purging::allow>("allow", "", "Networks of the clients that may, after `server.trusted_proxies`."),
    as<Token<Purging>>("token", "", "Token that these clients need as well (`Authorization: Bearer TOKEN`)."),
    as<TokenFile<Purging>>("token_file", "", "File with the token."),
    key<&Purging::mode>("default", "hard | soft",
                        "What purges do that do not say it: `hard` removes, `soft` makes stale."),
});

}  // namespace

std::vector<http::Cidr> Config::Purging::loopback() {
  return {*http::parse_cidr("127.0.0.0/8"), *http::parse_cidr("::1/128")};
}

Table<Config::Purging> purging_table() noexcept { return kPurging; }

}  // namespace forebay::config
