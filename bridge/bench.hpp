#pragma once
// What the files of `urja bench` share.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <utility>
#include <vector>

namespace urja {

// Best time of `repeats` runs [s], on the thread's own clock: what other programs of a shared machine use does not count.
enum class Clock { thread, wall };
template <class Work> double best_of(int repeats, Work&& work, Clock clock = Clock::thread) {
  const auto now = [&] {
    timespec t{};
    clock_gettime(clock == Clock::thread ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  };
  double best = 1e300;
  for (int r = 0; r < repeats; ++r) {
    const double begin = now();
    work();
    best = std::min(best, now() - begin);
  }
  return best;
}

struct Case {
  std::string name, unit;
  double value;
  double limit;
  bool more_is_better;
  std::string against;  // what the limit is
  std::string detail;   // lanes, threads, hash
};

class Bench {
 public:
  Bench(std::vector<std::string> wanted, bool quiet) : wanted_(std::move(wanted)), quiet_(quiet) {}

  bool wants(const std::string& name) const {
    return wanted_.empty() ||
           std::any_of(wanted_.begin(), wanted_.end(), [&](const std::string& w) { return name.find(w) != std::string::npos; });
  }
  void add(Case c) {
    if (!quiet_) {
      const double ratio = c.more_is_better ? c.value / c.limit : c.limit / c.value;
      fmt::print("{:<34} {:>12.4g} {:<14} {:>6.2f} x {:<28} {}\n", c.name, c.value, c.unit, ratio, c.against, c.detail);
      std::fflush(stdout);
    }
    cases_.push_back(std::move(c));
  }
  nlohmann::json result(double copy_bandwidth) const;

 private:
  std::vector<std::string> wanted_;
  bool quiet_;
  std::vector<Case> cases_;
};

using BenchCase = std::pair<const char*, void (*)(Bench&)>;
// Of the gym, in process: bench_gym.cpp.
std::vector<BenchCase> gym_cases();

}  // namespace urja
