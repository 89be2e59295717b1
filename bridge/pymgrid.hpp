#pragma once
// A microgrid of python-microgrid, and what we make of it. Energies are kWh in an hour there, so also kW; prices have no currency and are
// taken as USD.
#include <optional>
#include <string>
#include <vector>

#include "scenarios/problems.hpp"

namespace urja {

struct Pymgrid {
  struct Battery {
    double capacity = 1, least = 0, charge = 1, discharge = 1;  // kWh, kWh, kW, kW: of what is stored, not at the bus
    double efficiency = 1;                                      // one way
    double wear = 0;                                            // USD per kWh that goes into store or out of it
    double state_of_charge = 1;
  };
  struct Genset {
    double least = 0, most = 1;  // kW
    double cost = 0;             // USD/kWh, with what its CO2 costs
    double carbon = 0;           // kg/kWh
    double start_up = 0;         // h
  };
  struct Grid {
    double import_most = 0, export_most = 0;                     // kW
    std::vector<double> price, export_price, carbon, connected;  // USD/kWh (with what its CO2 costs), USD/kWh, kg/kWh, 1 or 0
    int outages() const;
    int hours_out() const;
  };
  std::string name, file;
  std::vector<double> load, renewable;  // kW, both >= 0; a value an hour, as all series
  Battery battery;
  std::optional<Genset> genset;
  std::optional<Grid> grid;
  double lost_load = 0, overgeneration = 0;  // USD/kWh
};

// Reads one as python-microgrid saves it: microgrid_3/microgrid_3.yaml, and the series that it names. Complete only if no problem came to
// `problems`.
Pymgrid read_pymgrid(const std::string& file, Problems& problems);

// The scenario, which reads data/<name>.csv, and that CSV.
std::string pymgrid_scenario(const Pymgrid& m);
std::string pymgrid_data(const Pymgrid& m);
// "load, PV, battery, grid; load of 4,238,669 kWh in 8,760 h"
std::string pymgrid_summary(const Pymgrid& m);

}  // namespace urja
