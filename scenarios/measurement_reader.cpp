#include "scenarios/measurement_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "scenarios/sensor_reader.hpp"

namespace urja {

void MeasurementReader::read(const Node& block, const std::string& prefix) {
  if (block.kind == Node::Kind::null) return;
  if (!block.is_map()) return fail(block, "expected channels by name", "for example measurements: {pv.power: plant.p_ac}");
  for (const Node::Entry& e : block.entries) {
    const std::string path = prefix + e.key;
    if (e.value.is_map()) read(e.value, path + ".");  // pv: {power: ..}, and what --set makes
    else read_one(e, path);
  }
}

void MeasurementReader::read_one(const Node::Entry& e, const std::string& path) {
  const std::string owner = path.substr(0, path.rfind('.'));
  if (not_loaded_.count(owner) && !s_.models.count(owner)) return;  // what is wrong with it has been said
  if (e.value.kind == Node::Kind::null) return;                     // takes an included one out
  const std::vector<MeasuredChannel> all = measurable_channels(*s_.plan, false);
  const auto found = std::find_if(all.begin(), all.end(), [&](const MeasuredChannel& c) { return c.path == path; });
  if (found == all.end()) {
    std::vector<std::string> known, of_asset;
    for (const MeasuredChannel& c : all) {
      known.push_back(c.path);
      if (c.path.starts_with(owner + ".")) of_asset.push_back(c.path);
    }
    const std::string close = nearest(path, known);
    Node at = e.value;
    at.line = e.line, at.column = e.column;
    return fail(at, fmt::format("there is no channel '{}'", path),
                !close.empty()      ? fmt::format("did you mean '{}'?", close)
                : !of_asset.empty() ? "its channels: " + any_of(of_asset)
                                    : "write ASSET.CHANNEL, such as pv.power; of a fleet, without a member's number");
  }
  const std::string text = e.value.is_scalar() ? e.value.text : "";
  const std::size_t dot = text.find('.');
  const std::string data = text.substr(0, dot);
  if (dot == std::string::npos || !data_names_.count(data)) {
    const std::vector<std::string> known(data_names_.begin(), data_names_.end());
    const std::string close = nearest(data, known);
    return fail(e.value,
                data_names_.count(text) ? fmt::format("'{}' is a data set, not one of its columns", text)
                                        : fmt::format("'{}' is not a column of a data set", text),
                data_names_.count(text) ? fmt::format("write {}.COLUMN", text)
                : known.empty()         ? "declare data sets under `data:`"
                                        : fmt::format("data sets are {}{}", any_of(known),
                                              close.empty() ? "" : fmt::format("; did you mean '{}'?", close)));
  }
  if (std::any_of(found->plan->references.begin(), found->plan->references.end(),
                  [&](const auto& r) { return r.asset == found->asset && r.channel == found->channel; }))
    return fail(e.value, fmt::format("'{}' is said twice", path), "keep one of them");
  const int row = found->plan->add_reference(found->asset, found->channel).row;
  assets_.bindings.push_back({{found->plan, -1, found->members},
                              row,
                              data,
                              text.substr(dot + 1),
                              found->unit,
                              {},
                              e.value.file(),
                              e.value.path,
                              e.value.line,
                              e.value.column,
                              true});
}

}  // namespace urja
