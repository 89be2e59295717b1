#include "bridge/gym/message.hpp"

#include <array>
#include <new>
#include <nlohmann/json.hpp>

namespace urja::gym {

namespace {
constexpr std::size_t alignment = 64;
constexpr std::size_t most_meta = 4096;  // bytes of a request's; the parser below recurses
}  // namespace

Bytes::Bytes(std::size_t size)
    : data_(static_cast<std::byte*>(::operator new (std::max<std::size_t>(size, 1), std::align_val_t{alignment}))),
      size_(size),
      capacity_(size) {
  std::memset(data_.get(), 0, size);  // what lies between arrays is nobody else's
}
void Bytes::Free::operator()(std::byte* p) const { ::operator delete (p, std::align_val_t{alignment}); }

Header header_of(std::span<const std::byte> frame) {
  Header h;
  if (frame.size() == sizeof h) std::memcpy(&h, frame.data(), sizeof h);
  return h;
}

Request parse(std::span<const std::byte> header, std::span<const std::byte> meta, std::span<const std::byte> blob) {
  if (header.size() != sizeof(Header)) throw Refusal{"HEADER", "the first frame has not 48 bytes", "header"};
  Request r{header_of(header), meta, blob};
  const Header& h = r.header;
  if (h.magic != magic) throw Refusal{"MAGIC", "the header does not begin with URJG", "magic"};
  if (h.major != major_version) throw Refusal{"VERSION", "this server speaks version 1", "major"};
  if (h.crc != 0 && h.crc != crc32c(blob, crc32c(meta)))
    throw Refusal{"CHECKSUM", "meta and blob are not what the checksum says", "crc"};
  if (meta.size() > most_meta) throw Refusal{"META", "meta has more than 4096 bytes", "meta"};
  return r;
}

nlohmann::json meta_of(const Request& request) {
  if (request.meta.empty()) return nlohmann::json::object();
  const auto* first = reinterpret_cast<const std::uint8_t*>(request.meta.data());
  nlohmann::json map = nlohmann::json::from_msgpack(first, first + request.meta.size(), true, false);
  if (!map.is_object()) throw Refusal{"META", "meta is no MessagePack map", "meta"};
  return map;
}

std::string pack(const nlohmann::json& map) {
  std::string bytes;
  nlohmann::json::to_msgpack(map, nlohmann::detail::output_adapter<char>(bytes));
  return bytes;
}

// CRC-32C [Castagnoli et al. 1993], reflected, as in iSCSI.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> t{};
    for (std::uint32_t k = 0; k < 256; ++k) {
      std::uint32_t c = k;
      for (int bit = 0; bit < 8; ++bit) c = (c & 1) ? (c >> 1) ^ 0x82F63B78u : c >> 1;
      t[k] = c;
    }
    return t;
  }();
  std::uint32_t crc = ~before;
  for (const std::byte b : bytes) crc = table[(crc ^ static_cast<std::uint32_t>(b)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

}  // namespace urja::gym
