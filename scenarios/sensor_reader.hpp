#pragma once
// The `sensors:` and `links:` of a scenario: how well each channel is measured, and how its samples reach those who decide.
//
//     sensors:
//       battery.state_of_charge: {set: bms_state_of_charge}
//       grid.power: {accuracy: 0.5 %, noise: 20 W, resolution: 10 W, interval: 5 s}
//       "*.temperature": {noise: 0.2 K}                        # `*` stands for any text
//     links:
//       battery: {delay: 2 s, jitter: 1 s, loss: 1 %}          # all that the battery sends
//
// What is not named is perfect. A later entry adds to an earlier one of the same channel.
#include <optional>
#include <string>
#include <vector>

#include "scenarios/assets.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

// A channel of an asset of the plant or of a fleet's members.
struct MeasuredChannel {
  Plan* plan;  // that its asset lies in
  std::string asset, channel;
  std::string path;  // "homes.load.demand", without a member
  std::string unit;
  int members = 1;
};

// All channels that can be measured: those that are telemetered or observable at a real plant, or that the controller reads. `usual`: only
// those that `*` means: telemetered ones, and those that the plant's controller reads.
std::vector<MeasuredChannel> measurable_channels(Plan& plan, bool usual);
// Those that a fault or an entry means: "battery.power", "homes.3.load.demand", and, where several may be meant, "battery" and "*.power".
std::vector<MeasuredChannel> channels_meant(Plan& plan, const std::string& path, bool several);

// What is wrong with a link that keeps each message for `longer` seconds beside its own delay, and the mend; nothing where it has room.
// `alone`: its own delay does not matter.
struct LinkTooLong {
  std::string what, mend;
};
std::optional<LinkTooLong> link_too_long(const MeasuredChannel& channel, double longer, bool alone);

// "W", and for a share "plain numbers".
std::string unit_text(const std::string& unit);

class SensorReader {
 public:
  SensorReader(Problems& problems, AssetReader& assets, Scenario& scenario, const std::set<std::string>& not_loaded)
      : problems_(problems), assets_(assets), s_(scenario), not_loaded_(not_loaded) {}
  void read(const Node& block, bool links);

 private:
  void read_entry(const Node::Entry& entry, const std::string& prefix, bool links);
  void say_unknown(const Node::Entry& entry, const std::string& path, bool links);

  Problems& problems_;
  AssetReader& assets_;
  Scenario& s_;
  const std::set<std::string>& not_loaded_;
};

}  // namespace urja
