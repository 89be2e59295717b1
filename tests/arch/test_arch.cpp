// Who may include whom (design section 2), which headers stay behind a .cpp, how long a file may be.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/catch.hpp"

namespace {

namespace fs = std::filesystem;
const fs::path root = URJA_SOURCE_DIR;

struct Source {
  std::string path, folder;  // relative to the root
  std::vector<std::string> lines;
};

bool is_code(const fs::path& p) { return p.extension() == ".cpp" || p.extension() == ".hpp" || p.extension() == ".h"; }

std::vector<Source> sources() {
  std::vector<Source> all;
  for (const char* folder : {"engine", "models", "faults", "scenarios", "twin", "bridge", "viz", "tests"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file() || !is_code(entry.path())) continue;
      Source s{fs::relative(entry.path(), root).generic_string(), folder, {}};
      if (s.path.find("/vendor/") != std::string::npos) continue;
      std::ifstream in(entry.path());
      for (std::string line; std::getline(in, line);) s.lines.push_back(line);
      all.push_back(std::move(s));
    }
  }
  return all;
}

// What stands between the quotes or brackets of an #include; empty if the line is none.
std::string included(const std::string& line) {
  const std::size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string::npos || line[hash] != '#') return "";
  const std::size_t word = line.find_first_not_of(" \t", hash + 1);
  if (word == std::string::npos || line.compare(word, 7, "include") != 0) return "";
  const std::size_t open = line.find_first_of("\"<", word);
  const std::size_t close = open == std::string::npos ? open : line.find_first_of("\">", open + 1);
  return close == std::string::npos ? "" : line.substr(open + 1, close - open - 1);
}

}  // namespace

TEST_CASE("includes point where the design allows", "[arch]") {
  const std::map<std::string, std::set<std::string>> allowed{
      {"engine", {"engine"}},
      {"models", {"models", "engine"}},
      {"faults", {"faults", "engine"}},
      {"scenarios", {"scenarios", "engine"}},
      {"twin", {"twin", "scenarios", "engine"}},
      {"bridge", {"bridge", "twin", "scenarios", "faults", "models", "engine", "viz"}},
      {"viz", {"viz"}},
  };
  int seen = 0;
  for (const Source& s : sources()) {
    if (s.folder == "tests") continue;
    for (const std::string& line : s.lines) {
      const std::string header = included(line);
      const std::string to = header.substr(0, header.find('/'));
      if (!allowed.count(to) && to != "tests") continue;  // not ours, or beside the file
      ++seen;
      INFO(s.path << " includes " << header);
      CHECK(allowed.at(s.folder).count(to) == 1);
    }
  }
  CHECK(seen > 100);
}

TEST_CASE("our own headers are included by their path from the root", "[arch]") {
  for (const Source& s : sources()) {
    for (const std::string& line : s.lines) {
      const std::string header = included(line);
      if (header.empty() || line.find('"') == std::string::npos) continue;
      INFO(s.path << " includes " << header);
      CHECK(header.find('/') != std::string::npos);
      CHECK(header.find("..") == std::string::npos);
    }
  }
}

TEST_CASE("heavy headers stay behind a .cpp", "[arch]") {
  for (const Source& s : sources()) {
    // These two bring what they are about; no other header may include them.
    if (!s.path.ends_with(".hpp") || s.path == "tests/catch.hpp" || s.path == "engine/hdf5.hpp") continue;
    for (const std::string& line : s.lines) {
      const std::string header = included(line);
      for (const char* heavy : {"boost/numeric/odeint", "yaml-cpp", "hdf5.h", "engine/hdf5.hpp", "catch2", "date/"}) {
        INFO(s.path << " includes " << header);
        if (!header.empty()) CHECK(header.rfind(heavy, 0) == std::string::npos);
      }
    }
  }
}

TEST_CASE("the linear programs' solver is known to one file", "[arch]") {
  for (const Source& s : sources()) {
    for (const std::string& line : s.lines) {
      const std::string header = included(line);
      INFO(s.path << " includes " << header);
      if (header.starts_with("Clp") || header.starts_with("Coin")) CHECK(s.path == "scenarios/planning/dispatch_lp.cpp");
    }
  }
}

TEST_CASE("sockets are opened in bridge only", "[arch]") {
  for (const Source& s : sources()) {
    if (s.folder == "bridge" || s.folder == "tests") continue;
    for (const std::string& line : s.lines) {
      const std::string header = included(line);
      for (const char* net : {"sys/socket.h", "netinet/", "zmq", "mosquitto", "httplib", "boost/asio", "boost/beast"}) {
        INFO(s.path << " includes " << header);
        if (!header.empty()) CHECK(header.rfind(net, 0) == std::string::npos);
      }
    }
  }
}

TEST_CASE("no file is longer than 700 lines, and headers guard themselves", "[arch]") {
  for (const Source& s : sources()) {
    INFO(s.path << ": " << s.lines.size() << " lines");
    CHECK(s.lines.size() <= 700);
    if (s.path.ends_with(".hpp")) CHECK(std::find(s.lines.begin(), s.lines.end(), "#pragma once") != s.lines.end());
  }
}
