#pragma once
// One asset of a scenario: its YAML entries against its model's declaration.
//
// Nothing here knows a model. A key is a parameter, state, input, setting, choice, table, event file, data derivation or
// controller role because the model declares one of that name; unit, bounds and allowed names come from there too.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/calendar.hpp"
#include "engine/plan.hpp"
#include "scenarios/parameter_sets.hpp"
#include "scenarios/problems.hpp"
#include "scenarios/tree.hpp"

namespace urja {

// Parameters, inputs that no wire fills, and states that are known at a real plant.
bool scenario_may_write(const Member& member);

// An asset that lies in a plan and waits for its values.
struct AssetTarget {
  Plan* plan;
  int index;
  int members;  // of the fleet it is in, 1 in a plant
  enum class What { asset, disturber, sensor, link } what = What::asset;
  std::string channel_unit = "";  // of sensors, links and their faults: the unit of what is measured

  Plan::Asset& asset() const {
    const auto k = static_cast<std::size_t>(index);
    switch (what) {
      case What::disturber: return plan->disturbers[k].self;
      case What::sensor: return plan->instruments[k].self;
      case What::link: return plan->instruments[k].link;
      default: return plan->assets[k];
    }
  }
  const Type& type() const { return *asset().type; }
  std::string unit_of(const Member& m) const {
    if (m.unit == "of channel") return channel_unit;
    if (m.unit == "of channel, difference") return channel_unit == "degC" ? "K" : channel_unit;
    return m.unit;
  }
};

// An input that a column of a data set fills: `price: market.price`.
struct Binding {
  AssetTarget target;
  int row;
  std::string data, column, unit;
  Range range;
  std::string file, path;
  int line, at_column;
  bool may_miss = false;  // where the data have none, there is none
};

// Inputs that are computed from a data set: `weather: greensboro`.
struct DerivedBinding {
  AssetTarget target;
  const Derivation* derivation;
  std::string data, file, path;
  int line, at_column;
};

class AssetReader {
 public:
  AssetReader(Problems& problems, const Zone& zone, const std::set<std::string>& data_names, std::string& currency)
      : AssetReader(problems, zone, data_names, currency, own_sets_) {}
  AssetReader(Problems& problems, const Zone& zone, const std::set<std::string>& data_names, std::string& currency,
              ParameterSets& sets)
      : problems_(problems), zone_(zone), data_names_(data_names), currency_(currency), sets_(sets) {}

  // Parameter set (`set: NAME`) first, then the entries themselves; `skip` are keys that the caller has dealt with.
  void read(const AssetTarget& target, const Node& entries, const std::set<std::string>& skip);

  std::set<std::string> not_loaded;  // assets with which something is wrong: a controller may name them
  std::vector<Binding> bindings;
  std::vector<DerivedBinding> derived;
  std::vector<std::string> event_files;  // that were read
  bool values_only = false;              // start values: no tables, no event files
  bool driven_alone = false;  // states may be written, also those that a model keeps to itself, and inputs come from elsewhere
  std::map<std::string, std::vector<std::string>> data_columns;  // of data sets that say theirs, for messages
  std::string* currency_from = nullptr;                          // place that named the currency first

  // A number with a unit at a node; reports and returns nothing if it is not one or does not fit. `meaning` is told where the unit is
  // one of another kind.
  std::optional<double> quantity(const Node& node, const std::string& unit, const Range& range, const std::string& meaning = "");

 private:
  // Where a key of the asset that is being read was given last, and how much that counts against another place.
  struct Given {
    enum Rank { by_default, in_set, in_file, on_command_line } rank = by_default;
    std::string file, path;
    int line = 0, column = 0;
    bool wrong = false;
  };

  void apply_set(const AssetTarget& target, const std::string& name, const Node& at);
  void take(const AssetTarget& target, const Node::Entry& entry, Given::Rank rank);
  void apply(const AssetTarget& target, const Node::Entry& entry);
  void check_orders(const AssetTarget& target);
  void check_needed(const AssetTarget& target, const Node& entries);
  bool writable(const Member& member) const;
  bool apply_member(const AssetTarget& target, const Member& member, const Node& value);
  void apply_table(const AssetTarget& target, const Table& table, const Node& value);
  void apply_events(const AssetTarget& target, const EventFile& events, const Node& value);
  std::optional<TableAxis> axis(const Node& node, const TableShape::Named& shape);
  bool numbers(const Node& node, const std::string& unit, std::vector<double>& out);
  void problem(const Node& at, const std::string& what, const std::string& mend = "");

  Problems& problems_;
  const Zone& zone_;
  const std::set<std::string>& data_names_;
  std::string& currency_;
  ParameterSets own_sets_;
  ParameterSets& sets_;
  std::map<std::string, Given> given_;  // by key, of the asset that is being read
};

}  // namespace urja
