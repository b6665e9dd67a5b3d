#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "forebay/net/deadlines.hpp"
#include "forebay/net/source.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/upstream/origin.hpp"
#include "upstream/credentials.hpp"

namespace forebay::upstream {

/// Renews the credentials of an origin in time, on one worker's loop: each worker looks, and the one that takes the
/// turn asks. No request waits for it. Used only by its worker.
class CredentialsRenewal final : private net::Sink {
 public:
  /// Starts at once. `name`: of the origin.
  CredentialsRenewal(net::Worker& worker, std::shared_ptr<Credentials> credentials, const std::string& name);
  CredentialsRenewal(const CredentialsRenewal&) = delete;
  ~CredentialsRenewal();

 private:
  void look();
  void ask();
  void wait();
  void settle();
  void broken() noexcept;
  void on_head(const http::ResponseView& head, const HeadFacts& facts) override;
  bool on_data(std::string_view bytes) override;
  void on_end(const http::Fields& trailers) override;
  void on_failure(FetchError error, std::string_view detail) override;

  net::Worker& worker_;
  const std::shared_ptr<Credentials> credentials_;
  const std::string name_;
  std::unique_ptr<Origin> endpoint_;
  std::shared_ptr<Credentials::Turn> turn_;
  net::SourcePtr source_;
  int status_ = 0;
  std::string answer_;
  net::Deadline timer_{[this] { look(); }};
};

}  // namespace forebay::upstream
