#pragma once
// Which quantities of a plan a result file holds, and under which names.
#include <string>
#include <vector>

#include "engine/plan.hpp"

namespace urja {

// One dataset: a quantity of the plan, or the sum of several (an asset's power over its ports).
struct Channel {
  std::string group;  // "channels/battery", "plant", "feeders/street"
  std::string name, unit, doc, kind;
  Quantity quantity;    // row -1: zero (the power of an asset without a port)
  bool at_end = false;  // state: the value at the interval's end, not its mean; so that no Meter sums it, a label too
  int lane = -1;        // of this lane of the batch, whatever lane is recorded
};

// What a Meter must sum for these channels, in this order: states are read at the interval's end and need no sum.
std::vector<Quantity> metered(const std::vector<Channel>& channels);

// What is recorded if the scenario does not choose: power, states, outputs, and inputs that are telemetered.
std::vector<Channel> default_channels(const Plan& plan);
// What the controllers command, true powers and telemetered states of another lane, in the group `group`/<asset>: what it is compared with.
std::vector<Channel> compared_channels(const Plan& plan, const std::string& group, int lane);
// Whether a choice means a channel: "battery", "battery.temperature", "homes.*.power", "*.temperature"; `*` stands for any text.
bool means(const std::string& choice, const Channel& channel);
// Those of the default that one of the choices means, and the power of every asset: a file can always be audited.
std::vector<Channel> chosen_channels(const Plan& plan, const std::vector<std::string>& choices);

}  // namespace urja
