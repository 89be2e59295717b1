#include "scenarios/labelled_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <vector>

#include "engine/hdf5.hpp"

namespace urja {
namespace {

using namespace hdf5;
constexpr const char* task = "write the data set of the sweep (is the disk full?)";

using Shapes = std::map<std::string, std::vector<hsize_t>>;

// Every dataset of numbers of a result file that has a row for each interval.
Shapes shapes_of(hid_t file) {
  struct Found {
    Shapes all;
    hsize_t rows = 0;
  } found;
  const auto shape = [](hid_t set) {
    const Handle space(H5Dget_space(set), H5Sclose, task);
    std::vector<hsize_t> size(static_cast<std::size_t>(std::max(0, H5Sget_simple_extent_ndims(space))));
    if (!size.empty()) H5Sget_simple_extent_dims(space, size.data(), nullptr);
    return size;
  };
  {
    const Handle time(H5Dopen2(file, "/time", H5P_DEFAULT), H5Dclose, task);
    found.rows = shape(time).at(0);
  }
  for (const char* group : {"channels", "measured", "reference", "plant", "feeders", "faults", "without_faults"}) {
    if (H5Lexists(file, group, H5P_DEFAULT) <= 0) continue;
    struct Visit {
      Found* found;
      std::string group;
      hid_t file;
      decltype(shape)* of;
    } visit{&found, group, file, &shape};
    H5Ovisit_by_name(
        file, group, H5_INDEX_NAME, H5_ITER_INC,
        [](hid_t, const char* name, const H5O_info_t* info, void* to) -> herr_t {
          const auto& v = *static_cast<Visit*>(to);
          if (info->type != H5O_TYPE_DATASET) return 0;
          const std::string path = "/" + v.group + "/" + name;
          const Handle set(H5Dopen2(v.file, path.c_str(), H5P_DEFAULT), H5Dclose, task);
          const Handle type(H5Dget_type(set), H5Tclose, task);
          auto size = (*v.of)(set);
          if (H5Tget_class(type) == H5T_FLOAT && !size.empty() && size[0] == v.found->rows) v.found->all[path] = std::move(size);
          return 0;
        },
        &visit, H5P_DEFAULT);
  }
  return std::move(found.all);
}

void write_texts(hid_t at, const char* name, const std::vector<std::string>& texts, bool attribute = false) {
  const Handle type = text_type();
  const hsize_t count = texts.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose, task);
  std::vector<const char*> pointers;
  for (const std::string& t : texts) pointers.push_back(t.c_str());
  if (attribute) {
    const Handle set(H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, task);
    if (count > 0) check(H5Awrite(set, type, pointers.data()), task);
  } else {
    const Handle set(H5Dcreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose, task);
    if (count > 0) check(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, pointers.data()), task);
  }
}
void write_numbers(hid_t at, const char* name, const std::vector<double>& numbers, const std::string& unit = "") {
  const hsize_t count = numbers.size();
  const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose, task);
  const Handle set(H5Dcreate2(at, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose, task);
  check(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, numbers.data()), task);
  if (!unit.empty()) write_text(set, "unit", unit);
}
std::vector<double> read_numbers(hid_t file, const std::string& path, std::size_t count) {
  std::vector<double> all(count);
  const Handle set(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose, task);
  check(H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, all.data()), task);
  return all;
}

}  // namespace

std::string variant_file(std::size_t variant) { return fmt::format("variants/{}.h5", variant + 1); }

void write_labelled_set(const std::string& folder, const Sweep& sweep, const SweepResult& result) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  // What there is: of each variant, and of all together.
  const std::size_t variants = sweep.variants.size();
  std::vector<Shapes> of(variants);
  Shapes all;
  std::vector<double> time;
  std::vector<std::string> faults;
  for (std::size_t v = 0; v < variants; ++v) {
    if (result.variants[v].status != VariantResult::Status::complete) continue;
    const hid_t id = H5Fopen((folder + "/" + variant_file(v)).c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    if (id < 0) continue;
    const Handle file(id, H5Fclose, task);
    of[v] = shapes_of(file);
    if (all.empty() && !of[v].empty()) time = read_numbers(file, "/time", of[v].begin()->second[0]);
    for (const auto& [path, shape] : of[v]) {
      if (shape[0] != time.size()) continue;  // a variant of another length
      if (all.try_emplace(path, shape).second && path.starts_with("/faults/")) faults.push_back(path.substr(8));
    }
  }
  if (all.empty()) return;

  const std::string path = folder + "/dataset.h5";
  std::remove(path.c_str());
  const Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, task);
  check(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST), task);
  const Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access), H5Fclose, task);
  write_numbers(file, "/time", time);
  const Handle link(H5Pcreate(H5P_LINK_CREATE), H5Pclose, task);
  check(H5Pset_create_intermediate_group(link, 1), task);
  for (const auto& [name, shape] : all) {
    std::vector<hsize_t> whole{variants}, first(shape.size() + 1, 0), one{1};
    whole.insert(whole.end(), shape.begin(), shape.end());
    one.insert(one.end(), shape.begin(), shape.end());
    const Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, task);
    const double missing = std::numeric_limits<double>::quiet_NaN();
    check(H5Pset_fill_value(create, H5T_NATIVE_DOUBLE, &missing), task);
    const Handle source(H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr), H5Sclose, task);
    for (std::size_t v = 0; v < variants; ++v) {
      const auto its = of[v].find(name);
      if (its == of[v].end() || its->second != shape) continue;
      const Handle view(H5Screate_simple(static_cast<int>(whole.size()), whole.data(), nullptr), H5Sclose, task);
      first[0] = v;
      check(H5Sselect_hyperslab(view, H5S_SELECT_SET, first.data(), nullptr, one.data(), nullptr), task);
      check(H5Pset_virtual(create, view, variant_file(v).c_str(), name.c_str(), source), task);
    }
    const Handle space(H5Screate_simple(static_cast<int>(whole.size()), whole.data(), nullptr), H5Sclose, task);
    const Handle set(H5Dcreate2(file, name.c_str(), H5T_NATIVE_DOUBLE, space, link, create, H5P_DEFAULT), H5Dclose, task);
  }

  {  // Which fault is there. A share of an interval counts as there.
    std::vector<signed char> label(variants * time.size(), 0);
    for (std::size_t v = 0; v < variants; ++v) {
      const bool whole = std::any_of(of[v].begin(), of[v].end(), [&](const auto& s) { return s.second[0] == time.size(); });
      if (!whole) {
        std::fill_n(label.begin() + static_cast<std::ptrdiff_t>(v * time.size()), time.size(), static_cast<signed char>(-1));
        continue;
      }
      const Handle its(H5Fopen((folder + "/" + variant_file(v)).c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, task);
      for (std::size_t k = 0; k < faults.size(); ++k) {
        if (!of[v].count("/faults/" + faults[k])) continue;
        const std::vector<double> share = read_numbers(its, "/faults/" + faults[k], time.size());
        for (std::size_t t = 0; t < share.size(); ++t) {
          if (share[t] > 0) label[v * time.size() + t] = static_cast<signed char>(std::min<std::size_t>(k + 1, 127));
        }
      }
    }
    const std::vector<hsize_t> shape{variants, time.size()}, chunk{1, time.size()};
    const Handle space(H5Screate_simple(2, shape.data(), nullptr), H5Sclose, task),
        create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, task);
    check(H5Pset_chunk(create, 2, chunk.data()), task);
    check(H5Pset_deflate(create, 2), task);
    const Handle set(H5Dcreate2(file, "/label", H5T_NATIVE_SCHAR, space, H5P_DEFAULT, create, H5P_DEFAULT), H5Dclose, task);
    check(H5Dwrite(set, H5T_NATIVE_SCHAR, H5S_ALL, H5S_ALL, H5P_DEFAULT, label.data()), task);
    write_texts(set, "faults", faults, true);
  }

  const Handle group(H5Gcreate2(file, "/variants", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, task);
  std::vector<double> number, seed;
  std::vector<std::string> names;
  for (std::size_t v = 0; v < variants; ++v) {
    number.push_back(static_cast<double>(v + 1));
    seed.push_back(static_cast<double>(sweep.variants[v].seed_after));
    names.push_back(sweep.variants[v].name);
  }
  write_numbers(group, "number", number);
  write_numbers(group, "seed", seed);
  write_texts(group, "name", names);
  for (std::size_t k = 0; k < sweep.keys.size(); ++k) {
    std::vector<double> numbers;
    std::vector<std::string> texts;
    for (const Sweep::Variant& v : sweep.variants) {
      numbers.push_back(v.values[k].text.empty() ? std::nan("") : v.values[k].number);
      texts.push_back(v.values[k].shown);
    }
    std::string name = sweep.keys[k].key;
    std::replace(name.begin(), name.end(), '/', '_');
    if (sweep.keys[k].number) write_numbers(group, name.c_str(), numbers, sweep.keys[k].unit);
    else write_texts(group, name.c_str(), texts);
  }
}

}  // namespace urja
