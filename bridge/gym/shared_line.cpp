#include "bridge/gym/shared_line.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <immintrin.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace urja::gym {
namespace {

constexpr double longest_spin_s = 500e-6;  // beyond that a wake-up costs less than the core
constexpr double alone_s = 20e-6;          // before others are let in between two looks
constexpr double longest_sleep_s = 0.1;    // a wake-up that got lost costs no more than this

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// Between processes, so without FUTEX_PRIVATE_FLAG.
void sleep_while(std::atomic<std::uint32_t>& word, std::uint32_t value, double seconds) {
  const timespec time{static_cast<time_t>(seconds), static_cast<long>((seconds - std::floor(seconds)) * 1e9)};
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAIT, value, &time, nullptr, 0);
}
void wake(std::atomic<std::uint32_t>& word) {
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word), FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

std::size_t to_pages(std::size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

}  // namespace

SharedLine::SharedLine(std::size_t request_bytes, std::size_t reply_bytes, Work work)
    : request_bytes_(to_pages(std::max<std::size_t>(request_bytes, 1))),
      reply_bytes_(to_pages(std::max<std::size_t>(reply_bytes, 4096))),
      work_(std::move(work)) {
  reply_at_ = request_at + request_bytes_;
  bytes_ = reply_at_ + 2 * reply_bytes_;
  file_ = memfd_create("urja-gym", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  void* memory = MAP_FAILED;
  if (file_ >= 0 && ftruncate(file_, static_cast<off_t>(bytes_)) == 0 &&
      fcntl(file_, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
  if (memory == MAP_FAILED) {
    if (file_ >= 0) close(file_);
    throw std::runtime_error(fmt::format("no shared memory: {}", std::strerror(errno)));
  }
  memory_ = static_cast<std::byte*>(memory);
  control_ = new (memory_) Control{};
  thread_ = std::thread([this] { run(); });
}

SharedLine::~SharedLine() {
  stop_ = true;
  control_->over = 1;
  wake(control_->request);
  wake(control_->reply);
  thread_.join();
  munmap(memory_, bytes_);
  close(file_);
}

std::string SharedLine::path() const { return fmt::format("/proc/{}/fd/{}", getpid(), file_); }

bool SharedLine::wait_for_request(std::uint32_t seen) {
  const double begin = now_s(), spin_until = begin + std::clamp(2 * pause_s_, 20e-6, longest_spin_s);
  const auto come = [&] { return control_->request.load(std::memory_order_acquire) != seen; };
  const auto took = [&] { pause_s_ = 0.7 * pause_s_ + 0.3 * std::min(now_s() - begin, 10 * longest_spin_s); };
  while (!stop_) {
    for (int k = 0; k < 64; ++k) {
      if (come()) return took(), true;
      _mm_pause();
    }
    const double now = now_s();
    if (now > spin_until) break;
    if (now > begin + alone_s) sched_yield();  // the client may be waiting for this core
  }
  double sleep = 0.001;
  while (!stop_) {
    control_->server_sleeps.store(1, std::memory_order_seq_cst);
    if (!come()) sleep_while(control_->request, seen, sleep);
    control_->server_sleeps.store(0, std::memory_order_relaxed);
    if (come()) return took(), true;
    sleep = std::min(2 * sleep, longest_sleep_s);
  }
  return false;
}

void SharedLine::run() {
  std::uint32_t seen = 0;
  while (wait_for_request(seen)) {
    seen = control_->request.load(std::memory_order_acquire);
    const Answer a =
        work_(control_->type, control_->t, memory_ + request_at, {memory_ + reply_at(static_cast<int>(seen % 2)), reply_bytes_});
    control_->reply_type = a.type, control_->reply_t = a.t, control_->reply_size = a.size;
    control_->reply.store(seen, std::memory_order_seq_cst);
    if (control_->client_sleeps.load(std::memory_order_seq_cst) != 0) wake(control_->reply);
  }
}

}  // namespace urja::gym
