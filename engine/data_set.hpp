#pragma once
// A data set: named columns on evenly spaced rows in UTC, as a file gave them after units, zone and gaps are dealt with.
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace urja {

struct DataSet {
  struct Column {
    std::string unit;            // a declared unit (W, degC, W/m2 ..)
    int members = 1;             // values per row: one per member of a fleet, or one for all
    std::vector<double> values;  // [rows][members]
  };
  std::string name;
  double first = 0;        // UTC seconds of the first row's interval start
  double interval = 3600;  // s; a value holds over [stamp, stamp + interval)
  std::int64_t rows = 0;
  double latitude = 0, longitude = 0, elevation = 0;  // deg north, deg east, m; only of weather sets
  bool has_place = false;
  std::map<std::string, Column, std::less<>> columns;
};

// Writes the values of one row; pure: the same row gives the same bits, from any thread.
using RowFunction = std::function<void(std::int64_t row, std::span<double> values)>;

}  // namespace urja
