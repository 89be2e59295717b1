#pragma once
// The `faults:` of a scenario: which fault befalls which asset, when, how long and how large.
//
//     faults:
//       shade: {kind: pv_shading, on: pv, at: 2016-08-03 00:00, from: "11:00", to: "14:00", lost_share: 60 %}
//       gone:  {kind: grid_outage, on: grid, rate: 0.05 1/d, duration: 2 h, length: random}
//       surge: {kind: load_surge, on: homes.3.load, after: gone, delay: 2 h, duration: 20 min, times: 3}
//
// `kind`, `on`, `at` and `after` are read here, everything else by the kind's own declaration.
#include <functional>
#include <set>
#include <string>

#include "scenarios/assets.hpp"
#include "scenarios/scenario.hpp"

namespace urja {

class FaultReader {
 public:
  // `moment`: UTC seconds of a node's local time, or nothing, and the problem is told.
  FaultReader(Problems& problems, AssetReader& assets, const Zone& zone, Scenario& scenario,
              const std::set<std::string>& not_loaded, std::function<std::optional<double>(const Node&)> moment)
      : problems_(problems), assets_(assets), zone_(zone), s_(scenario), not_loaded_(not_loaded), moment_(std::move(moment)) {}
  void read(const Node& faults);

 private:
  void read_one(const Node::Entry& e);
  bool asset_target(const Type& type, const Node* on, const Node& fault);
  bool measured_target(const Type& type, const Role& role, const Node* on, const Node& fault, std::string& target,
                       std::string& unit);
  bool second_target(const Type& type, const Role& role, const Node& fault, const std::string& first, const std::string& unit,
                     std::string& other);
  std::optional<double> time_of(const Node& at);
  void check_link(const Type& type, int index, const std::string& target, const Node& fault);
  bool exclude(int index, int other) const;
  void check_overlap(int index, const Node& at, double start, double every, double duration);
  std::optional<std::string> model_at(const std::string& path) const;
  std::string member_missing(const std::string& path) const;
  void fail(const Node& at, const std::string& what, const std::string& mend = "") {
    problems_.add({at.file(), at.line, at.column, at.path, what, mend});
  }

  Problems& problems_;
  AssetReader& assets_;
  const Zone& zone_;
  Scenario& s_;
  const std::set<std::string>& not_loaded_;  // assets with which something is wrong
  std::function<std::optional<double>(const Node&)> moment_;
};

}  // namespace urja
