#pragma once
// Policies: planners that act between steps.
//
//   every control interval, for each lane:   what is measured -> a plan -> set-points -> Batch::write -> the steps until the next one
//
// They read what controllers read (Plan::measured: sensors, links) and write what an agent may write, through the same door, so that an
// agent, a policy and a controller model can be compared on one plant. What they know of the future is said by each policy; it comes from
// the engine (series.hpp). All of them plan the mean of an interval and know the present one; a plant that varies within it does the
// rest by its merit list.
//
// Set-points: the grid's planned power or the batteries' (plant_door.hpp says which), run and loading of gensets, pilots of chargers. While the
// grid is not there, batteries are under no command: they hold the bus. PV is curtailed and loads are shed by the merit list alone.
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/batch.hpp"
#include "scenarios/planning/plant_problem.hpp"
#include "scenarios/planning/policy_options.hpp"

namespace urja {

class Policy {
 public:
  virtual ~Policy() = default;
  // What it writes, for Batch::write.
  virtual const std::vector<Quantity>& writes() const = 0;
  // Set-points for the interval that begins, [lanes x writes().size()] row by row; NaN: no command.
  virtual void act(const Batch& batch, std::span<double> actions) = 0;
  // Whether what it does depends on what it did before, so that a run cannot go on from a checkpoint.
  virtual bool remembers() const { return false; }
};

// Where a policy serves episodes and no run: what it may not look beyond, and what things cost there.
struct PolicyEpisodes {
  std::vector<int> first, end;  // per lane: intervals of the plan [first, end) of its episode; kept by the caller
  std::function<void(DispatchProblem& problem)> reprice;  // after a problem is made
  bool knows_all = false;                                 // what will come within the episode, vehicles too
};

// Of a policy's name, and `hold` (batteries at 0 W). Throws std::invalid_argument: what it cannot describe or cannot do.
// With `episodes`, which must outlive it, perfect_foresight is a plan to the episode's end that knows all of it, made anew in every interval.
std::unique_ptr<Policy> make_policy(const PolicyOptions& options, const std::shared_ptr<const Plan>& plan,
                                    const PolicyEpisodes* episodes = nullptr);

}  // namespace urja
