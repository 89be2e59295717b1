#include "scenarios/gunzip.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

namespace urja {
namespace {

// A table of numbers shrinks to a tenth, one of constants to a hundredth; what unpacks to more than this is made to fill memory.
constexpr std::uint64_t harmless_bytes = 64 << 20, most_times = 300;

}  // namespace

struct Gunzip::Unpacker {
  z_stream stream{};
  unsigned char packed[1 << 16];
  std::uint64_t taken = 0, given = 0;  // bytes
  bool input_ended = false, member_ended = false;
  Unpacker() { inflateInit2(&stream, 15 + 16); }  // gzip only
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker() { inflateEnd(&stream); }
};

Gunzip::Gunzip(int descriptor) : descriptor_(descriptor) {}
Gunzip::~Gunzip() = default;

std::ptrdiff_t Gunzip::fail(std::string wrong, std::string mend) {
  wrong_ = std::move(wrong);
  mend_ = std::move(mend);
  return -1;
}

std::ptrdiff_t Gunzip::raw(char* to, std::size_t room) {
  for (;;) {
    const ssize_t got = ::read(descriptor_, to, room);
    if (got >= 0) return got;
    if (errno != EINTR) return fail(fmt::format("the file cannot be read: {}", std::generic_category().message(errno)), "");
  }
}

std::ptrdiff_t Gunzip::read(char* to, std::size_t room) {
  if (!looked_) {  // the first two bytes tell
    looked_ = true;
    std::size_t held = 0;
    while (held < 2) {
      const std::ptrdiff_t got = raw(to + held, std::min(room, sizeof Unpacker::packed) - held);
      if (got < 0) return got;
      if (got == 0) break;
      held += static_cast<std::size_t>(got);
    }
    if (held < 2 || std::memcmp(to, "\x1f\x8b", 2) != 0) return static_cast<std::ptrdiff_t>(held);
    unpacker_ = std::make_unique<Unpacker>();
    std::memcpy(unpacker_->packed, to, held);
    unpacker_->stream.next_in = unpacker_->packed;
    unpacker_->stream.avail_in = static_cast<unsigned>(held);
    unpacker_->taken = held;
  }
  if (!unpacker_) return raw(to, room);

  Unpacker& u = *unpacker_;
  z_stream& z = u.stream;
  z.next_out = reinterpret_cast<unsigned char*>(to);
  z.avail_out = static_cast<unsigned>(std::min<std::size_t>(room, 1 << 30));
  const unsigned all = z.avail_out;
  while (z.avail_out == all) {
    if (z.avail_in == 0 && !u.input_ended) {
      const std::ptrdiff_t got = raw(reinterpret_cast<char*>(u.packed), sizeof u.packed);
      if (got < 0) return got;
      u.input_ended = got == 0;
      u.taken += static_cast<std::uint64_t>(got);
      z.next_in = u.packed;
      z.avail_in = static_cast<unsigned>(got);
    }
    if (u.member_ended) {  // files joined behind each other are one; what else follows is padding
      if (z.avail_in == 0 || *z.next_in != 0x1f) return 0;
      inflateReset(&z);
      u.member_ended = false;
    }
    if (z.avail_in == 0 && u.input_ended) return fail("the packed file is cut off: it ends within its data", "get it again");
    const int result = inflate(&z, Z_NO_FLUSH);
    if (result == Z_STREAM_END) u.member_ended = true;
    else if (result == Z_MEM_ERROR) return fail("there is no memory to unpack it", "");
    else if (result != Z_OK && result != Z_BUF_ERROR)
      return fail(fmt::format("the packed file is damaged{}", z.msg ? fmt::format(" ({})", z.msg) : ""),
                  "get it again, or pack it with gzip");
  }
  u.given += all - z.avail_out;
  if (u.given > harmless_bytes && u.given > most_times * u.taken)
    return fail(fmt::format("the packed file unpacks to more than {} times its size", most_times),
                "this is no table of measurements; if it is, unpack it with gunzip");
  return all - z.avail_out;
}

}  // namespace urja
