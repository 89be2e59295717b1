// What the loaders make of any bytes: they say what is wrong, or they load; nothing else. For libFuzzer (preset `fuzz`).
//
// The first byte says which: a scenario, a sweep, a scenario's CSV, a weather file. A scenario that loads takes three steps.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "engine/batch.hpp"
#include "scenarios/scenario.hpp"
#include "scenarios/sweep_file.hpp"
#include "scenarios/weather_files.hpp"

namespace {

namespace fs = std::filesystem;

// A folder beside which the corpus' data lie, as its scenarios expect.
const fs::path& folder() {
  static const fs::path made = [] {
    std::string name = (fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()).string() + "/urja_fuzz_XXXXXX";
    if (!mkdtemp(name.data())) std::abort();
    fs::create_directory(fs::path(name) / "case");
    fs::create_directory_symlink(fs::path(URJA_SOURCE_DIR) / "tests/corpus/data", fs::path(name) / "data");
    fs::create_directory_symlink(fs::path(URJA_SOURCE_DIR) / "scenarios/data", fs::path(name) / "case/data");
    return fs::path(name) / "case";
  }();
  return made;
}

std::string write(const char* name, const char* bytes, std::size_t size) {
  const std::string path = (folder() / name).string();
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (file < 0 || ::write(file, bytes, size) != static_cast<ssize_t>(size)) std::abort();
  close(file);
  return path;
}

constexpr char reader[] = R"(urja: 1
zone: America/New_York
run: {from: 2024-03-09 00:00, to: 2024-03-11 00:00, step: 1 h}
data:
  d: {file: fuzz.csv, repeat: same_date, stamps: {column: time}, columns: {load: {unit: kW, gap: linear}}}
assets: {load: {model: load, demand: d.load}, grid: {model: grid}}
balance: [grid]
)";

void load(const std::string& file) {
  try {
    const urja::Scenario s = urja::load_scenario(file);
    if (s.has_gym) {
      urja::LoadOptions options;
      options.gym = urja::LoadOptions::Gym::agent;
      urja::load_scenario(file, options);
    }
    urja::Batch batch(s.plan, 1);
    batch.step(static_cast<int>(std::min(3.0, (s.end - s.start) / s.step)));
  } catch (const urja::ScenarioError& e) {
    if (e.problems.empty()) std::abort();
    for (const urja::Problem& p : e.problems.list()) {
      if (p.what.empty()) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const char* bytes = reinterpret_cast<const char*>(data) + 1;
  --size;
  switch (data[0]) {
    case 'w': try { (void)urja::parse_weather({bytes, size}, "fuzz");
      } catch (const urja::FileError&) {}
      break;
    case 'p': try { (void)urja::load_sweep(write("fuzz.yaml", bytes, size));
      } catch (const urja::ScenarioError& e) {
        if (e.problems.empty()) std::abort();
      }
      break;
    case 'c':
      write("fuzz.csv", bytes, size);
      load(write("fuzz.yaml", reader, sizeof reader - 1));
      break;
    default: load(write("fuzz.yaml", bytes, size));
  }
  return 0;
}
