#include "scenarios/tree.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <sstream>

namespace urja {
namespace {

constexpr int most_depth = 64;
constexpr int most_nodes = 200'000;
constexpr std::size_t most_bytes = 16u << 20;

class Converter {
 public:
  Converter(const std::string& file, Problems& problems) : file_(file), problems_(problems) {}

  Node convert(const YAML::Node& from, const std::string& path, int depth) {
    Node to;
    to.path = path;
    to.line = from.Mark().line + 1;
    to.column = from.Mark().column + 1;
    if (stopped_) return to;
    if (depth > most_depth) return stop(to, "is nested too deeply", fmt::format("at most {} levels are allowed", most_depth));
    if (++nodes_ > most_nodes)
      return stop(to, "the file has too many values", fmt::format("at most {} are allowed; are aliases nested?", most_nodes));
    switch (from.Type()) {
      case YAML::NodeType::Scalar:
        to.kind = Node::Kind::scalar;
        to.text = from.Scalar();
        break;
      case YAML::NodeType::Sequence:
        to.kind = Node::Kind::list;
        for (std::size_t k = 0; k < from.size(); ++k)
          to.items.push_back(convert(from[k], fmt::format("{}[{}]", path, k + 1), depth + 1));
        break;
      case YAML::NodeType::Map:
        to.kind = Node::Kind::map;
        for (const auto& pair : from) {
          Node::Entry entry;
          entry.line = pair.first.Mark().line + 1;
          entry.column = pair.first.Mark().column + 1;
          if (!pair.first.IsScalar()) {
            problems_.add({file_, entry.line, entry.column, path, "a key must be a plain word", ""});
            continue;
          }
          entry.key = pair.first.Scalar();
          const std::string inner = path.empty() ? entry.key : path + "." + entry.key;
          if (to.find(entry.key)) {
            problems_.add({file_, entry.line, entry.column, inner, "this key is there already", "remove one of the two"});
            continue;
          }
          entry.value = convert(pair.second, inner, depth + 1);
          if (entry.value.kind == Node::Kind::null && entry.value.line <= 0)
            entry.value.line = entry.line, entry.value.column = entry.column;
          to.entries.push_back(std::move(entry));
        }
        break;
      default: break;
    }
    return to;
  }

 private:
  Node stop(const Node& at, const std::string& what, const std::string& mend) {
    stopped_ = true;
    problems_.add({file_, at.line, at.column, at.path.substr(0, at.path.find('[')), what, mend});  // not hundreds of indices
    return at;
  }

  const std::string& file_;
  Problems& problems_;
  int nodes_ = 0;
  bool stopped_ = false;
};

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& e : entries) {
    if (e.key == key) return &e.value;
  }
  return nullptr;
}
Node* Node::find(std::string_view key) { return const_cast<Node*>(static_cast<const Node*>(this)->find(key)); }

Node parse_yaml(const std::string& text, const std::string& file, Problems& problems) {
  try {
    if (text.size() > most_bytes) {
      problems.add({file, 0, 0, "", "the file is larger than 16 MB", "a scenario is text; data belong into files of their own"});
      return {};
    }
    return Converter(file, problems).convert(YAML::Load(text), "", 0);
  } catch (const YAML::Exception& e) {
    problems.add({file, e.mark.line + 1, e.mark.column + 1, "", "this is not YAML: " + e.msg,
                  "look at quotes, colons and indentation here"});
  } catch (const std::exception& e) { problems.add({file, 0, 0, "", std::string("cannot be read: ") + e.what(), ""}); }
  return {};
}

std::string read_text(const std::string& file, Problems& problems) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0) {
    problems.add({file, 0, 0, "", fmt::format("cannot be opened ({})", std::strerror(errno)), "check the path"});
    return "";
  }
  if (S_ISDIR(info.st_mode)) {
    problems.add({file, 0, 0, "", "is a folder, not a file", ""});
    return "";
  }
  std::ifstream in(file, std::ios::binary);
  std::string text(std::min<std::size_t>(most_bytes + 1, static_cast<std::size_t>(std::max<off_t>(info.st_size, 0))), '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.find('\0') != std::string::npos) {
    problems.add({file, 0, 0, "", "is not a text file", "a scenario is YAML"});
    return "";
  }
  return text;
}

namespace {
// A value from the command line stands nowhere in the file.
void place(Node& node, const std::string& path) {
  node.line = node.column = 0;
  node.path = path;
  for (std::size_t k = 0; k < node.items.size(); ++k) place(node.items[k], fmt::format("{}[{}]", path, k + 1));
  for (Node::Entry& e : node.entries) e.line = e.column = 0, place(e.value, path + "." + e.key);
}
}  // namespace

void set_at(Node& root, const std::string& assignment, Problems& problems) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0) {
    problems.add({"--set", 0, 0, "", "'" + assignment + "' is not key=value",
                  "for example --set assets.battery.state_of_charge=\"60 %\""});
    return;
  }
  const std::string path = assignment.substr(0, equals);
  Problems inner;
  Node value = parse_yaml(assignment.substr(equals + 1), "--set " + path, inner);
  for (const Problem& p : inner.list()) problems.add(p);
  Node* at = &root;
  std::istringstream parts(path);
  std::string part, so_far;
  while (std::getline(parts, part, '.')) {
    so_far += (so_far.empty() ? "" : ".") + part;
    if (at->kind != Node::Kind::map) *at = Node{Node::Kind::map, "", {}, {}, at->line, at->column, at->path};
    Node* next = at->find(part);
    if (!next) {
      Node::Entry entry;
      entry.key = part;
      entry.value.path = so_far;
      at->entries.push_back(std::move(entry));
      next = &at->entries.back().value;
    }
    at = next;
  }
  // A controller may be named by its model alone: --set controller=hold.
  if (path == "controller" && value.is_scalar()) {
    Node map;
    map.kind = Node::Kind::map;
    value.path = "controller.model";
    map.entries.push_back({"model", 0, 0, value});
    value = map;
  }
  place(value, "--set " + path);
  *at = std::move(value);
}

}  // namespace urja
