#pragma once
// Values that follow the clock, typed into the scenario: a tariff, a heating season, opening hours.
//
//     tariff:
//       format: calendar
//       holidays: [2024-12-25]
//       columns:
//         price:
//           unit: USD/kWh
//           otherwise: 0.21
//           periods:                      # the first that fits holds
//             - {months: jun-sep, days: mon-fri, hours: "16:00-21:00", value: 0.55}
//
// A period fits where all that it says fits, on the clock of the scenario's zone: months (jun, 6, jun-sep, a list), days (mon, mon-fri,
// weekdays, weekends, holidays, all, a list), hours ("22:00-06:00" goes over midnight: the hours before six and those from ten on,
// of each day that fits), from and to (local dates; to is the first day that is not in it). A holiday fits `holidays` and `all` only,
// and a period that says no days.
#include "engine/calendar.hpp"
#include "scenarios/data_file.hpp"
#include "scenarios/problems.hpp"
#include "scenarios/tree.hpp"

namespace urja {

// The columns of `spec` (whose zone, run and names are given) from the entries of `node`; mistakes of the text go to `problems`.
LoadedData calendar_set(const Node& node, const DataFileSpec& spec, Problems& problems);

}  // namespace urja
