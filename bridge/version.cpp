#include <fmt/format.h>

#include <fstream>
#include <string>
#include <thread>

#include "bridge/commands.hpp"

namespace urja {

std::string version_text() {
  return fmt::format("{} ({}, g++ {}, {})", URJA_VERSION, URJA_COMMIT[0] ? URJA_COMMIT : "no commit", __VERSION__, URJA_ARCH);
}

std::string machine_text() {
  std::ifstream info("/proc/cpuinfo");
  std::string name = "unknown processor";
  for (std::string line; std::getline(info, line);) {
    if (line.rfind("model name", 0) == 0) {
      name = line.substr(line.find(':') + 2);
      break;
    }
  }
  const unsigned cores = std::thread::hardware_concurrency();
  return fmt::format("{}, {} core{}", name, cores, cores == 1 ? "" : "s");
}

}  // namespace urja
