#include "scenarios/parameter_sets.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace urja {

namespace fs = std::filesystem;

std::string data_folder(const std::string& below) {
  std::vector<fs::path> places;
  if (const char* set = std::getenv("URJA_DATA")) places.emplace_back(set);
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  if (!program.empty()) places.push_back(program.parent_path().parent_path() / "share" / "urja");
  places.emplace_back(URJA_SOURCE_DIR);
  for (const fs::path& place : places) {
    if (fs::exists(place / below, ignored)) return (place / below).string();
  }
  return (places.back() / below).string();
}

std::map<std::string, std::string> parameter_sets(const std::string& model) {
  std::map<std::string, std::string> sets;
  std::error_code ignored;
  for (const auto& folder : fs::directory_iterator(data_folder("models"), ignored)) {
    for (const auto& entry : fs::directory_iterator(folder.path() / "sets", ignored)) {
      if (entry.path().extension() != ".yaml") continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) {
        if (line.rfind("model:", 0) != 0) continue;
        const std::string named = line.substr(6 + line.substr(6).find_first_not_of(' '));
        if (named == model) sets[entry.path().stem().string()] = entry.path().string();
        break;
      }
    }
  }
  return sets;
}

const std::map<std::string, std::string>& ParameterSets::of(const std::string& model) {
  const std::lock_guard lock(mutex_);
  const auto [found, fresh] = names_.try_emplace(model);
  if (fresh) found->second = parameter_sets(model);
  return found->second;
}

const Node& ParameterSets::read(const std::string& file, Problems& problems) {
  const std::lock_guard lock(mutex_);
  const auto [found, fresh] = files_.try_emplace(file);
  auto& [root, wrong] = found->second;
  if (fresh) {
    const std::string text = read_text(file, wrong);
    if (wrong.empty()) root = parse_yaml(text, file, wrong);
  }
  for (const Problem& p : wrong.list()) problems.add(p);
  return root;
}

}  // namespace urja
