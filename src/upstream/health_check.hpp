#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "forebay/net/deadlines.hpp"
#include "forebay/net/source.hpp"
#include "forebay/net/worker.hpp"
#include "forebay/upstream/origin.hpp"
#include "upstream/shared_origin.hpp"
#include "upstream/signer.hpp"

namespace forebay::upstream {

/// Checks one url actively (`origins.NAME.health`), on one worker's loop: each worker looks, and the one that takes the
/// turn asks. Each check has a connection of its own, and none of it is stored or counted as a request. Used only by
/// its worker.
class HealthCheck final : private net::Sink {
 public:
  /// Begins at once. `signer`: of the origin; null: requests are not signed. It outlives this.
  HealthCheck(net::Worker& worker, std::shared_ptr<SharedOrigin> url, Signer* signer);
  HealthCheck(const HealthCheck&) = delete;
  ~HealthCheck();

 private:
  void look();
  void ask();
  void ended(Health::Check result, std::string_view why);
  void wait(Timestamp until);
  void broken() noexcept;
  void give_turn() noexcept;
  std::string compose(std::string& target, http::Fields& fields) const;
  void on_head(const http::ResponseView& head, const HeadFacts& facts) override;
  bool on_data(std::string_view) override { return true; }
  void on_end(const http::Fields&) override {}
  void on_failure(FetchError error, std::string_view detail) override;

  net::Worker& worker_;
  const std::shared_ptr<SharedOrigin> url_;
  Signer* const signer_;
  std::unique_ptr<Origin> target_;
  net::SourcePtr source_;
  bool asking_ = false;  // it has the turn
  net::Deadline timer_{[this] { look(); }};
};

}  // namespace forebay::upstream
