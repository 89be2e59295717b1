// urja export: a result file for tools that read no HDF5.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>

#include "bridge/commands.hpp"
#include "engine/calendar.hpp"
#include "engine/units.hpp"
#include "viz/result_file.hpp"

namespace urja {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t rows_at_once = 4096;

// One line a recorded interval: `time` (its start, UTC), then <asset>.<name>_<unit>, a fleet's members as <fleet>.<n>.<asset>.. ; what was
// measured at the plant as reference.<asset>.. .
void write_csv(const viz::ResultFile& file, std::ofstream& csv) {
  struct Column {
    const viz::Channel* channel;
    double factor;
    std::vector<double> values;
  };
  std::vector<Column> columns;
  csv << "time";
  std::vector<const viz::Channel*> all;
  for (const auto* group : {&file.channels(), &file.references()}) {
    for (const viz::Channel& c : *group) all.push_back(&c);
  }
  for (const viz::Channel* channel : all) {
    const viz::Channel& c = *channel;
    const std::string group = c.group == "channels" ? "" : c.group + ".";
    const OutsideUnit unit = outside_unit(c.unit);
    columns.push_back({&c, unit.factor, std::vector<double>(rows_at_once * c.members)});
    const std::string name = c.name + (unit.suffix.empty() ? "" : "_" + unit.suffix);
    if (!c.fleet) {
      csv << ',' << group << c.asset << '.' << name;
      continue;
    }
    const std::size_t dot = c.asset.find('.');
    for (std::size_t m = 1; m <= c.members; ++m)
      csv << fmt::format(",{}{}.{}{}.{}", group, c.asset.substr(0, dot), m, dot == std::string::npos ? "" : c.asset.substr(dot),
                         name);
  }
  csv << '\n';
  const Zone utc = *Zone::find("UTC");
  const std::size_t rows = file.time().size();
  for (std::size_t first = 0; first < rows; first += rows_at_once) {
    const std::size_t here = std::min(rows_at_once, rows - first);
    for (Column& c : columns) file.read(*c.channel, first, here, c.values.data());
    for (std::size_t r = 0; r < here; ++r) {
      const double time = file.time()[first + r], whole = std::floor(time);
      std::string line = utc.text(static_cast<std::int64_t>(whole)).substr(0, 19);
      line[10] = 'T';
      if (line.size() == 16) line += ":00";
      if (time > whole) line += fmt::format("{:.3f}", time - whole).substr(1);
      line += 'Z';
      for (const Column& c : columns) {
        for (std::size_t m = 0; m < c.channel->members; ++m) {
          const double value = c.values[r * c.channel->members + m] * c.factor;
          line += std::isfinite(value) ? fmt::format(",{:.12g}", value) : ",";  // an empty cell: there is none
        }
      }
      csv << line << '\n';
    }
  }
}

int export_result(const std::string& in, const std::string& out, bool force) {
  const fs::path to = out.empty() ? fs::path(in).replace_extension(".csv") : fs::path(out);
  if (in_the_way(to, force)) return misused;
  const viz::ResultFile file(in);
  const fs::path part = to.string() + ".part";
  {
    std::ofstream csv(part, std::ios::binary | std::ios::trunc);
    write_csv(file, csv);
    csv.flush();
    if (!csv) {
      std::fprintf(stderr, "urja: %s could not be written (is the disk full?)\n", part.c_str());
      std::error_code ignored;
      fs::remove(part, ignored);
      return failed;
    }
  }
  fs::rename(part, to);
  fmt::print("{}\n", to.string());
  return done;
}

}  // namespace

void add_export(CLI::App& app, Command& chosen) {
  struct Arguments {
    std::string in, out;
    bool csv = false, force = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("export", "write a result file in another format");
  command->footer("Example: urja export results/village/1/result.h5 --csv");
  command->add_option("result", a->in, "HDF5 file")->required();
  command->add_flag("--csv", a->csv, "one line an interval, units in the columns' names")->required();
  command->add_option("--out", a->out, "file to write; default: beside the result");
  command->add_flag("--force", a->force, "replace a file that is there");
  command->callback([a, &chosen] { chosen = [a] { return export_result(a->in, a->out, a->force); }; });
}

}  // namespace urja
