#pragma once
// Where the rows of a data file lie in time: stamps become instants, rows become even cells in UTC. A part of data_file.hpp,
// which tells what the stamps of a file may look like.
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "scenarios/data_file.hpp"

namespace urja {

using Micro = std::int64_t;  // microseconds; instants and wall times alike
inline constexpr Micro second = 1'000'000;
inline Micro micro(double seconds) { return std::llround(seconds * 1e6); }
inline std::int64_t floor_seconds(Micro t) { return t / second - (t % second < 0); }

inline constexpr std::int64_t most_values = 200'000'000;  // of a data set: 1.6 GB

// "15 min"
std::string duration_text(double seconds);
// Line of a file's row, counted from 1, below the line of names.
inline int line_of(std::size_t row) { return static_cast<int>(row) + 2; }

// Even cells in UTC, and the file's row that holds in each.
struct Timeline {
  Micro first = 0, interval = 0;
  std::int64_t cells = 0;
  std::vector<std::int32_t> row_of;  // -1: the file has none; empty: cell i is row i
  Micro end() const { return first + cells * interval; }
  Micro at(std::int64_t cell) const { return first + cell * interval; }
};

// Rows at first, first + every ..
Timeline place_even(const DataFileSpec& spec, const std::string& file, std::size_t rows, std::vector<FileProblem>& problems);
// Each row at its own stamp: wall time, or an instant.
Timeline place_stamped(const DataFileSpec& spec, const std::string& file, const std::vector<double>& stamps, bool instants,
                       std::vector<FileProblem>& problems);
// The rows of `line` laid on the run's dates, as spec.repeat says.
Timeline repeated(const DataFileSpec& spec, const std::string& file, const Timeline& line, std::vector<FileProblem>& problems);

}  // namespace urja
