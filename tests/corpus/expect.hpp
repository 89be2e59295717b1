#pragma once
// The corpus of files that must be refused, and what their first lines say of it.
#include <algorithm>
#include <cctype>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "scenarios/problems.hpp"

namespace urja::tests {

namespace fs = std::filesystem;

inline const fs::path corpus = fs::path(URJA_SOURCE_DIR) / "tests" / "corpus";

inline std::vector<fs::path> files_of(const char* folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(corpus / folder)) {
    if (entry.path().extension() == ".yaml") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

// "# expect: [OTHER_FILE:]LINE:COLUMN: text .. more text": the texts stand in the message in this order; 0:0 is the whole file.
struct Expected {
  std::string file;
  int line = 0, column = 0;
  std::string text;

  bool fits(const Problem& p) const {
    if (fs::path(p.file).filename() != file || p.line != line || p.column != column) return false;
    const std::string message = (p.key.empty() ? "" : p.key + ": ") + p.what + (p.mend.empty() ? "" : "; " + p.mend);
    std::size_t at = 0;
    for (std::size_t from = 0; from <= text.size();) {
      const std::size_t gap = std::min(text.find(" .. ", from), text.size());
      const std::string part = text.substr(from, gap - from);
      const std::size_t found = message.find(part, at);
      if (found == std::string::npos || (from == 0 && found != 0)) return false;
      at = found + part.size();
      from = gap + 4;
    }
    return true;
  }
};
inline std::vector<Expected> expectations(const fs::path& file) {
  std::vector<Expected> all;
  std::ifstream in(file);
  const std::string head = "# expect: ";
  for (std::string line; std::getline(in, line) && line.rfind(head, 0) == 0;) {
    std::string rest = line.substr(head.size());
    Expected e;
    e.file = file.filename().string();
    const std::size_t colon = rest.find(':');
    if (!std::isdigit(static_cast<unsigned char>(rest[0]))) e.file = rest.substr(0, colon), rest = rest.substr(colon + 1);
    int used = 0;
    if (std::sscanf(rest.c_str(), "%d:%d: %n", &e.line, &e.column, &used) != 2)
      throw std::runtime_error(file.string() + ": cannot read: " + line);
    e.text = rest.substr(static_cast<std::size_t>(used));
    all.push_back(e);
  }
  return all;
}

}  // namespace urja::tests
