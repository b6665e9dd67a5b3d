#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "forebay/base/bytes.hpp"
#include "forebay/content/encoder.hpp"

namespace forebay::cache {

/// How many compressed bodies there are, and what they take; of a whole process.
class EncodedNumbers final : public RefCounted {
 public:
  std::uint64_t bodies() const noexcept { return bodies_.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

 private:
  friend class EncodedBody;
  std::atomic<std::uint64_t> bodies_{0}, bytes_{0};
};

/// The compressed form of a body. Immutable once it is published; charged until its last reader releases it.
class EncodedBody final : public RefCounted {
 public:
  /// `chunks`: uncharged.
  explicit EncodedBody(std::vector<Ref<const Chunk>> chunks);

  std::span<const std::string_view> pieces() const noexcept { return pieces_; }
  std::uint64_t length() const noexcept { return length_; }
  /// Its memory, chunks included.
  std::size_t cost() const noexcept { return cost_; }
  /// Before it is published: `charge` covers `cost()`.
  void take_charge(Charge charge, Ref<EncodedNumbers> numbers) noexcept;

 private:
  ~EncodedBody() override;
  void on_leave() const noexcept override { charge_.pin(); }
  std::vector<Ref<const Chunk>> chunks_;
  std::vector<std::string_view> pieces_;
  std::uint64_t length_ = 0;
  std::size_t cost_ = 0;
  Ref<EncodedNumbers> numbers_;
  Charge charge_;
};

/// The compressed forms of one stored body, each made when a request first asks for it. A 304 freshens the head and
/// keeps the body, so the entries before and after it share this. Thread-safe, without a lock.
class Encodings final : public RefCounted {
 public:
  enum class State : std::uint8_t {
    None,     ///< Nobody has asked for it, or it was put off.
    Making,   ///< Somebody makes it.
    Made,     ///< `find` gives it.
    Refused,  ///< It would not be smaller, or there was no memory: it is not tried again.
  };

  static std::size_t cost() noexcept { return allocated_size(sizeof(Encodings)); }
  /// `charge` covers `cost()`.
  explicit Encodings(Charge charge) : charge_(std::move(charge)) {}
  /// The last entry with this body has gone: forms that are still read leave.
  ~Encodings() override;

  State state(content::Compression coding) const noexcept { return at(coding).load(std::memory_order_acquire); }
  /// Null unless it is made. Lives as long as this object.
  const EncodedBody* find(content::Compression coding) const noexcept {
    return state(coding) == State::Made ? bodies_[index(coding)].get() : nullptr;
  }
  /// From None to Making: true for one caller, who must then call `publish`, `refuse` or `put_off`.
  bool begin(content::Compression coding) noexcept;
  void publish(content::Compression coding, Ref<const EncodedBody> body) noexcept;
  void refuse(content::Compression coding) noexcept { at(coding).store(State::Refused, std::memory_order_release); }
  void put_off(content::Compression coding) noexcept { at(coding).store(State::None, std::memory_order_release); }
  /// The memory of all of them.
  std::size_t charged() const noexcept { return bytes_.load(std::memory_order_relaxed) + charge_.bytes(); }

 private:
  static constexpr std::size_t index(content::Compression coding) noexcept { return static_cast<std::size_t>(coding); }
  std::atomic<State>& at(content::Compression coding) noexcept { return states_[index(coding)]; }
  const std::atomic<State>& at(content::Compression coding) const noexcept { return states_[index(coding)]; }

  std::array<std::atomic<State>, content::kCompressions> states_{};
  std::array<Ref<const EncodedBody>, content::kCompressions> bodies_;  // written while Making, read once Made
  std::atomic<std::size_t> bytes_{0};
  Charge charge_;
};

}  // namespace forebay::cache
