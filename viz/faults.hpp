// What broke in the run: a table of the faults with what each cost, and the times at which they were there, for the plots.
#pragma once

#include "viz/result_file.hpp"
#include "viz/whole_run.hpp"

namespace urja::viz {

// `kpis`: its `faults` and `without_faults`. The data are [{label, spans: [[begin, end] ..]} ..]; empty for a run without faults.
Part faults_part(const ResultFile& file, const nlohmann::json& kpis, const std::string& currency);

}  // namespace urja::viz
