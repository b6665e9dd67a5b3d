#include "tls_files.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace forebay::app {
namespace {

/// Where the file of a finding is named.
config::Diagnostic place_of(const config::LoadResult& loaded, std::size_t listener, const net::TlsFinding& finding) {
  const auto tls = "listen[" + std::to_string(listener) + "].tls.";
  const auto in_list = tls + "certs[" + std::to_string(finding.certificate) + "]." + finding.key;
  for (const auto& path : {in_list, tls + finding.key})
    if (const auto place = loaded.file_places.find(path); place != loaded.file_places.end()) return place->second;
  config::Diagnostic nowhere;
  nowhere.path = tls + finding.key;
  return nowhere;
}

}  // namespace

TlsServers read_tls(config::LoadResult& loaded, const std::shared_ptr<net::TicketKeys>& tickets, const Clock& clock) {
  TlsServers servers;
  if (!loaded.ok()) return servers;
  const auto& listeners = loaded.config->listeners;
  bool failed = false;
  for (std::size_t i = 0; i < listeners.size(); ++i) {
    servers.emplace_back();
    if (!listeners[i].tls.on()) continue;
    std::vector<net::TlsFinding> findings;
    servers.back() =
        net::TlsServer::make(listeners[i].tls, {listeners[i].name, listeners[i].http2, tickets, &clock}, findings);
    failed = failed || !servers.back();
    for (auto& finding : findings) {
      auto d = place_of(loaded, i, finding);
      d.severity = finding.severity;
      d.code = finding.code;
      d.message = std::move(finding.message);
      d.hint = std::move(finding.hint);
      loaded.diagnostics.push_back(std::move(d));
    }
  }
  if (failed) loaded.config = nullptr;
  return servers;
}

}  // namespace forebay::app
