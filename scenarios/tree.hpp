#pragma once
// A YAML file as a tree that remembers where everything stood, behind which yaml-cpp stays hidden.
#include <memory>
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
  std::shared_ptr<const std::string> source;
  std::string tag{};  // "!Genset", of files that are not ours; "?" or "!" where none is written

  // In which it stands, or, of a value from the command line, which it changes.
  const std::string& file() const;

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

// A file that was read.
struct SourceText {
  std::string file, text;
};
// Reads a file and those that it includes:
//
//   include: tariffs.yaml      or a list of files, relative to the one that names them; they may include others
//
// What an included file says holds as if it stood here, unless this file says something else: maps are merged, anything else takes
// the place of what was there, and so does an asset of another `model`; a key without a value takes out what was there. Of several
// included files the later one holds. Nodes keep the file they came from. Problems: what parse_yaml finds, a file that includes
// itself, more than a hundred files. `sources`: all files read, the first one first.
Node read_tree(const std::string& file, Problems& problems, std::vector<SourceText>& sources);

// A problem for each key of a map that is not among the known ones; `whose`: "a feeder".
void known_keys(Problems& problems, const Node& map, const std::vector<std::string>& known, const std::string& whose);

// A word that names an asset, a data set, a feeder, a fault: letters, digits, _ and -.
bool is_name(const std::string& text);

// Path as a file means it: relative to the folder that the file is in.
std::string relative_to(const std::string& file, const std::string& path);

// `--set assets.battery.rating="5 kW"`: puts a YAML value at a path, making maps on the way.
void set_at(Node& root, const std::string& assignment, Problems& problems);

}  // namespace urja
