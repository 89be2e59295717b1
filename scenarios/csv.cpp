#include "scenarios/csv.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <system_error>

#include "scenarios/gunzip.hpp"

namespace urja {
namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t piece_bytes = 1 << 20;  // stays in the cache; no line is longer
constexpr std::size_t most_problems = 20;

// A cell as a message may show it: short and printable.
std::string shown(std::string_view cell) {
  constexpr std::size_t most = 40;
  std::string text(cell.substr(0, most));
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  return "'" + text + (cell.size() > most ? "..'" : "'");
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

bool means_missing(std::string_view cell) {
  if (cell.empty()) return true;
  if (cell.size() > 3) return false;
  std::array<char, 3> small{};
  for (std::size_t i = 0; i < cell.size(); ++i) small[i] = static_cast<char>(cell[i] | 0x20);
  const std::string_view word(small.data(), cell.size());
  return word == "na" || word == "nan";
}

// A date as 01/31/2023, 31.01.2023 or 31-01-23.
bool by_parts(std::string_view cell) {
  const auto digit = [&](std::size_t i) { return i < cell.size() && cell[i] >= '0' && cell[i] <= '9'; };
  std::size_t i = 0;
  for (int part = 0; part < 2; ++part, ++i) {
    const std::size_t from = i;
    while (digit(i)) ++i;
    if (i == from || i - from > 2 || i >= cell.size() || (cell[i] != '/' && cell[i] != '.' && cell[i] != '-')) return false;
  }
  return digit(i);
}

bool read_number(std::string_view cell, double& value) {
  if (cell.starts_with('+') && !cell.starts_with("+-")) cell.remove_prefix(1);
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  return error == std::errc() && end == cell.data() + cell.size() && std::isfinite(value);
}

// Most numbers are short: digits that fit a double, and a power of ten that is one, make the quotient exact
// to the last bit, as from_chars does at four times the cost. Leaves `p` alone and says no to any other cell.
inline bool read_short_number(const char*& p, const char* end, char separator, double& value) {
  static constexpr std::array<double, 23> tens{1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  const char* s = p;
  const bool minus = *s == '-';
  s += minus;
  std::uint64_t digits = 0;
  const auto digit = [&] { return static_cast<unsigned>(*s - '0') < 10; };
  const char* const first = s;
  for (; digit(); ++s) digits = digits * 10 + static_cast<unsigned>(*s - '0');
  std::ptrdiff_t count = s - first, after_point = 0;
  if (*s == '.') {
    const char* const point = ++s;
    for (; digit(); ++s) digits = digits * 10 + static_cast<unsigned>(*s - '0');
    after_point = s - point;
    count += after_point;
  }
  if (count == 0 || count > 18 || digits > (std::uint64_t{1} << 53)) return false;
  if (s != end && *s != separator) return false;
  const double whole = static_cast<double>(digits) / tens[static_cast<std::size_t>(after_point)];
  value = minus ? -whole : whole;
  p = s;
  return true;
}

class Reader {
 public:
  Reader(const std::string& file, std::span<const CsvColumn> wanted, std::vector<FileProblem>& problems)
      : file_(file), wanted_(wanted), problems_(problems) {}

  Csv read() {
    csv_.columns.resize(wanted_.size());
    const int descriptor = open();
    if (descriptor >= 0) {
      read_pieces(descriptor);
      ::close(descriptor);
    }
    for (const WrongCells& wrong : wrong_) {
      if (wrong.count > 1 && wrong.problem < problems_.size())
        problems_[wrong.problem].what += fmt::format(", and so {} {} more row{}", wrong.count == 2 ? "is" : "are",
                                                     wrong.count - 1, wrong.count == 2 ? "" : "s");
    }
    for (std::size_t i = 0; i < wanted_.size(); ++i)  // wanted twice
      if (twin_.size() > i && twin_[i] >= 0) csv_.columns[i] = csv_.columns[static_cast<std::size_t>(twin_[i])];
    return std::move(csv_);
  }

 private:
  void fail(int line, std::size_t column, std::string what, std::string mend, const std::string& about = "") {
    if (found_ >= most_problems) return;
    problems_.push_back({file_, line, static_cast<int>(column), "", std::move(what), std::move(mend), about});
    if (++found_ == most_problems) {
      problems_.push_back({file_, line, 1, "", "too many problems: the rest of the file is not read", ""});
      stop_ = true;
    }
  }
  void give_up(int line, std::string what, std::string mend) {
    fail(line, line > 0 ? 1 : 0, std::move(what), std::move(mend));
    stop_ = true;
  }

  int open() {
    namespace fs = std::filesystem;
    std::error_code ignored;
    if (fs::is_directory(file_, ignored)) {
      give_up(0, "this is a folder, not a file", "name a CSV file in it");
      return -1;
    }
    struct stat info {};
    if (::stat(file_.c_str(), &info) == 0 && !S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode)) {
      give_up(0, "this is neither a file nor a pipe", "name a CSV file");
      return -1;
    }
    const int descriptor = ::open(file_.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) return descriptor;
    if (errno != ENOENT) {
      give_up(0, fmt::format("the file cannot be read: {}", std::generic_category().message(errno)), "check its rights");
      return -1;
    }
    const fs::path path(file_), folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
    if (!fs::is_directory(folder, ignored)) {
      give_up(0, fmt::format("there is no folder {}", folder.string()), "correct the path; it starts at the scenario's folder");
      return -1;
    }
    std::vector<std::string> beside;
    for (const auto& entry : fs::directory_iterator(folder, ignored)) {
      beside.push_back(entry.path().filename().string());
      if (beside.size() > 10000) break;
    }
    const std::string near = nearest(path.filename().string(), beside);
    give_up(0, "there is no such file", near.empty() ? "correct its name" : "did you mean " + near + "?");
    return -1;
  }

  void read_pieces(int descriptor) {
    const auto buffer = std::make_unique_for_overwrite<char[]>(piece_bytes + 1);
    Gunzip bytes(descriptor);
    std::size_t held = 0;
    bool first_piece = true;
    while (!stop_) {
      const std::ptrdiff_t got = bytes.read(buffer.get() + held, piece_bytes - held);
      if (got < 0) return give_up(0, bytes.wrong(), bytes.mend());
      const bool at_end = got == 0;
      held += static_cast<std::size_t>(got);
      if (!at_end && held < piece_bytes) continue;  // pipes give little at a time
      char* begin = buffer.get();
      if (first_piece) {
        first_piece = false;
        begin = check_text(begin, held);
        if (stop_) return;
      }
      char* end = buffer.get() + held;
      if (at_end && end > begin && end[-1] != '\n') *end++ = '\n';  // there is one byte more than a piece
      char* const begin_of_lines = begin;
      while (!stop_ && begin < end) {
        char* const newline = static_cast<char*>(std::memchr(begin, '\n', static_cast<std::size_t>(end - begin)));
        if (newline == nullptr) break;
        line(begin, newline);
        begin = newline + 1;
      }
      if (at_end) break;
      if (begin == begin_of_lines && !stop_)
        return give_up(line_ + 1, "the line is longer than 1 MiB", "this is no CSV file of numbers; get it again");
      held = static_cast<std::size_t>(end - begin);
      std::memmove(buffer.get(), begin, held);
      if (!reserved_ && csv_.rows > 0 && !bytes.packed()) reserve(descriptor, static_cast<std::size_t>(begin - begin_of_lines));
    }
    if (!stop_ && line_ == 0) give_up(0, "the file is empty", "it starts with a line of column names");
    if (!stop_ && csv_.rows == 0) give_up(0, "the file has no rows", "add a row for each interval below the line of names");
  }

  void reserve(int descriptor, std::size_t bytes) {
    reserved_ = true;
    struct stat info {};
    if (::fstat(descriptor, &info) != 0 || !S_ISREG(info.st_mode)) return;
    const double rows = 1.01 * static_cast<double>(csv_.rows) * static_cast<double>(info.st_size) / static_cast<double>(bytes);
    for (auto& column : csv_.columns) column.reserve(static_cast<std::size_t>(rows) + 1);
  }

  // Turns away what is no text; skips the byte order mark.
  char* check_text(char* begin, std::size_t size) {
    const std::string_view text(begin, size);
    if (text.starts_with("PK\x03\x04")) give_up(0, "the file is packed, or a spreadsheet", "unpack it, or save it as CSV");
    else if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
      give_up(0, "the text is in UTF-16", "save it as UTF-8");
    else if (text.substr(0, 65536).find('\0') != text.npos) give_up(0, "the file is no text", "name a CSV file");
    return text.starts_with("\xEF\xBB\xBF") ? begin + 3 : begin;
  }

  void line(const char* begin, const char* end) {
    ++line_;
    const char* const last = end > begin && end[-1] == '\r' ? end - 1 : end;
    if (line_ == 1) return header({begin, last});
    if (begin == last || std::all_of(begin, last, [](char c) { return c == ' '; })) {
      if (blank_line_ == 0) blank_line_ = line_;
      return;
    }
    if (blank_line_ > 0) {
      fail(blank_line_, 1, "a blank line stands between rows", "remove it, or write NA where values are missing");
      blank_line_ = 0;
    }
    row(begin, last);
  }

  void row(const char* const begin, const char* const end) {
    const char* p = begin;
    std::size_t cells = 0;
    for (;;) {
      if (cells == slots_.size()) {  // what is left of the row is only counted
        cells += rest_of_cells(begin, p, end);
        break;
      }
      const int slot = slots_[cells];
      if (slot < 0) {
        if (p < end && *p == '"') p = end_of_quoted(begin, p, end);
        while (p < end && *p != separator_) ++p;
      } else {
        const auto wanted = static_cast<std::size_t>(slot);
        double value;
        if (!plain_[wanted] || !read_short_number(p, end, separator_, value)) value = read_cell(begin, p, end, wanted);
        csv_.columns[wanted].push_back(value);
      }
      ++cells;
      if (p >= end) break;
      ++p;  // the separator
    }
    ++csv_.rows;
    if (cells == width_) return;
    fail(line_, static_cast<std::size_t>(end - begin) + 1,
         fmt::format("the row has {} cell{}, the first line has {}", cells, cells == 1 ? "" : "s", width_),
         cells > width_ ? "put quotes around a cell with the separator in it" : "the file may be cut off here: get it again");
    for (auto& column : csv_.columns)
      if (column.size() < csv_.rows) column.push_back(missing);
  }

  std::size_t rest_of_cells(const char* begin, const char* p, const char* end) {
    if (std::memchr(p, '"', static_cast<std::size_t>(end - p)) == nullptr)
      return 1 + static_cast<std::size_t>(std::count(p, end, separator_));
    for (std::size_t cells = 1;; ++cells, ++p) {
      if (p < end && *p == '"') p = end_of_quoted(begin, p, end);
      while (p < end && *p != separator_) ++p;
      if (p >= end) return cells;
    }
  }

  // `p` is at a quote; returns where the cell goes on behind the closing one.
  const char* end_of_quoted(const char* begin, const char* p, const char* end) {
    for (const char* s = p + 1; s < end; ++s) {
      if (*s != '"') continue;
      if (s + 1 < end && s[1] == '"') ++s;
      else return s + 1;
    }
    fail(line_, static_cast<std::size_t>(p - begin) + 1, "the quote is not closed in its line",
         "close it; a cell has no line breaks");
    return end;
  }

  // Any cell but a short number; moves `p` to its end.
  double read_cell(const char* begin, const char*& p, const char* end, std::size_t slot) {
    const char* const at = p;
    std::string_view cell;
    std::string unquoted;
    if (*p == '"') {
      p = end_of_quoted(begin, p, end);
      cell = {at + 1, static_cast<std::size_t>(std::max<std::ptrdiff_t>(p - at - 2, 0))};
      if (cell.find('"') != cell.npos) {
        for (std::size_t i = 0; i < cell.size(); ++i) {
          unquoted += cell[i];
          if (cell[i] == '"') ++i;
        }
        cell = unquoted;
      }
      const char* const quoted_end = p;
      while (p < end && *p != separator_) ++p;
      if (p != quoted_end) {
        fail(line_, static_cast<std::size_t>(quoted_end - begin) + 1, "text follows a closing quote",
             "put quotes around the whole cell");
        return missing;
      }
    } else {
      while (p < end && *p != separator_) ++p;
      cell = {at, static_cast<std::size_t>(p - at)};
    }
    cell = trimmed(cell);
    if (means_missing(cell)) return missing;
    const CsvColumn& column = wanted_[slot];
    double value = 0;
    if (column.read ? column.read(cell, value) : read_number(cell, value)) return value;
    const bool number = column.form.empty(), decimal_comma = number && cell.find(',') != cell.npos;
    if (!number || decimal_comma) {  // one message for all
      if (wrong_.size() <= slot) wrong_.resize(slot + 1);
      WrongCells& wrong = wrong_[slot];
      if (wrong.count++ > 0) return missing;
      wrong.problem = problems_.size();
      fail(line_, static_cast<std::size_t>(at - begin) + 1,
           fmt::format("{} in column {} is no {}", shown(cell), column.name, number ? "number" : column.form),
           decimal_comma    ? "write a decimal point and no commas"
           : by_parts(cell) ? "write 2023-01-31 00:15 or 2023-01-31T00:15Z: whether day or month comes first is not guessed"
                            : "correct it");
      return missing;
    }
    fail(line_, static_cast<std::size_t>(at - begin) + 1, fmt::format("{} in column {} is no number", shown(cell), column.name),
         "expected a finite number, or an empty cell where the value is missing");
    return missing;
  }

  void header(std::string_view text) {
    if (!is_utf8(text)) return give_up(1, "the text is not UTF-8", "save it as UTF-8");
    // The separator: whichever is there most, outside quotes.
    std::array<std::pair<int, char>, 3> counts{{{0, ','}, {0, ';'}, {0, '\t'}}};
    bool quoted = false;
    for (const char c : text) {
      if (c == '"') quoted = !quoted;
      for (auto& [count, separator] : counts) count += !quoted && c == separator;
    }
    if (quoted) return give_up(1, "a quote is not closed in the line of column names", "close it");
    separator_ = std::max_element(counts.begin(), counts.end(), [](auto& a, auto& b) { return a.first < b.first; })->second;

    std::vector<std::string> names;
    std::size_t begin = 0;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (i < text.size() && text[i] == '"') quoted = !quoted;
      if (i < text.size() && (quoted || text[i] != separator_)) continue;
      std::string_view name = trimmed(text.substr(begin, i - begin));
      if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = trimmed(name.substr(1, name.size() - 2));
      names.emplace_back(name);
      begin = i + 1;
    }
    if (names.size() == 1 && names[0].empty()) return give_up(1, "the first line is blank", "it names the columns");
    width_ = names.size();
    slots_.assign(width_, -1);
    twin_.assign(wanted_.size(), -1);
    for (std::size_t i = 0; i < wanted_.size(); ++i) place(i, names);
    while (!slots_.empty() && slots_.back() < 0) slots_.pop_back();
    for (const CsvColumn& column : wanted_) plain_.push_back(!column.read);
    stop_ = stop_ || found_ > 0;  // what the rows hold would not help
  }

  void place(std::size_t i, const std::vector<std::string>& names) {
    const std::string& name = wanted_[i].name;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
      double number;
      const bool no_names =
          std::all_of(names.begin(), names.end(), [&](const std::string& n) { return n.empty() || read_number(n, number); });
      const std::string near = nearest(name, names);
      std::vector<std::string> printable;
      for (const std::string& n : names) printable.push_back(shown(n).substr(1, shown(n).size() - 2));
      return fail(1, 1, fmt::format("there is no column {}", shown(name)),
                  no_names        ? "the first line must name the columns: it holds numbers"
                  : !near.empty() ? "did you mean " + near + "?"
                                  : "it has " + any_of(printable),
                  name);
    }
    if (std::find(found + 1, names.end(), name) != names.end())
      return fail(1, 1, fmt::format("two columns are named {}", shown(name)), "give each its own name", name);
    int& slot = slots_[static_cast<std::size_t>(found - names.begin())];
    if (slot < 0) slot = static_cast<int>(i);
    else if (!wanted_[i].read && !wanted_[static_cast<std::size_t>(slot)].read) twin_[i] = slot;
    else
      fail(1, 1, fmt::format("column {} is wanted both as numbers and as times", shown(name)),
           "take another column for one of them");
  }

  const std::string& file_;
  std::span<const CsvColumn> wanted_;
  std::vector<FileProblem>& problems_;
  Csv csv_;
  char separator_ = ',';
  std::size_t width_ = 0;
  std::vector<int> slots_;   // per cell of a row, up to the last wanted: which wanted column, or -1
  std::vector<int> twin_;    // per wanted column: the one that reads the same cells, or -1
  std::vector<char> plain_;  // per wanted column: holds numbers
  int line_ = 0, blank_line_ = 0;
  struct WrongCells {
    std::size_t count = 0, problem = 0;
  };
  std::vector<WrongCells> wrong_;  // per wanted column: cells of its own form that are not so, and where that is told
  std::size_t found_ = 0;
  bool stop_ = false, reserved_ = false;
};

}  // namespace

Csv read_csv(const std::string& file, std::span<const CsvColumn> wanted, std::vector<FileProblem>& problems) {
  return Reader(file, wanted, problems).read();
}

int cell_place(const std::string& file, int line, const std::string& column) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) return 1;
  std::ifstream in(file, std::ios::binary);
  // Where each cell of a line begins. The separator is found as in Reader::header.
  const auto cells = [](const std::string& text, char separator) {
    std::vector<std::size_t> begins{0};
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '"') quoted = !quoted;
      if (text[i] == separator && !quoted) begins.push_back(i + 1);
    }
    return begins;
  };
  std::string head, text;
  if (!std::getline(in, head)) return 1;
  if (head.starts_with("\xEF\xBB\xBF")) head.erase(0, 3);
  std::vector<std::size_t> names;
  char separator = ',';
  for (const char candidate : {',', ';', '\t'}) {
    auto found = cells(head, candidate);
    if (found.size() > names.size()) names = std::move(found), separator = candidate;
  }
  for (int at = 2; at <= line; ++at) {
    if (!std::getline(in, text)) return 1;
  }
  const std::vector<std::size_t> row = cells(text, separator);
  for (std::size_t k = 0; k < names.size(); ++k) {
    const std::size_t end = k + 1 < names.size() ? names[k + 1] - 1 : head.size();
    std::string_view name(head.data() + names[k], end - names[k]);
    if (name.ends_with('\r')) name.remove_suffix(1);
    name = trimmed(name);
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = trimmed(name.substr(1, name.size() - 2));
    if (name == column) return k < row.size() ? static_cast<int>(row[k]) + 1 : 1;
  }
  return 1;
}

}  // namespace urja
