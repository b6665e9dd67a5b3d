#include "tls_files.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

namespace forebay::app {
namespace {

/// The first of these places that the file has.
config::Diagnostic place_of(const config::LoadResult& loaded, std::initializer_list<std::string> paths) {
  for (const auto& path : paths)
    if (const auto place = loaded.file_places.find(path); place != loaded.file_places.end()) return place->second;
  config::Diagnostic nowhere;
  nowhere.path = *paths.begin();
  return nowhere;
}

void add(config::LoadResult& loaded, config::Diagnostic place, net::TlsFinding finding) {
  place.severity = finding.severity;
  place.code = finding.code;
  place.message = std::move(finding.message);
  place.hint = std::move(finding.hint);
  loaded.diagnostics.push_back(std::move(place));
}

}  // namespace

TlsFiles read_tls(config::LoadResult& loaded, const std::shared_ptr<net::TicketKeys>& tickets, const Clock& clock) {
  TlsFiles files;
  if (!loaded.ok()) return files;
  bool failed = false;
  const auto serve = [&](const config::Listener& listener, const std::string& name, const std::string& tls) {
    if (!listener.tls.on()) return std::shared_ptr<const net::TlsServer>();
    std::vector<net::TlsFinding> findings;
    auto server = net::TlsServer::make(listener.tls, {name, listener.http2, tickets, &clock}, findings);
    failed = failed || !server;
    for (auto& finding : findings) {
      const auto in_list = tls + "certs[" + std::to_string(finding.certificate) + "]." + finding.key;
      auto place = place_of(loaded, {tls + finding.key, in_list});
      add(loaded, std::move(place), std::move(finding));
    }
    return std::shared_ptr<const net::TlsServer>(std::move(server));
  };
  const auto& listeners = loaded.config->listeners;
  for (std::size_t i = 0; i < listeners.size(); ++i)
    files.servers.push_back(serve(listeners[i], listeners[i].name, "listen[" + std::to_string(i) + "].tls."));
  if (loaded.config->admin) {
    auto admin = loaded.config->admin_listener;
    admin.http2 = false;
    files.admin = serve(admin, "admin", "admin.tls.");
  }
  for (const auto& [name, origin] : loaded.config->origins) {
    if (!origin.url.is_https()) continue;
    // Most findings are of files, and the same for each url.
    std::vector<std::string> told;
    for (const auto& member : origin.urls) {
      auto one = origin;
      one.url = member.url;
      std::vector<net::TlsFinding> findings;
      auto client = net::TlsClient::make(one, clock, findings);
      failed = failed || !client;
      files.clients[name].push_back(std::move(client));
      for (auto& finding : findings) {
        if (std::find(told.begin(), told.end(), finding.message) != told.end()) continue;
        told.push_back(finding.message);
        auto place = place_of(loaded, {"origins." + name + ".tls." + finding.key, "origin " + name});
        add(loaded, std::move(place), std::move(finding));
      }
    }
  }
  if (failed) loaded.config = nullptr;
  return files;
}

}  // namespace forebay::app
