// The HTML report of one run.
#pragma once

#include <string>

namespace urja::viz {

// Reads the result file and writes one self-contained page: it opens offline and loads nothing. The page is written
// under a temporary name and renamed. Throws std::runtime_error with the file's name and what is wrong.
void write_report(const std::string& result_h5, const std::string& report_html);

}  // namespace urja::viz
