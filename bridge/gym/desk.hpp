#pragma once
// The gym's desk: requests in, replies out, sessions and their environments between. No socket and no clock of its own, so tests and the
// fuzzer talk to it directly.
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "bridge/gym/message.hpp"
#include "scenarios/gym/environment.hpp"
#include "scenarios/scenario.hpp"

namespace urja::gym {

struct Limits {
  std::int64_t sessions = 4096;
  std::int64_t envs = 1 << 20;                  // of a session
  std::int64_t bytes = std::int64_t{1} << 30;   // of a message
  std::int64_t memory = std::int64_t{8} << 30;  // of all environments and snapshots
  std::int64_t snapshots = 256;                 // of a session
  std::int64_t steps_per_request = 1 << 26;     // lanes times steps
  int threads = 64;                             // of a session
  double lease_s = 60;
  bool shares = true;  // memory with clients on the same host
};

nlohmann::json to_meta(const Refusal& why);  // of an ERROR

class Session;

class Desk {
 public:
  // `load`: the scenario, with an agent or with its own controller in charge; called once for each.
  Desk(std::function<Scenario(LoadOptions::Gym)> load, const Limits& limits, std::string version);
  ~Desk();

  // The reply to a message of three frames, at `now` [s]. Never throws; what is wrong is in the reply.
  Reply answer(std::span<const std::byte> header, std::span<const std::byte> meta, std::span<const std::byte> blob, double now);
  // Ends sessions whose lease is over; returns how many.
  int expire(double now);

  std::size_t sessions() const { return sessions_.size(); }
  std::int64_t memory() const { return memory_; }

 private:
  friend class Session;
  Reply answer(const Request& request, double now);
  const Scenario& scenario(LoadOptions::Gym gym);
  Reply welcome(const Request& request, double now);

  std::function<Scenario(LoadOptions::Gym)> load_;
  Limits limits_;
  std::string version_;
  std::map<LoadOptions::Gym, Scenario> scenarios_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Session>> sessions_;
  std::int64_t memory_ = 0;
};

}  // namespace urja::gym
