// Settings of `listen[].tls` and `origins.*.tls`.
#include <array>

#include "config/address.hpp"
#include "config/codecs.hpp"

namespace forebay::config {
namespace {

using Certificate = ListenerTls::Certificate;

/// The path of a file. Its content is read when the configuration is used (net/tls_server, net/tls_client).
struct FilePath {
  static constexpr std::string_view kType = "path";
  static bool read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a path");
    if (!text) return false;
    if (text->find("-----BEGIN") != std::string::npos) {
      r.section.report().hide(r.node()->place);
      r.error(1002, *r.node(), "this is PEM and not the path of a file", "write it to a file that only Forebay reads");
      return false;
    }
    if (text->empty()) {
      r.error(1002, *r.node(), "the path is empty", "such as /etc/forebay/tls/tls.crt");
      return false;
    }
    out = *text;
    r.loading.places[std::string(kTlsFile) + r.path()] = {r.node(), r.path()};
    return true;
  }
  static Text text(const std::string& path) { return path.empty() ? Text() : yaml_text(path); }
};

constexpr auto kCertificate = table<Certificate>({
    as<FilePath, &Certificate::cert>("cert", "", "PEM file of a certificate, followed by its intermediate ones.")
        .by_default("required"),
    as<FilePath, &Certificate::key>("key", "", "PEM file of its private key, not encrypted.").by_default("required"),
    as<FilePath, &Certificate::ocsp>("ocsp", "", "File with an OCSP response (DER) to staple.").by_default("-"),
});
constexpr std::array kCertificateElement{each<&kCertificate>("[]")};
std::span<const Row> certificate_element() noexcept { return kCertificateElement; }

/// `cert`, `key` and `ocsp` of the one certificate that is not written as a list.
struct OnlyCertificate {
  using Value = ListenerTls;
  static constexpr std::string_view kType = "path";
  static constexpr std::size_t kMembers = 0;
  static std::string Certificate::*member(std::string_view name) {
    if (name == "cert") return &Certificate::cert;
    return name == "key" ? &Certificate::key : &Certificate::ocsp;
  }
  static void read(const Reading& r, ListenerTls& out) {
    Certificate one = out.on() ? out.certificates.front() : Certificate();
    if (FilePath::read(r, one.*member(r.row.name))) out.certificates = {std::move(one)};
  }
  static Text text(const ListenerTls& tls, const Printing& p) {
    return tls.certificates.size() == 1 ? FilePath::text(tls.certificates.front().*member(p.row.name)) : Text();
  }
};

void require_pair(const Section& section, const Node& node, const std::string& path, const Certificate& pair) {
  for (const auto& [name, value] : {std::pair{"cert", &pair.cert}, std::pair{"key", &pair.key}}) {
    const auto* written = node.find(name);
    if (value->empty() && !written)
      section.error(1024, node, path, "a certificate needs a " + in_quotes(name),
                    "such as " + std::string(name) + ": /etc/forebay/tls/tls." + (name[0] == 'c' ? "crt" : "key"));
  }
}

/// The list of certificates. It is read last, and so looks at the whole.
struct Certificates {
  using Value = ListenerTls;
  static constexpr std::string_view kType = "list of certificate";
  static constexpr std::size_t kMost = 1000;

  static void read(const Reading& r, ListenerTls& out) {
    const auto* map = r.section.node();
    if (!map) return;
    const auto* list = map->entry("certs");
    if (!list) return check_short_form(r, *map, out);
    for (const auto name : {"cert", "key", "ocsp"})
      if (const auto* twin = map->entry(name))
        return r.section.error(1005, *twin->key, r.section.path_of(name),
                               in_quotes(name) + " and \"certs\" are the same thing", "write one of them");
    const auto* node = r.node();
    if (!node) return;
    if (!node->is_list())
      return r.error(1002, *node, "\"certs\" is a list of certificates", "such as [{ cert: a, key: b }]");
    if (node->items.empty()) return r.error(1024, *node, "there is no certificate in the list");
    if (node->items.size() > kMost)
      return r.error(1004, *node, std::to_string(node->items.size()) + " certificates",
                     "at most " + std::to_string(kMost));
    out.certificates.clear();
    for (std::size_t i = 0; i < node->items.size(); ++i) add(r, *node->items[i], i, out);
    check_client(r, *map, out);
  }

  static void write(Printer& p, const Row& row, const ListenerTls& tls) {
    if (tls.certificates.size() < 2) return;
    p.open(row.name);
    for (const auto& one : tls.certificates) {
      p.open_element();
      p.rows(Table<Certificate>(kCertificate).rows, &one);
      p.close();
    }
    p.close();
  }

 private:
  static void add(const Reading& r, const Node& item, std::size_t index, ListenerTls& out) {
    if (item.bad) return;
    if (!item.is_map())
      return r.section.error(1002, item, r.path(index), "a certificate takes keys and values",
                             "such as { cert: a, key: b }");
    Certificate one;
    const Section section(r.section.report(), &item, r.path(index));
    read_rows(r.loading, section, Table<Certificate>(kCertificate).rows, &one);
    require_pair(r.section, item, r.path(index), one);
    out.certificates.push_back(std::move(one));
  }
  static void check_short_form(const Reading& r, const Node& map, ListenerTls& out) {
    require_pair(r.section, map, r.section.path(), out.on() ? out.certificates.front() : Certificate());
    check_client(r, map, out);
  }
  /// What has no meaning without certificates of clients.
  static void check_client(const Reading& r, const Node& map, const ListenerTls& out) {
    if (map.find("client_ca")) return;
    for (const auto name : {"client_auth", "client_cert_header"}) {
      const auto* written = map.entry(name);
      if (!written || (std::string_view(name) == "client_cert_header" && !out.client_cert_header)) continue;
      r.section.error(1024, *written->key, r.section.path_of(name), in_quotes(name) + " needs \"client_ca\"",
                      "the PEM file of those who sign clients' certificates");
    }
  }
};

/// As the codec of the member, but printed only where there is TLS.
template <auto Member>
struct Shown {
  using Value = ListenerTls;
  using T = typename rows::LastOf<Member>::Type;
  static constexpr std::size_t kMembers = 1;
  static void read(const Reading& r, ListenerTls& out) { Codec<T>::read(r, out.*Member); }
  static Text text(const ListenerTls& tls, const Printing& p) {
    if (!tls.on()) return Text();
    if constexpr (requires { Codec<T>::text(tls.*Member, p); })
      return Codec<T>::text(tls.*Member, p);
    else
      return Codec<T>::text(tls.*Member);
  }
};
/// The same for what says how clients are authenticated.
template <auto Member>
struct ShownWithClientCa : Shown<Member> {
  static Text text(const ListenerTls& tls, const Printing& p) {
    return tls.client_ca.empty() ? Text() : Shown<Member>::text(tls, p);
  }
};

constexpr auto kTls = table<ListenerTls>({
    as<OnlyCertificate>("cert", "",
                        "PEM file of the certificate, followed by its intermediate ones; read again at a "
                        "reload.")
        .by_default("-"),
    as<OnlyCertificate>("key", "", "PEM file of its private key, not encrypted.").by_default("-"),
    as<OnlyCertificate>("ocsp", "", "File with an OCSP response (DER) to staple.").by_default("-"),
    as<Shown<&ListenerTls::min_version>>("min_version", "1.2 | 1.3", "Oldest version of TLS that clients may speak.")
        .by_default("1.2"),
    as<FilePath, &ListenerTls::client_ca>(
        "client_ca", "", "PEM file of those who sign clients' certificates; clients are asked for one.")
        .by_default("-"),
    as<ShownWithClientCa<&ListenerTls::client_auth>>(
        "client_auth", "require | request",
        "Whether a client without a valid certificate is refused; with `request` the log tells who had one.")
        .by_default("require"),
    as<ShownWithClientCa<&ListenerTls::client_cert_header>>(
        "client_cert_header", "bool",
        "Whether origins get the client's certificate in Client-Cert and Client-Cert-Chain (RFC 9440).")
        .by_default("false"),
    as<Shown<&ListenerTls::session_tickets>>("session_tickets", "bool",
                                             "Whether clients may resume sessions, without a full handshake.")
        .by_default("true"),
    as<Shown<&ListenerTls::session_timeout>>("session_timeout", "duration", "How long a session can be resumed.")
        .by_default("12h")
        .with(&Row::bounds, std::string_view("1s..7d")),
    as<Certificates>(
        "certs", "",
        "Several certificates, each with `cert`, `key` and `ocsp`; a client gets the one for the name that "
        "it asks for, else the first.")
        .by_default("-")
        .with(&Row::below, certificate_element),
});

// --- origins ---

/// The name of a host, no IP address.
struct ServerName {
  static constexpr std::string_view kType = "host name";
  static void read(const Reading& r, std::string& out) {
    const auto* text = r.scalar("a host name");
    if (!text) return;
    const auto as_url = parse_origin_url("https://" + *text);
    if (!as_url.value || as_url.value->authority != lower_case(*text) || http::parse_ip(*text))
      return r.error(1002, *r.node(), in_quotes(*text) + " is not a host name", "such as www.example.com");
    out = as_url.value->host;
  }
  static Text text(const std::string& name) { return name.empty() ? Text() : yaml_text(name); }
};

/// As the codec of the member, but printed only where the origin is reached over TLS.
template <auto Member>
struct OfHttps {
  using Value = Origin;
  using T = typename rows::LastOf<Member>::Type;
  static constexpr std::size_t kMembers = 0;  // of the one that is `Origin::tls`
  static void read(const Reading& r, Origin& out) { Codec<T>::read(r, out.tls.*Member); }
  static Text text(const Origin& origin, const Printing& p) {
    if (!origin.url.is_https()) return Text();
    if constexpr (requires { Codec<T>::text(origin.tls.*Member, p); })
      return Codec<T>::text(origin.tls.*Member, p);
    else
      return Codec<T>::text(origin.tls.*Member);
  }
};

constexpr auto kOriginTls = table<Origin>({
    as<OfHttps<&OriginTls::verify>>("verify", "bool", "Whether the origin's certificate has to be valid for its name.")
        .by_default("true"),
    as<FilePath, &Origin::tls, &OriginTls::ca>(
        "ca", "", "PEM file, or directory, of those who sign the origin's certificate, in place of the system's.")
        .by_default("-"),
    as<ServerName, &Origin::tls, &OriginTls::sni>(
        "sni", "", "The name to ask for (SNI) and to find in the certificate, in place of the url's host.")
        .by_default("-"),
    as<FilePath, &Origin::tls, &OriginTls::cert>(
        "cert", "", "PEM file of the certificate to show to the origin, followed by its intermediate ones.")
        .by_default("-"),
    as<FilePath, &Origin::tls, &OriginTls::key>("key", "", "PEM file of its private key, not encrypted.")
        .by_default("-"),
    as<OfHttps<&OriginTls::min_version>>("min_version", "1.2 | 1.3", "Oldest version of TLS to speak with the origin.")
        .by_default("1.2"),
});

}  // namespace

Table<ListenerTls> tls_table() noexcept { return kTls; }
Table<Origin> origin_tls_table() noexcept { return kOriginTls; }

void check_origin_tls(const Section& section, const Origin& origin) {
  const auto* map = section.node() ? section.node()->entry("tls") : nullptr;
  if (!map || !map->value->is_map() || origin.url.text.empty()) return;
  const auto path = section.path_of("tls");
  if (!origin.url.is_https())
    return section.error(1004, *map->key, path, "\"tls\" has no meaning: the url is " + in_quotes(origin.url.text),
                         "write an https:// url, or leave \"tls\" out");
  const Section tls = section.in("tls");
  for (const auto& [one, other] : {std::pair{"cert", "key"}, std::pair{"key", "cert"}})
    if (const auto* written = map->value->entry(one); written && !map->value->find(other))
      section.error(1024, *written->key, tls.path_of(one), in_quotes(one) + " needs " + in_quotes(other),
                    "a certificate and its private key go together");
  if (const auto* verify = map->value->find("verify"); verify && !origin.tls.verify)
    section.report().warning(2009, *verify, tls.path_of("verify"),
                             "anybody between Forebay and the origin can read and change what they say",
                             "let tls.ca name the file of who signed the origin's certificate");
}

}  // namespace forebay::config
