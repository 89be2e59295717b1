// The page that every report is: one file, one look, one content policy. What differs between reports comes in as HTML
// (header and main), as data for the scripts, and as the names of style sheets and scripts under report/.
#pragma once

#include <nlohmann/json.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace urja::viz {

struct Page {
  std::string title;   // plain text
  std::string body;    // HTML
  std::string footer;  // HTML
  nlohmann::json data;
  std::vector<std::string_view> styles, scripts;  // after those that all pages have
};

void write_page(const std::string& path, const Page& page);  // under a temporary name, renamed when it is whole

// Fills {{name}} in one pass: what is filled in is never looked at again.
std::string fill(std::string_view text, const std::map<std::string_view, std::string_view>& parts);

nlohmann::json parse_object(const std::string& text);  // an empty object where the text is none

// Somebody's text, folded, with numbered lines.
std::string code_block(const std::string& name, const std::string& text, std::size_t limit);

std::string notes_list(const std::vector<std::string>& notes);

}  // namespace urja::viz
