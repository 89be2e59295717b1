#pragma once
// The `measurements:` of a scenario: what somebody measured at the plant that it is a model of, channel by channel.
//
//     measurements:
//       pv.dc_power: plant.p_dc                  # a column of a data set, in any unit that fits the channel's
//       homes.load.demand: homes.demand          # of a fleet: one column for all members, or one each
//
// It goes the way of the inputs' data and changes nothing in the simulation: the result has it as /reference/<asset>/<channel>, beside
// /channels, and the report compares the two. Gaps stay gaps unless the column says otherwise.
#include <set>
#include <string>

#include "scenarios/assets.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

class MeasurementReader {
 public:
  MeasurementReader(Problems& problems, AssetReader& assets, Scenario& scenario, const std::set<std::string>& not_loaded,
                    const std::set<std::string>& data_names)
      : problems_(problems), assets_(assets), s_(scenario), not_loaded_(not_loaded), data_names_(data_names) {}
  void read(const Node& block) { read(block, ""); }

 private:
  void read(const Node& block, const std::string& prefix);
  void read_one(const Node::Entry& entry, const std::string& path);
  void fail(const Node& at, const std::string& what, const std::string& mend) {
    problems_.add({at.file(), at.line, at.column, at.path, what, mend});
  }

  Problems& problems_;
  AssetReader& assets_;
  Scenario& s_;
  const std::set<std::string>& not_loaded_;
  const std::set<std::string>& data_names_;
};

}  // namespace urja
