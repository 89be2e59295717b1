#include "viz/page.hpp"

#include "viz/assets.hpp"
#include "viz/page_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace urja::viz {

using nlohmann::json;

namespace {

constexpr std::size_t k_notes_shown = 12;

void write_file(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  {
    std::ofstream out(part, std::ios::binary | std::ios::trunc);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    out.close();
    if (!out) {
      std::error_code ignored;
      std::filesystem::remove(part, ignored);
      throw std::runtime_error(fmt::format("{}: cannot be written", path));
    }
  }
  std::error_code error;
  std::filesystem::rename(part, path, error);
  if (error) throw std::runtime_error(fmt::format("{}: cannot be written ({})", path, error.message()));
}

std::string joined(std::string_view first, const std::vector<std::string_view>& more) {
  std::string all(asset(first));
  for (const std::string_view name : more) all.append(asset(name));
  return all;
}

}  // namespace

std::string fill(std::string_view page, const std::map<std::string_view, std::string_view>& parts) {
  std::string out;
  while (true) {
    const std::size_t open = page.find("{{");
    if (open == std::string_view::npos) return out.append(page);
    const std::size_t close = page.find("}}", open);
    out.append(page.substr(0, open));
    out.append(parts.at(page.substr(open + 2, close - open - 2)));
    page.remove_prefix(close + 2);
  }
}

void write_page(const std::string& path, const Page& page) {
  const std::string title = escape(page.title), style = joined("page.css", page.styles), script = joined("page.js", page.scripts),
                    licences = escape(asset("vendor/LICENSES.txt"));
  // ensure_ascii keeps U+2028 out; '<' must not appear, or a name could end the script element
  const std::string data = replaced(page.data.dump(-1, ' ', true, json::error_handler_t::replace), "<", "\\u003c");
  write_file(path, fill(asset("page.html"), {{"title", title},
                                             {"body", page.body},
                                             {"footer", page.footer},
                                             {"licences", licences},
                                             {"data", data},
                                             {"style", style},
                                             {"echarts", asset("vendor/echarts.min.js")},
                                             {"script", script}}));
}

json parse_object(const std::string& text) {
  json j = json::parse(text, nullptr, false);
  return j.is_object() ? j : json::object();
}

std::string code_block(const std::string& name, const std::string& text, std::size_t limit) {
  std::string rest = valid_utf8(std::string_view(text).substr(0, limit)), note, lines;
  if (text.size() > limit)
    note = fmt::format("<p class=\"note\">The first {} of {} characters.</p>\n", number(static_cast<double>(limit)),
                       number(static_cast<double>(text.size())));
  if (!rest.empty() && rest.back() == '\n') rest.pop_back();
  std::size_t count = 0;
  for (std::size_t at = 0; at <= rest.size(); ++count) {
    const std::size_t end = std::min(rest.find('\n', at), rest.size());
    lines += "<span>" + escape(std::string_view(rest).substr(at, end - at)) + "\n</span>";
    at = end + 1;
  }
  return fmt::format("<details><summary>{} <small>{}</small></summary>\n{}<pre class=\"code\">{}</pre>\n</details>\n",
                     escape(name), count == 1 ? "1 line" : number(static_cast<double>(count)) + " lines", note, lines);
}

std::string notes_list(const std::vector<std::string>& notes) {
  if (notes.empty()) return {};
  std::string s = "<ul class=\"notes\">\n";
  for (std::size_t i = 0; i < std::min(notes.size(), k_notes_shown); ++i) s += "<li>" + escape(notes[i]) + "</li>\n";
  if (notes.size() > k_notes_shown)
    s += fmt::format("<li>… and {} more remarks of this kind.</li>\n", notes.size() - k_notes_shown);
  return s + "</ul>\n";
}

}  // namespace urja::viz
