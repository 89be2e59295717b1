#pragma once
// The way through shared memory for a client on the same host: steps only, everything else goes over the socket.
//
//   one segment without a name (memfd, opened by the client as /proc/PID/fd/N), so a crash of either side leaves nothing behind:
//
//   | control: 5 lines of 64 bytes | .. | request: actions | reply 0 | reply 1 |
//
//   client: writes actions, then `request` += 1; wakes the server where `server_sleeps`
//   server: reads a new `request`, steps, writes reply number % 2, then `reply` = request; wakes the client where `client_sleeps`
//
// Both spin for about as long as they waited last, then sleep (futex). What the client writes is copied before it is looked at: it may
// change at any time. The segment is sealed against shrinking.
#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <thread>

namespace urja::gym {

class SharedLine {
 public:
  struct Control {
    alignas(64) std::atomic<std::uint32_t> request;
    std::uint32_t type, t;
    alignas(64) std::atomic<std::uint32_t> server_sleeps;
    alignas(64) std::atomic<std::uint32_t> reply;
    std::uint32_t reply_type, reply_t, reply_size;
    alignas(64) std::atomic<std::uint32_t> client_sleeps;
    alignas(64) std::atomic<std::uint32_t> over;
  };
  // What a request becomes: type and t as the client wrote them, the bytes of the request area, where the reply goes.
  struct Answer {
    std::uint32_t type, t, size;
  };
  using Work = std::function<Answer(std::uint32_t type, std::uint32_t t, const std::byte* request, std::span<std::byte> reply)>;

  // Throws std::runtime_error where the system gives no memory.
  SharedLine(std::size_t request_bytes, std::size_t reply_bytes, Work work);
  ~SharedLine();
  SharedLine(const SharedLine&) = delete;
  SharedLine& operator=(const SharedLine&) = delete;

  std::string path() const;
  std::size_t bytes() const { return bytes_; }
  static constexpr std::size_t request_at = 4096;
  std::size_t request_bytes() const { return request_bytes_; }
  std::size_t reply_at(int k) const { return reply_at_ + static_cast<std::size_t>(k) * reply_bytes_; }
  std::size_t reply_bytes() const { return reply_bytes_; }

 private:
  void run();
  bool wait_for_request(std::uint32_t seen);

  int file_ = -1;
  std::byte* memory_ = nullptr;
  Control* control_ = nullptr;
  std::size_t bytes_, request_bytes_, reply_bytes_, reply_at_;
  Work work_;
  double pause_s_ = 20e-6;  // between a reply and the next request, lately
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace urja::gym
