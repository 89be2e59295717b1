#include "scenarios/tree.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace urja {
namespace {

constexpr int most_depth = 64;
constexpr int most_nodes = 200'000;
constexpr std::size_t most_bytes = 16u << 20;
constexpr std::size_t most_files = 100;

class Converter {
 public:
  Converter(const std::string& file, Problems& problems)
      : file_(file), source_(std::make_shared<const std::string>(file)), problems_(problems) {}

  Node convert(const YAML::Node& from, const std::string& path, int depth) {
    Node to;
    to.path = path;
    to.source = source_;
    to.tag = from.Tag();
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
          if (const std::size_t colon = entry.key.find(':'); entry.value.kind == Node::Kind::null && colon != std::string::npos)
            problems_.add({file_, entry.line, entry.column, inner, "a space is missing after the colon",
                           fmt::format("write `{}: {}`", entry.key.substr(0, colon), entry.key.substr(colon + 1))});
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
  std::shared_ptr<const std::string> source_;
  Problems& problems_;
  int nodes_ = 0;
  bool stopped_ = false;
};

}  // namespace

const std::string& Node::file() const {
  static const std::string none;
  return source ? *source : none;
}
const Node* Node::find(std::string_view key) const {
  for (const Entry& e : entries) {
    if (e.key == key) return &e.value;
  }
  return nullptr;
}
Node* Node::find(std::string_view key) { return const_cast<Node*>(static_cast<const Node*>(this)->find(key)); }

namespace {

// Lines `from` to `to`, counted from 0.
std::vector<std::string> lines_of(const std::string& text, int from, int to) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  std::string line;
  for (int at = 0; at <= to && std::getline(in, line); ++at) {
    if (at >= from) lines.push_back(line);
  }
  return lines;
}
// Line and column, from 1, of a tab in the indentation of a line or the one before, or {0, 0}. The line counts from 0.
std::pair<int, int> tab_near(const std::string& text, int line) {
  const int from = std::max(line - 1, 0);
  const std::vector<std::string> lines = lines_of(text, from, line);
  for (std::size_t k = lines.size(); k-- > 0;) {
    const std::size_t tab = lines[k].find('\t');
    if (tab != std::string::npos && lines[k].find_first_not_of(" \t") > tab)
      return {from + static_cast<int>(k) + 1, static_cast<int>(tab) + 1};
  }
  return {0, 0};
}
// Does a line, or the one before, begin with `key:value`?
bool colon_without_space(const std::string& text, int line) {
  for (const std::string& one : lines_of(text, std::max(line - 1, 0), line)) {
    const std::size_t begin = one.find_first_not_of(' '), colon = one.find(':');
    if (begin == std::string::npos || colon == std::string::npos || colon + 1 >= one.size() || one[colon + 1] == ' ') continue;
    if (one[colon + 1] != '\r' && is_name(one.substr(begin, colon - begin))) return true;
  }
  return false;
}

}  // namespace

Node parse_yaml(const std::string& text, const std::string& file, Problems& problems) {
  try {
    if (text.size() > most_bytes) {
      problems.add({file, 0, 0, "", "the file is larger than 16 MB", "a scenario is text; data belong into files of their own"});
      return {};
    }
    return Converter(file, problems).convert(YAML::Load(text), "", 0);
  } catch (const YAML::Exception& e) {
    if (const auto tab = tab_near(text, e.mark.line); tab.first > 0)
      problems.add({file, tab.first, tab.second, "", "there is a tab; YAML indents with spaces only", ""});
    else
      problems.add({file, e.mark.line + 1, e.mark.column + 1, "", "this is not YAML: " + e.msg,
                    colon_without_space(text, e.mark.line) ? "a space is missing after the colon"
                                                           : "look at quotes, colons and indentation here"});
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
  if (text.size() <= most_bytes && !is_utf8(text)) {
    const bool utf16 = text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff");
    problems.add({file, 0, 0, "", utf16 ? "the text is in UTF-16" : "the text is not UTF-8", "save it as UTF-8"});
    return "";
  }
  if (text.find('\0') != std::string::npos) {
    problems.add({file, 0, 0, "", "is not a text file", "a scenario is YAML"});
    return "";
  }
  return text;
}

bool is_name(const std::string& text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-'; });
}

void known_keys(Problems& problems, const Node& map, const std::vector<std::string>& known, const std::string& whose) {
  for (const Node::Entry& e : map.entries) {
    if (std::find(known.begin(), known.end(), e.key) != known.end()) continue;
    const std::string close = nearest(e.key, known);
    problems.add({e.value.file(), e.line, e.column, e.value.path.empty() ? e.key : e.value.path,
                  fmt::format("{} has no key '{}'", whose, e.key),
                  close.empty() ? "it knows " + any_of(known) : fmt::format("did you mean '{}'?", close)});
  }
}

std::string relative_to(const std::string& file, const std::string& path) {
  const std::filesystem::path p(path);
  return p.is_absolute() ? path : (std::filesystem::path(file).parent_path() / p).lexically_normal().string();
}

namespace {

// Lays what a file says over what the files it includes say.
void lay_over(Node& below, Node&& above) {
  const auto model = [](const Node& node) {
    const Node* found = node.find("model");
    return found ? found->text : "";
  };
  const bool other_model = above.find("model") && below.find("model") && model(above) != model(below);
  if (!above.is_map() || !below.is_map() || other_model) {
    below = std::move(above);
    return;
  }
  for (Node::Entry& entry : above.entries) {
    const auto there =
        std::find_if(below.entries.begin(), below.entries.end(), [&](const auto& e) { return e.key == entry.key; });
    if (there == below.entries.end()) {
      below.entries.push_back(std::move(entry));
    } else if (entry.value.kind == Node::Kind::null) {
      below.entries.erase(there);
    } else {
      there->line = entry.line, there->column = entry.column;
      lay_over(there->value, std::move(entry.value));
    }
  }
  below.line = above.line, below.column = above.column, below.source = above.source;
}

class Includer {
 public:
  Includer(Problems& problems, std::vector<SourceText>& sources) : problems_(problems), sources_(sources) {}

  Node read(const std::string& file) {
    const std::size_t before = problems_.list().size();
    std::string text = read_text(file, problems_);
    if (problems_.list().size() > before) return {};
    sources_.push_back({file, text});
    Node own = parse_yaml(text, file, problems_);
    const Node* named = own.find("include");
    if (!named) return own;
    const std::vector<Node> files = named->kind == Node::Kind::list ? named->items : std::vector<Node>{*named};
    std::erase_if(own.entries, [](const Node::Entry& e) { return e.key == "include"; });
    open_.push_back(identity(file));
    Node all;
    all.kind = Node::Kind::map;
    for (const Node& one : files) include(one, all);
    open_.pop_back();
    lay_over(all, std::move(own));
    return all;
  }

 private:
  static std::string identity(const std::string& file) {
    std::error_code ignored;
    return std::filesystem::weakly_canonical(file, ignored).string();
  }
  void problem(const Node& at, const std::string& what, const std::string& mend) {
    problems_.add({at.file(), at.line, at.column, at.path, what, mend});
  }
  void include(const Node& named, Node& all) {
    if (!named.is_scalar() || named.text.empty())
      return problem(named, "expected the path of a file", "for example include: tariffs.yaml");
    const std::string path = relative_to(named.file(), named.text);
    if (const auto again = std::find(open_.begin(), open_.end(), identity(path)); again != open_.end()) {
      std::string circle;
      for (auto f = again; f != open_.end(); ++f) circle += std::filesystem::path(*f).filename().string() + " -> ";
      return problem(named,
                     fmt::format("the files include each other in a circle: {}{}", circle,
                                 std::filesystem::path(*again).filename().string()),
                     "take one of them out");
    }
    if (sources_.size() >= most_files) {
      if (!said_)
        problem(named, fmt::format("more than {} files are included", most_files), "does a file include others over and over?");
      said_ = true;
      return;
    }
    Problems inner;
    if (read_text(path, inner); !inner.empty())
      return problem(named, path + ": " + inner.list().front().what, inner.list().front().mend);
    Node other = read(path);
    if (other.is_map()) lay_over(all, std::move(other));
    else if (other.kind != Node::Kind::null) problem(named, path + " is no map of keys", "it holds parts of a scenario");
  }

  Problems& problems_;
  std::vector<SourceText>& sources_;
  std::vector<std::string> open_;
  bool said_ = false;
};

}  // namespace

Node read_tree(const std::string& file, Problems& problems, std::vector<SourceText>& sources) {
  return Includer(problems, sources).read(file);
}

namespace {
// A value from the command line stands nowhere in the file.
void place(Node& node, const std::string& path, const std::shared_ptr<const std::string>& source) {
  node.source = source;
  node.line = node.column = 0;
  node.path = path;
  for (std::size_t k = 0; k < node.items.size(); ++k) place(node.items[k], fmt::format("{}[{}]", path, k + 1), source);
  for (Node::Entry& e : node.entries) e.line = e.column = 0, place(e.value, path + "." + e.key, source);
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
  std::string so_far;
  for (std::string rest = path; !rest.empty();) {
    // A key may have dots itself (battery.power of `sensors`): the longest that is there.
    std::string part = rest.substr(0, rest.find('.'));
    for (const Node::Entry& e : at->entries) {
      if (e.key.size() > part.size() && (rest == e.key || rest.starts_with(e.key + "."))) part = e.key;
    }
    rest = rest.size() > part.size() ? rest.substr(part.size() + 1) : "";
    so_far += (so_far.empty() ? "" : ".") + part;
    if (at->kind != Node::Kind::map) *at = Node{Node::Kind::map, "", {}, {}, at->line, at->column, at->path, root.source};
    Node* next = at->find(part);
    if (!next) {
      Node::Entry entry;
      entry.key = part;
      entry.value.path = so_far;
      entry.value.source = root.source;
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
  place(value, "--set " + path, root.source);
  *at = std::move(value);
}

}  // namespace urja
