#include "scenarios/gym/environment.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <mutex>
#include <stdexcept>

#include "engine/parallel.hpp"
#include "scenarios/gym/shard.hpp"

namespace urja {
namespace {

// What a shard may take of a core's own cache (1 MB and more on machines of today), with its meter, sums and observations beside it.
constexpr std::size_t shard_bytes = std::size_t{384} << 10;
constexpr int least_lanes = 4 * width;  // below, what a call costs beside the lanes would show

// Lanes of a shard: as many as its cache holds, and no fewer shards than threads.
int shard_size(const std::shared_ptr<const Plan>& plan, const VectorEnvironment::Options& o) {
  const auto whole_blocks = [](int lanes) { return (lanes + width - 1) / width * width; };
  if (o.one_piece || o.lanes <= least_lanes) return o.lanes;
  const std::size_t of_one = Batch(plan, 1).snapshot_size() * sizeof(double);
  const int fit = whole_blocks(static_cast<int>(std::min<std::size_t>(shard_bytes / of_one, 65536)));
  return std::min(std::max(fit, width), std::max(least_lanes, whole_blocks((o.lanes + o.threads - 1) / o.threads)));
}

}  // namespace

VectorEnvironment::VectorEnvironment(const Scenario& scenario, const Options& options)
    : spec_(scenario.gym),
      g_(*spec_),
      options_(options),
      layout_(std::make_unique<const Layout>(scenario, options)),
      shard_lanes_(shard_size(scenario.plan, options)) {
  for (int first = 0; first < options.lanes; first += shard_lanes_)
    shards_.push_back(std::make_unique<Shard>(*layout_, first, std::min(shard_lanes_, options.lanes - first)));
}

VectorEnvironment::~VectorEnvironment() = default;

const Plan& VectorEnvironment::plan() const { return *layout_->plan; }
const std::vector<Quantity>& VectorEnvironment::state_map() const { return layout_->state; }
VectorEnvironment::Shard& VectorEnvironment::shard_of(int lane) const {
  return *shards_[static_cast<std::size_t>(lane / shard_lanes_)];
}
VectorEnvironment::Place VectorEnvironment::place(int lane) const { return {shard_of(lane).batch(), lane % shard_lanes_}; }

// Shards share nothing that moves: whoever is free takes the next. What goes wrong in one is told when all are done.
template <class Work> void VectorEnvironment::each_shard(Work&& work) {
  const int count = static_cast<int>(shards_.size()), threads = std::min(options_.threads, count);
  if (threads <= 1) {
    for (auto& s : shards_) work(*s);
    return;
  }
  std::exception_ptr wrong;
  std::mutex one_at_a_time;
  in_parallel(count, threads, 1, [&](int k, int) {
    try {
      work(*shards_[static_cast<std::size_t>(k)]);
    } catch (...) {
      const std::lock_guard<std::mutex> guard(one_at_a_time);
      wrong = std::current_exception();
    }
  });
  if (wrong) std::rethrow_exception(wrong);
}

// Where a shard writes: its own lanes of the arrays.
VectorEnvironment::Result VectorEnvironment::part(const Result& all, const Shard& shard) const {
  const auto first = static_cast<std::size_t>(shard.first());
  Result r = all;
  r.observations += first * g_.observations.size();
  r.reward += first, r.terminated += first, r.truncated += first, r.columns += first, r.draws += first;
  return r;
}

void VectorEnvironment::reset(std::span<const std::uint64_t> seeds, std::span<const std::uint8_t> mask, Result& result) {
  const auto n = static_cast<std::size_t>(lanes());
  each_shard([&](Shard& s) {
    const auto of = [&](auto all) {
      return all.empty() ? all : all.subspan(static_cast<std::size_t>(s.first()), static_cast<std::size_t>(s.lanes()));
    };
    s.reset(of(seeds), of(mask), part(result, s), n);
  });
  began_ = true;
  result.ended = 0;
}

void VectorEnvironment::observe(Result& result) {
  each_shard([&](Shard& s) { s.observe(part(result, s), static_cast<std::size_t>(lanes())); });
  result.ended = 0;
}

void VectorEnvironment::step(std::span<const float> actions, int steps, Result& result) {
  const std::size_t n = static_cast<std::size_t>(lanes()), count = g_.actions.size(), wide = g_.observations.size();
  each_shard([&](Shard& s) {
    const float* own = actions.empty() ? nullptr : actions.data() + static_cast<std::size_t>(s.first()) * count;
    s.step(own, n * count, steps, part(result, s), n);
  });
  // Results are written and never read back: they may lie where a client can write.
  result.ended = 0;
  if (options_.autoreset != Autoreset::same_step) return;
  for (const auto& s : shards_) {
    const auto ended = s->ended();
    for (std::size_t k = 0; k < ended.size(); ++k)
      result.final_index[result.ended + k] = ended[k] + static_cast<std::uint32_t>(s->first());
    std::copy_n(s->final_observations(), ended.size() * wide, result.final_observations + result.ended * wide);
    result.ended += static_cast<std::uint32_t>(ended.size());
  }
}

std::optional<VectorEnvironment::BadAction> VectorEnvironment::bad_action(std::span<const float> actions) const {
  const std::size_t count = g_.actions.size();
  for (std::size_t k = 0; k < actions.size(); ++k) {
    const float value = actions[k];
    if (!std::isfinite(value)) return BadAction{k, false};
    const auto& a = g_.actions[k % count];
    if (!a.values.empty()) {
      if (value < 0 || value >= static_cast<float>(a.values.size()) || value != std::floor(value)) return BadAction{k, true};
      continue;
    }
    // A policy's last bits may lie beyond a bound; what is more is its mistake.
    const double low = g_.normalised_actions ? -1 : a.low, high = g_.normalised_actions ? 1 : a.high, room = 1e-5 * (high - low);
    if (value < low - room || value > high + room) return BadAction{k, true};
  }
  return std::nullopt;
}

int VectorEnvironment::over() const {
  for (const auto& s : shards_) {
    if (const int lane = s->over(); lane >= 0) return s->first() + lane;
  }
  return -1;
}

int VectorEnvironment::choices() const {
  std::size_t all = 0;
  for (const auto& a : g_.actions) all += a.values.size();
  return static_cast<int>(all);
}

void VectorEnvironment::masks(std::span<float> low, std::span<float> high, std::span<std::uint8_t> allowed) {
  const std::size_t count = g_.actions.size(), wide = static_cast<std::size_t>(choices());
  each_shard([&](Shard& s) {
    const auto first = static_cast<std::size_t>(s.first());
    s.masks(low.data() + first * count, high.data() + first * count, allowed.data() + first * wide);
  });
}

void VectorEnvironment::state(std::span<double> values) const {
  for (const auto& s : shards_) s->state(values.data() + static_cast<std::size_t>(s->first()) * layout_->state.size());
}

void VectorEnvironment::totals(std::span<double> running, std::span<double> last, std::span<std::uint32_t> length) const {
  for (const auto& s : shards_)
    s->totals(running.data() + s->first(), last.data() + s->first(), length.data() + s->first(),
              static_cast<std::size_t>(lanes()));
}

void VectorEnvironment::set_policy(std::unique_ptr<GymPolicy> policy) {
  if (shards_.size() != 1) throw std::logic_error("a policy of the server sees all lanes in one piece");
  shards_.front()->set_policy(std::move(policy));
}

void VectorEnvironment::set_advisor(const std::function<std::unique_ptr<GymPolicy>(int lanes)>& make) {
  for (auto& s : shards_) s->set_advisor(make(s->lanes()));
}

void VectorEnvironment::advice(std::span<float> actions) {
  each_shard([&](Shard& s) { s.advise(actions.data() + static_cast<std::size_t>(s.first()) * g_.actions.size()); });
}

std::optional<std::int64_t> VectorEnvironment::begins_at(int lane) const {
  const auto first = shard_of(lane).fresh(lane % shard_lanes_);
  if (!began_ || !first) return std::nullopt;
  return *first / g_.per_interval;
}

struct VectorEnvironment::Snapshot {
  std::vector<std::shared_ptr<const Shard::Snapshot>> shards;
};

std::size_t VectorEnvironment::snapshot_bytes() const {
  std::size_t all = 0;
  for (const auto& s : shards_) all += s->snapshot_bytes();
  return all;
}

std::shared_ptr<const VectorEnvironment::Snapshot> VectorEnvironment::snapshot() const {
  auto all = std::make_shared<Snapshot>();
  for (const auto& s : shards_) all->shards.push_back(s->snapshot());
  return all;
}

void VectorEnvironment::restore(const Snapshot& snapshot, std::span<const std::uint8_t> mask) {
  for (std::size_t k = 0; k < shards_.size(); ++k) {
    Shard& s = *shards_[k];
    s.restore(*snapshot.shards[k],
              mask.empty() ? mask : mask.subspan(static_cast<std::size_t>(s.first()), static_cast<std::size_t>(s.lanes())));
  }
}

void VectorEnvironment::branch(int from, int to) { shard_of(to).become(to % shard_lanes_, shard_of(from), from % shard_lanes_); }

}  // namespace urja
