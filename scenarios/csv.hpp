#pragma once
// Numbers from CSV files: fast, strict, and all complaints at once.
//
// The first line names the columns. Cells are parted by commas, semicolons or tabs, whichever the first line
// has most of; a cell may stand in quotes; lines end in LF or CRLF; blank lines only at the end. A missing
// value is an empty cell, NA or NaN. Numbers have a decimal point and mean the same on every machine.
//
// The file goes by once, in pieces, and only the wanted columns are read as numbers (75 MB, half a million
// rows of 20 columns: 0.1 s). It may be a pipe, and it may be packed with gzip.
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/problems.hpp"

namespace urja {

using FileProblem = Problem;

struct CsvColumn {
  std::string name;  // as the first line has it
  // Reads a cell that is no number, say a time; false if it cannot. Empty: a number.
  std::function<bool(std::string_view cell, double& value)> read = {};
  // What a cell is and looks like, for messages, of which there is one for all wrong cells of a column: "time such as 2016-08-01 00:00". Empty: a number.
  std::string form = {};
};

struct Csv {
  std::vector<std::vector<double>> columns;  // as wanted; NaN = missing
  std::size_t rows = 0;                      // row i stands in line i + 2
};

// Where a column's cell begins in a line (both counted from 1) of a file that was read: for messages. 1 if it cannot be found again.
int cell_place(const std::string& file, int line, const std::string& column);

// Problems go to `problems`, twenty of a file at most; what is returned is complete only if there are none.
Csv read_csv(const std::string& file, std::span<const CsvColumn> wanted, std::vector<FileProblem>& problems);

}  // namespace urja
