// The gym in process: what a step of an environment costs beside the engine's, without any transport. `python -m urja_gym.bench` measures
// the rest of the way to a learner.
#include "bridge/bench.hpp"
#include "scenarios/gym/environment.hpp"
#include "scenarios/parameter_sets.hpp"

namespace urja {
namespace {

// An environment with memory for its results and actions drawn beforehand.
class Runner {
 public:
  Runner(const std::string& scenario, int lanes, int threads = 1, std::vector<std::string> set = {})
      : scenario_(load(scenario, std::move(set))),
        env_(scenario_, {lanes, VectorEnvironment::Autoreset::next_step, GymSpecification::train, threads, true}) {
    const auto n = static_cast<std::size_t>(lanes), wide = static_cast<std::size_t>(env_.observations());
    observations_.resize(n * wide), reward_.resize(n), terminated_.resize(n), truncated_.resize(n);
    columns_.resize(n * static_cast<std::size_t>(env_.columns())), draws_.resize(n * static_cast<std::size_t>(env_.draws()));
    result_ = {observations_.data(),
               reward_.data(),
               terminated_.data(),
               truncated_.data(),
               columns_.data(),
               draws_.data(),
               nullptr,
               nullptr};
    const std::size_t count = n * static_cast<std::size_t>(env_.actions());
    std::uint32_t state = 1;
    for (auto& actions : actions_) {
      actions.resize(count);
      for (float& a : actions) {
        state = state * 1664525u + 1013904223u;
        a = static_cast<float>(state >> 8) / 8388608.0f - 1;
      }
    }
    env_.reset({}, {}, result_);
  }
  // So many steps; episodes end and begin as they do.
  void run(int steps) {
    for (int k = 0; k < steps; ++k) env_.step(actions_[static_cast<std::size_t>(k) % std::size(actions_)], 1, result_);
  }
  void reset_all() { env_.reset({}, {}, result_); }
  void reset_some(int share) {
    mask_.assign(reward_.size(), 0);
    for (std::size_t k = turn_++ % static_cast<std::size_t>(share); k < mask_.size(); k += static_cast<std::size_t>(share))
      mask_[k] = 1;
    env_.reset({}, mask_, result_);
  }
  VectorEnvironment& env() { return env_; }

 private:
  static Scenario load(const std::string& scenario, std::vector<std::string> set) {
    LoadOptions options;
    options.set = std::move(set);
    options.gym = LoadOptions::Gym::agent;
    return load_scenario(data_folder("scenarios") + "/bench/" + scenario + ".yaml", options);
  }
  Scenario scenario_;
  VectorEnvironment env_;
  VectorEnvironment::Result result_{};
  std::vector<float> observations_, actions_[16];
  std::vector<double> reward_, columns_, draws_;
  std::vector<std::uint8_t> terminated_, truncated_, mask_;
  std::size_t turn_ = 0;
};

// Environment steps per second.
double speed(Runner& r, int steps, Clock clock = Clock::thread) {
  r.run(3);
  return steps * static_cast<double>(r.env().lanes()) /
         best_of(
             5, [&] { r.run(steps); }, clock);
}

void reference(Bench& bench) {
  struct Line {
    const char* name;
    int lanes, threads, steps;
    double limit;
    const char* against;
    std::vector<std::string> set;
  };
  const Line lines[] = {{"gym_one_lane", 1, 1, 20000, 0.25, "0.25 from Python over shm", {}},
                        {"gym_one_lane_15", 1, 1, 4000, 0.05, "no promise", {"gym.physics_step=1 min"}},
                        {"gym_1024", 1024, 1, 200, 3, "3 over ipc", {}},
                        {"gym_1024_2_threads", 1024, 2, 200, 3, "3 over ipc", {}},
                        {"gym_1024_15", 1024, 1, 20, 0.5, "no promise", {"gym.physics_step=1 min"}},
                        {"gym_16384_1_thread", 16384, 1, 12, 5, "half of two threads", {}},
                        {"gym_16384_2_threads", 16384, 2, 12, 10, "10 over shm", {}}};
  for (const Line& l : lines) {
    Runner r("gym_reference", l.lanes, l.threads, l.set);
    const double v = speed(r, l.steps, l.threads > 1 ? Clock::wall : Clock::thread);
    bench.add({l.name, "M env-steps/s", v * 1e-6, l.limit, true, l.against,
               fmt::format("N {}, {} thread{}, {} physics step{}, 40 observations: {:.0f} ns", l.lanes, l.threads,
                           l.threads > 1 ? "s" : "", r.env().specification().per_interval,
                           r.env().specification().per_interval > 1 ? "s" : "", 1e9 / v)});
  }
}

void chargers(Bench& bench) {
  for (const auto& [file, name, limit] :
       {std::tuple{"gym_chargers", "gym_chargers_54", 0.5}, {"gym_chargers_6", "gym_chargers_6", 8.0}}) {
    Runner r(file, 1024);
    const double v = speed(r, 20);
    bench.add({name, "M env-steps/s", v * 1e-6, limit, true, "promised over shm",
               fmt::format("N 1024, 1 thread, {} actions, {} observations: {:.0f} ns", r.env().actions(), r.env().observations(),
                           1e9 / v)});
  }
}

void resets(Bench& bench) {
  Runner r("gym_reference", 1024);
  const double all = best_of(20, [&] { r.reset_all(); }) / 1024 * 1e9;
  bench.add({"gym_reset", "ns", all, 300, false, "300 ns a lane", "N 1024, with the first observation"});
  Runner slow("gym_reference", 1024, 1, {"gym.physics_step=1 min"});
  const double without = best_of(5, [&] { slow.run(20); });
  const double with = best_of(5, [&] {
    for (int k = 0; k < 20; ++k) slow.run(1), slow.reset_some(100);
  });
  bench.add({"gym_masked_resets", "of the speed without", without / with, 0.95, true, "0.95",
             "N 1024, 1 % of the lanes in each step, 15 physics steps"});
}

void noise(Bench& bench) {
  Runner plain("gym_reference", 1024, 1, {"gym.physics_step=1 min"}), noisy("gym_noisy", 1024);
  const double without = speed(plain, 20), with = speed(noisy, 20);
  bench.add({"gym_noise", "of the speed without", with / without, 0.8, true, "0.8",
             "N 1024, noise and faults on all 40 observations, 15 physics steps"});
}

}  // namespace

std::vector<BenchCase> gym_cases() {
  return {{"gym_reference", reference}, {"gym_chargers", chargers}, {"gym_resets", resets}, {"gym_noise", noise}};
}

}  // namespace urja
