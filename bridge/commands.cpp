// What several commands share.
#include "bridge/commands.hpp"

#include <cstdio>
#include <filesystem>

namespace urja {

bool in_the_way(const std::string& file, bool force) {
  if (force || !std::filesystem::exists(file)) return false;
  std::fprintf(stderr, "urja: %s is there already; --force replaces it\n", file.c_str());
  return true;
}

}  // namespace urja
