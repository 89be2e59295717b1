// The run's figures (the root attribute `kpis`) as cards, a table and one sentence.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace urja::viz {

// Keys in the order in which one asks for them (demand, sources, storage, grid, money), group by group.
std::vector<std::vector<std::string>> kpi_groups();

// What a figure is called and its unit ("1" of a share, a currency of money); "unserved_kwh_by_zone.critical" is a part of one.
struct KpiName {
  std::string name, unit;
};
KpiName kpi_name(const std::string& key, const std::string& currency);

std::string kpi_sentence(const nlohmann::json& kpis, const std::string& currency);
std::string kpi_cards(const nlohmann::json& kpis, const std::string& currency);
std::string kpi_table(const nlohmann::json& kpis, const std::string& currency);

}  // namespace urja::viz
