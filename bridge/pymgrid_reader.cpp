#include "bridge/pymgrid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "engine/units.hpp"
#include "scenarios/csv.hpp"
#include "scenarios/tree.hpp"

namespace urja {
namespace {

namespace fs = std::filesystem;

class Reader {
 public:
  Reader(const std::string& file, Problems& problems) : problems_(problems) {
    m_.file = file;
    m_.name = fs::path(file).stem().string();
  }

  Pymgrid read() {
    Problems found;
    const Node root = parse_yaml(read_text(m_.file, found), m_.file, found);
    for (const Problem& p : found.list()) problems_.add(p);
    if (!found.empty()) return m_;
    const Node* modules = root.find("modules");
    if (root.tag != "!Microgrid" || !modules || modules->kind != Node::Kind::list) {
      problem(root, "this is no microgrid of python-microgrid", "it begins with !Microgrid and has a list `modules`");
      return m_;
    }
    for (const Node& entry : modules->items) {
      if (entry.items.size() != 2) problem(entry, "expected a name and a module", "for example [load, !LoadModule {..}]");
      else read_module(entry.items[1]);
    }
    for (const char* tag : {"!LoadModule", "!RenewableModule", "!BatteryModule", "!UnbalancedEnergyModule"}) {
      if (!seen_.count(tag)) problem(*modules, fmt::format("there is no {}", tag), "only microgrids that have one are read");
    }
    if (!m_.grid && !m_.genset) problem(*modules, "there is neither a !GridModule nor a !Genset", "one of the two is needed");
    return m_;
  }

 private:
  void problem(const Node& at, std::string what, std::string mend) {
    problems_.add({m_.file, at.line, at.column, at.path, std::move(what), std::move(mend)});
  }

  void read_module(const Node& module) {
    using Read = void (Reader::*)(const Node&);
    static const std::map<std::string, Read> kinds{
        {"!LoadModule", &Reader::read_load},       {"!RenewableModule", &Reader::read_renewable},
        {"!BatteryModule", &Reader::read_battery}, {"!Genset", &Reader::read_genset},
        {"!GridModule", &Reader::read_grid},       {"!UnbalancedEnergyModule", &Reader::read_unbalanced}};
    std::vector<std::string> known;
    for (const auto& [tag, read] : kinds) known.push_back(tag);
    const auto kind = kinds.find(module.tag);
    if (kind == kinds.end())
      return problem(module, fmt::format("a module '{}' is not known here", module.tag), "known: " + any_of(known));
    if (!seen_.insert(module.tag).second)
      return problem(module, fmt::format("this is the second {}", module.tag), "only one of each kind is read");
    const Node* values = module.find("cls_params");
    if (!values) return problem(module, "the key 'cls_params' is missing", "save the microgrid again with python-microgrid");
    (this->*kind->second)(*values);
  }

  // A number from low to high; low if there is none.
  double number(const Node& map, const char* key, double low, double high) {
    const Node* n = map.find(key);
    if (!n)
      return problem(map, fmt::format("the key '{}' is missing", key), "save the microgrid again with python-microgrid"), low;
    const auto written = n->is_scalar() ? parse_quantity(n->text) : std::nullopt;
    if (!written || !written->unit.empty())
      return problem(*n, "expected a number", fmt::format("from {:g} to {:g}", low, high)), low;
    if (written->value >= low && written->value <= high) return written->value;
    return problem(*n, fmt::format("{:g} has no counterpart in Urja", written->value),
                   fmt::format("from {:g} to {:g}", low, high)),
           low;
  }

  // The columns of a module's `time_series`, of which all in a microgrid have the same number of rows.
  std::vector<std::vector<double>> series(const Node& values, std::size_t columns) {
    std::vector<std::vector<double>> none(columns);
    const Node* n = values.find("time_series");
    if (!n || !n->is_scalar() || n->text.empty() || (n->tag != "!NDArray" && n->tag != "!DataFrame"))
      return problem(n ? *n : values, "the time series is missing",
                     "expected time_series: !NDArray 'data/../time_series.csv.gz'"),
             none;
    fs::path file = fs::path(m_.file).parent_path() / n->text;
    if (!fs::exists(file) && file.extension() == ".gz" && fs::exists(fs::path(file).replace_extension()))
      file.replace_extension();
    std::vector<CsvColumn> wanted;
    for (std::size_t k = 0; k < columns; ++k) wanted.push_back({std::to_string(k)});  // pandas numbers them
    std::vector<FileProblem> found;
    Csv csv = read_csv(file.string(), wanted, found);
    for (const FileProblem& p : found) problems_.add(p);
    if (!found.empty()) return none;
    for (std::size_t k = 0; k < columns; ++k) {
      const auto gap = std::find_if(csv.columns[k].begin(), csv.columns[k].end(), [](double v) { return !std::isfinite(v); });
      if (gap == csv.columns[k].end()) continue;
      const int line = static_cast<int>(gap - csv.columns[k].begin()) + 2;
      problems_.add(
          {file.string(), line, cell_place(file.string(), line, wanted[k].name), "", "a value is missing", "write a number"});
      return none;
    }
    if (hours_ == 0) hours_ = csv.rows;
    if (csv.rows != hours_ || csv.rows < 24)
      return problem(*n, fmt::format("{} has {} rows", file.string(), csv.rows),
                     hours_ == csv.rows ? "a day is the least" : fmt::format("the series before it has {}", hours_)),
             none;
    return std::move(csv.columns);
  }

  // The first value for which `wrong` is true, if there is one.
  template <class Wrong>
  void check(const Node& values, const std::vector<double>& column, const char* what, const char* mend, Wrong&& wrong) {
    const auto at = std::find_if(column.begin(), column.end(), wrong);
    if (at != column.end())
      problem(*values.find("time_series"), fmt::format("{} {:g} in row {}", what, *at, at - column.begin() + 1), mend);
  }

  void read_load(const Node& values) {
    m_.load = series(values, 1)[0];
    for (double& v : m_.load) v = std::abs(v);  // a sink's series is negative there
  }

  void read_renewable(const Node& values) {
    m_.renewable = series(values, 1)[0];
    check(values, m_.renewable, "a renewable power of", "it is at least 0", [](double v) { return v < 0; });
  }

  void read_battery(const Node& values) {
    Pymgrid::Battery& b = m_.battery;
    b.capacity = number(values, "max_capacity", 0.1, 1e8);
    b.least = number(values, "min_capacity", 0, 0.99 * b.capacity);
    b.charge = number(values, "max_charge", 1e-3, 1e6);
    b.discharge = number(values, "max_discharge", 1e-3, 1e6);
    b.efficiency = number(values, "efficiency", 0.8, 1);
    b.wear = number(values, "battery_cost_cycle", 0, 1e6);
    const Node* charge = values.find("init_charge");  // holds, where both are given
    b.state_of_charge = charge && charge->kind != Node::Kind::null
                            ? number(values, "init_charge", b.least, b.capacity) / b.capacity
                            : number(values, "init_soc", b.least / b.capacity - 1e-9, 1);
    const Node* transition = values.find("battery_transition_model");
    if (transition && transition->kind != Node::Kind::null && transition->tag != "!BatteryTransitionModel")
      problem(*transition, fmt::format("a transition model '{}' is not known here", transition->tag),
              "known: !BatteryTransitionModel");
  }

  void read_genset(const Node& values) {
    Pymgrid::Genset g;
    g.most = number(values, "running_max_production", 1e-3, 1e6);
    g.least = number(values, "running_min_production", 0, g.most);
    g.carbon = number(values, "co2_per_unit", 0, 1e3);
    g.cost = number(values, "genset_cost", 0, 1e6) + g.carbon * number(values, "cost_per_unit_co2", 0, 1e6);
    g.start_up = number(values, "start_up_time", 0, 1);
    number(values, "wind_down_time", 0, 0);
    m_.genset = g;
  }

  void read_grid(const Node& values) {
    Pymgrid::Grid g;
    g.import_most = number(values, "max_import", 0, 1e9);
    g.export_most = number(values, "max_export", 0, 1e9);
    const double carbon_price = number(values, "cost_per_unit_co2", 0, 1e6);
    auto columns = series(values, 4);
    g.price = std::move(columns[0]), g.export_price = std::move(columns[1]);
    g.carbon = std::move(columns[2]), g.connected = std::move(columns[3]);
    for (std::size_t k = 0; k < g.price.size(); ++k) g.price[k] += carbon_price * g.carbon[k];
    check(values, g.carbon, "CO2 of", "from 0 to 10 kg/kWh", [](double v) { return v < 0 || v > 10; });
    check(values, g.connected, "a grid status of", "1: the grid is there, 0: it is gone",
          [](double v) { return v != 0 && v != 1; });
    m_.grid = std::move(g);
  }

  void read_unbalanced(const Node& values) {
    m_.lost_load = number(values, "loss_load_cost", 0, 1e9);
    m_.overgeneration = number(values, "overgeneration_cost", 0, 1e9);
  }

  Pymgrid m_;
  Problems& problems_;
  std::set<std::string> seen_;
  std::size_t hours_ = 0;
};

}  // namespace

int Pymgrid::Grid::outages() const {
  int count = 0;
  for (std::size_t k = 0; k < connected.size(); ++k) count += connected[k] == 0 && (k == 0 || connected[k - 1] != 0);
  return count;
}
int Pymgrid::Grid::hours_out() const { return static_cast<int>(std::count(connected.begin(), connected.end(), 0.0)); }

Pymgrid read_pymgrid(const std::string& file, Problems& problems) { return Reader(file, problems).read(); }

}  // namespace urja
