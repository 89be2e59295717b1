#pragma once
// When a fault is there, how long, and how it comes.
//
//   at, every     a time, and again after each period      rate   at random: faults per time, growing with age or temperature
//   after, delay  behind another fault                     for    how long, or how long on average (`length: random`)
//
//   level   1 |      ______            ramp: linear over `rise`          intermittent: on for `on_time`, off for `off_time`
//             |     /      |           exponential: 1 - exp(-t/rise)
//           0 |____/       |_____      `active` (the label) is 1 from the first to the last step of it, whatever the level
//               begins     ends     `severity` is the height of the plateau: 0 is as if the fault were not there, its label too
//
// A fault kind is a struct that has a FaultClock, its sizes, and outputs that act on hooks of its target: `tick()` first, then the
// outputs from `level`. It runs when something changes and costs nothing in between. Times fall on the begins of steps: a fault that
// begins within a step acts from the next one on. Random numbers belong to the fault's name: no other fault or asset moves them.
#include <cstdint>
#include <string>

#include "engine/declare.hpp"

namespace urja {

struct FaultSettings {
  std::string onset = "step", length = "fixed";
  std::uint32_t identity = 0;
  std::string finish(const PlanFacts& facts);
};

struct FaultClock {
  Lanes start_time, every, rate, ageing, doubling, delay, duration, severity, rise, on_time, off_time;
  Lanes after, temperature;
  Lanes begins, ends, due, since, spent, occurrence, followed, hazard, checked;
  Lanes level, active;

  static constexpr double never = 1e300;

  // `temperature`: the target's quantity that a hazard may grow with, or none.
  template <class Kind> static void declare(Declare& d, std::vector<std::string> targets, const char* temperature_of = "") {
    d.role(
        {.name = "target", .models = std::move(targets), .tag = "", .many = false, .optional = false, .doc = "what it befalls"});
    d.base<Kind, FaultClock>();
    if (*temperature_of) d.member("temperature").from(std::string("target.") + temperature_of);
    using S = typename Kind::Settings;
    d.choice<&S::onset>("step", {"step", "ramp", "exponential", "intermittent"}, "how it comes");
    d.choice<&S::length>("fixed", {"fixed", "random"}, "duration as said, or drawn with that mean (exponential)");
  }
  static void declare_members(Declare& d);

  // Brings begins, ends, level and active up to this step and says when to run again. First of all in disturb().
  void tick(const Step& s, const FaultSettings& settings);
  // The effect changes while the fault is there: runs in every step of it.
  void keep_running(const Step& s) { due = pick(active > 0.5, least(due, s.time + s.dt), due); }

 private:
  void schedule(const Mask& which, const Lanes& from, const Step& s, const FaultSettings& settings);
};

}  // namespace urja
