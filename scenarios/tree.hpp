#pragma once
// A YAML file as a tree that remembers where everything stood, behind which yaml-cpp stays hidden.
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/problems.hpp"

namespace urja {

struct Node {
  enum class Kind { null, scalar, list, map };
  struct Entry;

  Kind kind = Kind::null;
  std::string text;  // of a scalar
  std::vector<Node> items;
  std::vector<Entry> entries;
  int line = 0, column = 0;
  std::string path;  // "assets.battery.rating"

  const Node* find(std::string_view key) const;
  Node* find(std::string_view key);
  bool is_map() const { return kind == Kind::map; }
  bool is_scalar() const { return kind == Kind::scalar; }
};

struct Node::Entry {
  std::string key;
  int line = 0, column = 0;
  Node value;
};

// Reads a YAML text. Problems: no YAML, a key twice, nested deeper than 64, more than 200,000 nodes (aliases count each time
// they are used), larger than 16 MB. Returns a null node then.
Node parse_yaml(const std::string& text, const std::string& file, Problems& problems);
// Reads the whole file; a problem if there is none or if it is not a text of at most 16 MB.
std::string read_text(const std::string& file, Problems& problems);

// `--set assets.battery.rating="5 kW"`: puts a YAML value at a path, making maps on the way.
void set_at(Node& root, const std::string& assignment, Problems& problems);

}  // namespace urja
