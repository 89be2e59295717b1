// The run's figures (the root attribute `kpis`) as cards, a table and one sentence.
#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace urja::viz {

std::string kpi_sentence(const nlohmann::json& kpis, const std::string& currency);
std::string kpi_cards(const nlohmann::json& kpis, const std::string& currency);
std::string kpi_table(const nlohmann::json& kpis, const std::string& currency);

}  // namespace urja::viz
