// urja import pymgrid25: the published microgrids of python-microgrid as scenarios of ours, so that results can be compared with papers.
// None of its files are shipped (LGPL-3.0): whoever wants them has the package.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "bridge/commands.hpp"
#include "bridge/pymgrid.hpp"
#include "bridge/terminal.hpp"

namespace urja {
namespace {

namespace fs = std::filesystem;

constexpr const char* how_to_get =
    "get python-microgrid (pip download --no-deps --no-binary :all: python-microgrid), unpack it and name its folder";

// microgrid_3/microgrid_3.yaml and its like, by number.
std::map<int, std::vector<fs::path>> find_microgrids(const fs::path& folder) {
  std::map<int, std::vector<fs::path>> found;
  const auto look_at = [&](const fs::path& path) {
    const std::string name = path.filename().string();
    int number = -1, end = 0;
    if (std::sscanf(name.c_str(), "microgrid_%9d%n", &number, &end) != 1 || end != static_cast<int>(name.size()) || number < 0)
      return;
    if (fs::is_directory(path)) found[number].push_back(path / (name + ".yaml"));
  };
  look_at(fs::weakly_canonical(folder));  // "." has no name of its own
  for (const auto& entry : fs::recursive_directory_iterator(folder, fs::directory_options::skip_permission_denied))
    look_at(entry.path());
  return found;
}

struct File {
  fs::path path;
  std::string text;
};

// All of them under other names first: whoever looks sees whole files, and none of them if one cannot be written.
int write_all(const std::vector<File>& files) {
  const auto part = [](const File& file) { return fs::path(file.path.string() + ".part"); };
  for (const File& file : files) {
    std::ofstream out(part(file), std::ios::binary | std::ios::trunc);
    out << file.text;
    out.close();
    if (out) continue;
    std::fprintf(stderr, "urja: %s could not be written (is the disk full?)\n", part(file).c_str());
    std::error_code ignored;
    for (const File& f : files) fs::remove(part(f), ignored);
    return failed;
  }
  for (const File& file : files) fs::rename(part(file), file.path);
  return done;
}

int import_pymgrid(const std::string& folder, const fs::path& to, bool force) {
  Problems problems;
  std::map<int, std::vector<fs::path>> found;
  if (!fs::is_directory(folder)) problems.add({folder, 0, 0, "", "there is no such folder", how_to_get});
  else if (found = find_microgrids(folder); found.empty())
    problems.add({folder, 0, 0, "", "there is no folder microgrid_0, microgrid_1 .. in it or below it", how_to_get});
  std::vector<File> files;
  std::vector<std::string> lines;
  for (const auto& [number, paths] : found) {
    if (paths.size() > 1) {
      problems.add({paths[1], 0, 0, "", fmt::format("this microgrid is there twice, also as {}", paths[0].string()),
                    "name the folder of one pymgrid25 only"});
      continue;
    }
    Problems of_this;
    const Pymgrid m = read_pymgrid(paths[0].string(), of_this);
    for (const Problem& p : of_this.list()) problems.add(p);
    if (!of_this.empty()) continue;
    files.push_back({to / "data" / (m.name + ".csv"), pymgrid_data(m)});
    files.push_back({to / (m.name + ".yaml"), pymgrid_scenario(m)});
    lines.push_back(fmt::format("{}: {}", files.back().path.string(), pymgrid_summary(m)));
  }
  if (!problems.empty()) return print_problems(problems);
  for (const File& file : files) {
    if (in_the_way(file.path.string(), force)) return misused;
  }
  fs::create_directories(to / "data");
  if (const int result = write_all(files); result != done) return result;
  for (const std::string& line : lines) fmt::print("{}\n", line);
  fmt::print("Next: urja run {}\n", files[1].path.string());
  return done;
}

}  // namespace

void add_import(CLI::App& app, Command& chosen) {
  struct Arguments {
    std::string format, folder, out = "pymgrid25";
    bool force = false;
  };
  auto a = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("import", "make scenarios of microgrids that others have published");
  command->footer(
      "Example: urja import pymgrid25 python-microgrid-1.4.1 --out pymgrid25\npymgrid25: the 25 microgrids of python-microgrid");
  command->add_option("format", a->format, "whose they are: pymgrid25")->required()->check(CLI::IsMember({"pymgrid25"}));
  command->add_option("folder", a->folder, "the folders microgrid_0, microgrid_1 .. lie in it or below it")->required();
  command->add_option("--out", a->out, "folder to write to; default pymgrid25");
  command->add_flag("--force", a->force, "replace files that are there");
  command->callback([a, &chosen] { chosen = [a] { return import_pymgrid(a->folder, a->out, a->force); }; });
}

}  // namespace urja
