#pragma once
// Messages of urja-gym/1 (bridge/PROTOCOL.md), without a socket.
#include <cstdint>
#include <cstring>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace urja::gym {

enum class Message : std::uint8_t {
  hello = 1,
  welcome = 2,
  make = 3,
  spec = 4,
  reset = 5,
  step = 6,
  step_many = 7,
  result = 8,
  snapshot = 9,
  restore = 10,
  branch = 11,
  drop = 12,
  render = 13,
  kpi = 14,
  mask = 15,
  state = 16,
  close = 17,
  ping = 18,
  pong = 19,
  error = 20,
  ok = 21,
  totals = 22,
  masks = 23,
  truth = 24,
  share = 25,
  shared = 26,
  bound = 27,
  bounds = 28,
  advice = 29,
  advised = 30
};

inline constexpr std::uint32_t magic = 0x474A5255;  // "URJG"
inline constexpr std::uint8_t major_version = 1, minor_version = 0;
inline constexpr std::uint8_t has_mask = 1, has_seeds = 2;

struct Header {
  std::uint32_t magic = gym::magic;
  std::uint8_t major = major_version, minor = minor_version, type = 0, flags = 0;
  std::uint64_t session = 0, seq = 0, schema = 0;
  std::uint32_t n = 0, t = 0, crc = 0, reserved = 0;
};
static_assert(sizeof(Header) == 48);

// What is wrong with a request; the reply says it.
struct Refusal {
  std::string code, text, field = "";
  std::int64_t index = -1;
  bool retryable = false;
};

// Bytes that begin at a multiple of 64; not cleared.
class Bytes {
 public:
  Bytes() = default;
  explicit Bytes(std::size_t size);
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  std::size_t size() const { return size_; }
  std::size_t capacity() const { return capacity_; }
  void shrink(std::size_t size) { size_ = size; }  // or back, up to the capacity

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0, capacity_ = 0;
};

// Arrays of a blob, one after the other at multiples of 64.
class Layout {
 public:
  // Where an array of `count` numbers begins.
  template <class Number> std::size_t add(std::size_t count) {
    const std::size_t at = (size_ + 63) / 64 * 64;
    size_ = at + count * sizeof(Number);
    return at;
  }
  std::size_t size() const { return size_; }

 private:
  std::size_t size_ = 0;
};
template <class Number> Number* array_at(Bytes& bytes, std::size_t at) { return reinterpret_cast<Number*>(bytes.data() + at); }

struct Request {
  Header header;
  std::span<const std::byte> meta, blob;
};
struct Reply {
  Header header;
  std::string meta;
  std::shared_ptr<const Bytes> blob;  // null: no bytes
};

// Frames into a request. Throws Refusal.
Request parse(std::span<const std::byte> header, std::span<const std::byte> meta, std::span<const std::byte> blob);
// As much of a header as there is, for the reply to a broken one.
Header header_of(std::span<const std::byte> frame);
// The map in a request's meta; an empty object where there are no bytes. Throws Refusal.
nlohmann::json meta_of(const Request& request);
std::string pack(const nlohmann::json& map);

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace urja::gym
