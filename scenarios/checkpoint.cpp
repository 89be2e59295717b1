#include "scenarios/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

namespace urja {

using nlohmann::json;

void Checkpoint::write(const std::string& path) const {
  // CBOR keeps every bit of a double.
  const json all{{"urja_checkpoint", 1}, {"identity", identity}, {"steps", steps}, {"rows", rows},    {"wall_s", wall_s},
                 {"lane", lane},         {"sums", sums},         {"rest", rest},   {"faults", faults}};
  const std::vector<std::uint8_t> bytes = json::to_cbor(all);
  const std::string fresh = path + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    file.flush();
    if (!file) {
      std::remove(fresh.c_str());
      throw CheckpointError(fmt::format("{} could not be written: {}", fresh, std::strerror(errno)));
    }
  }
  if (std::rename(fresh.c_str(), path.c_str()) != 0)
    throw CheckpointError(fmt::format("{} could not be renamed: {}", fresh, std::strerror(errno)));
}

Checkpoint Checkpoint::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw CheckpointError(fmt::format("there is no {} to go on from", path));
  const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Checkpoint c;
  try {
    const json all = json::from_cbor(bytes);
    if (all.at("urja_checkpoint") != 1) throw CheckpointError(fmt::format("{} is of another version of urja", path));
    all.at("identity").get_to(c.identity);
    all.at("steps").get_to(c.steps);
    all.at("rows").get_to(c.rows);
    all.at("wall_s").get_to(c.wall_s);
    all.at("lane").get_to(c.lane);
    all.at("sums").get_to(c.sums);
    all.at("rest").get_to(c.rest);
    all.at("faults").get_to(c.faults);
  } catch (const json::exception&) { throw CheckpointError(fmt::format("{} is no checkpoint of urja, or is damaged", path)); }
  return c;
}

void Checkpoint::must_be(const std::vector<std::pair<std::string, std::string>>& wanted) const {
  std::string changed;
  for (const auto& [key, value] : wanted) {
    const bool same = std::any_of(identity.begin(), identity.end(),
                                  [&, k = key, v = value](const auto& i) { return i.first == k && i.second == v; });
    if (!same) changed += (changed.empty() ? "" : ", ") + key;
  }
  if (changed.empty() && identity.size() != wanted.size()) changed = "its data files";
  if (!changed.empty())
    throw CheckpointError(fmt::format("the run that was stopped is another one: changed since are {}", changed));
}

}  // namespace urja
