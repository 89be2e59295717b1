#include "viz/result_file.hpp"

#include <hdf5.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <utility>

namespace urja::viz {
namespace {

// An HDF5 identifier that closes itself, whatever it names.
class Id {
 public:
  explicit Id(hid_t id = -1) : id_(id) {}
  Id(Id&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  Id& operator=(Id&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  ~Id() {
    if (id_ >= 0) H5Idec_ref(id_);
  }
  operator hid_t() const { return id_; }
  bool ok() const { return id_ >= 0; }
  hid_t release() { return std::exchange(id_, -1); }

 private:
  hid_t id_;
};

// HDF5 prints its error stack to stderr unless told otherwise; we put it into our own messages.
class Quiet {
 public:
  Quiet() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Quiet() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

std::string innermost_error() {
  std::string found;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned n, const H5E_error2_t* e, void* out) -> herr_t {
        if (n == 0 && e->desc) *static_cast<std::string*>(out) = e->desc;
        return 0;
      },
      &found);
  return found;
}

std::vector<hsize_t> shape_of(hid_t space) {
  const int rank = H5Sget_simple_extent_ndims(space);
  if (rank <= 0) return {};
  std::vector<hsize_t> shape(static_cast<std::size_t>(rank));
  H5Sget_simple_extent_dims(space, shape.data(), nullptr);
  return shape;
}

bool is_number(hid_t type) {
  const H5T_class_t c = H5Tget_class(type);
  return c == H5T_FLOAT || c == H5T_INTEGER;
}

// The bytes of `count` strings of `type` (variable or fixed length), as read into memory.
std::vector<std::string> take_strings(hid_t type, hid_t space, std::vector<char>& raw, std::size_t count) {
  std::vector<std::string> all(count);
  if (H5Tis_variable_str(type) > 0) {
    for (std::size_t i = 0; i < count; ++i) {
      char* p = nullptr;
      std::memcpy(&p, raw.data() + i * sizeof p, sizeof p);
      if (p) all[i] = p;
    }
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw.data());
    return all;
  }
  const std::size_t size = H5Tget_size(type);
  for (std::size_t i = 0; i < count; ++i) {
    const char* p = raw.data() + i * size;
    all[i].assign(p, strnlen(p, size));
    if (H5Tget_strpad(type) == H5T_STR_SPACEPAD) all[i].erase(all[i].find_last_not_of(' ') + 1);
  }
  return all;
}

std::optional<std::string> attribute_text(hid_t object, const char* name) {
  if (H5Aexists(object, name) <= 0) return {};
  const Id attribute(H5Aopen(object, name, H5P_DEFAULT));
  if (!attribute.ok()) return {};
  const Id type(H5Aget_type(attribute)), space(H5Aget_space(attribute));
  if (H5Sget_simple_extent_npoints(space) != 1) return {};
  if (H5Tget_class(type) == H5T_STRING) {
    std::vector<char> raw(std::max<std::size_t>(H5Tget_size(type), sizeof(char*)));
    if (H5Aread(attribute, type, raw.data()) < 0) return {};
    return take_strings(type, space, raw, 1)[0];
  }
  if (is_number(type)) {
    double x = 0;
    if (H5Aread(attribute, H5T_NATIVE_DOUBLE, &x) < 0) return {};
    if (H5Tget_class(type) == H5T_FLOAT) return fmt::format("{}", x);
    long long i = 0;
    if (H5Aread(attribute, H5T_NATIVE_LLONG, &i) < 0) return {};
    return fmt::format("{}", i);
  }
  return {};
}

std::vector<std::string> names_in(hid_t group) {
  std::vector<std::string> names;
  hsize_t at = 0;
  H5Literate(
      group, H5_INDEX_NAME, H5_ITER_INC, &at,
      [](hid_t, const char* name, const H5L_info_t*, void* out) -> herr_t {
        static_cast<std::vector<std::string>*>(out)->push_back(name);
        return 0;
      },
      &names);
  return names;
}

bool has(hid_t where, const char* name) {
  return H5Lexists(where, name, H5P_DEFAULT) > 0 && H5Oexists_by_name(where, name, H5P_DEFAULT) > 0;
}

H5I_type_t kind_of(hid_t where, const char* name) {
  const Id object(H5Oopen(where, name, H5P_DEFAULT));
  return object.ok() ? H5Iget_type(object) : H5I_BADID;
}

// A column of events: a dataset of the group /events, or one field of the compound dataset /events.
struct Column {
  Id dataset, type;   // type: of one entry, in the file
  std::string field;  // empty in a group
};

Column event_column(hid_t file, const char* field) {
  Column c;
  if (!has(file, "events")) return c;
  if (kind_of(file, "events") == H5I_GROUP) {
    const Id group(H5Gopen2(file, "events", H5P_DEFAULT));
    if (!has(group, field) || kind_of(group, field) != H5I_DATASET) return c;
    c.dataset = Id(H5Dopen2(group, field, H5P_DEFAULT));
    c.type = Id(H5Dget_type(c.dataset));
    return c;
  }
  Id dataset(H5Dopen2(file, "events", H5P_DEFAULT));
  if (!dataset.ok()) return c;
  const Id whole(H5Dget_type(dataset));
  if (H5Tget_class(whole) != H5T_COMPOUND) return c;
  const int i = H5Tget_member_index(whole, field);
  if (i < 0) return c;
  c.type = Id(H5Tget_member_type(whole, static_cast<unsigned>(i)));
  c.dataset = std::move(dataset);
  c.field = field;
  return c;
}

// Reads rows of a one-dimensional column with the given type of one entry. False if the file does not give them.
bool read_column(const Column& c, hid_t entry, std::size_t first, std::size_t count, void* out, Id* memory_space) {
  const Id space(H5Dget_space(c.dataset));
  const std::vector<hsize_t> shape = shape_of(space);
  if (shape.size() != 1 || shape[0] < first + count) return false;
  const hsize_t start = first, n = count;
  H5Sselect_hyperslab(space, H5S_SELECT_SET, &start, nullptr, &n, nullptr);
  *memory_space = Id(H5Screate_simple(1, &n, nullptr));
  if (c.field.empty()) return H5Dread(c.dataset, entry, *memory_space, space, H5P_DEFAULT, out) >= 0;
  const Id compound(H5Tcreate(H5T_COMPOUND, H5Tget_size(entry)));
  H5Tinsert(compound, c.field.c_str(), 0, entry);
  return H5Dread(c.dataset, compound, *memory_space, space, H5P_DEFAULT, out) >= 0;
}

std::vector<std::string> read_text_column(hid_t file, const char* field, std::size_t first, std::size_t count) {
  const Column c = event_column(file, field);
  if (!c.dataset.ok() || H5Tget_class(c.type) != H5T_STRING) return {};
  std::vector<char> raw(count * std::max<std::size_t>(H5Tget_size(c.type), sizeof(char*)));
  Id space;
  if (!read_column(c, c.type, first, count, raw.data(), &space)) return {};
  return take_strings(c.type, space, raw, count);
}

hid_t id_of(std::int64_t file) { return static_cast<hid_t>(file); }

}  // namespace

void ResultFile::fail(const std::string& what) const { throw std::runtime_error(fmt::format("{}: {}", path_, what)); }

ResultFile::ResultFile(const std::string& path) : path_(path) {
  const Quiet quiet;
  std::error_code error;
  if (!std::filesystem::exists(path, error)) fail("no such file");
  if (!std::filesystem::is_regular_file(path, error)) fail("is not a file");
  Id file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  if (!file.ok()) {
    const std::string why = innermost_error();
    const htri_t hdf5 = H5Fis_hdf5(path.c_str());
    if (hdf5 == 0) fail("is not an HDF5 file, or its beginning is missing");
    if (why.find("truncated") != std::string::npos) fail(fmt::format("is cut off, so it cannot be read ({})", why));
    fail(fmt::format("cannot be opened as a result file ({})", why));
  }

  if (!has(file, "time") || kind_of(file, "time") != H5I_DATASET) fail("holds no dataset /time, so it is not a result file");
  const Id time(H5Dopen2(file, "time", H5P_DEFAULT)), space(H5Dget_space(time)), type(H5Dget_type(time));
  const std::vector<hsize_t> shape = shape_of(space);
  if (shape.size() != 1 || !is_number(type)) fail("/time is not one column of numbers");
  time_.resize(shape[0]);
  if (!time_.empty() && H5Dread(time, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, time_.data()) < 0)
    fail(fmt::format("/time cannot be read ({})", innermost_error()));
  for (std::size_t i = 0; i < time_.size(); ++i) {
    if (!std::isfinite(time_[i]) || std::abs(time_[i]) > 1e11) fail(fmt::format("/time has no valid time in row {}", i));
    if (i > 0 && time_[i] <= time_[i - 1]) fail(fmt::format("/time does not increase at row {}", i));
  }

  file_ = file.release();
  lanes_ = static_cast<std::size_t>(std::max(1.0, number("lanes").value_or(1)));
  channels_ = channels_of("channels");
  const std::vector<std::string> skipped = skipped_;
  measured_ = channels_of("measured");
  references_ = channels_of("reference");
  without_faults_ = channels_of("without_faults");
  skipped_ = skipped;
  find_events();
}

ResultFile::~ResultFile() {
  if (file_ >= 0) H5Idec_ref(id_of(file_));
}

std::string ResultFile::text(const char* attribute, const std::string& otherwise) const {
  const Quiet quiet;
  return attribute_text(id_of(file_), attribute).value_or(otherwise);
}

std::optional<double> ResultFile::number(const char* attribute) const {
  const Quiet quiet;
  const auto text = attribute_text(id_of(file_), attribute);
  if (!text) return {};
  char* end = nullptr;
  const double x = std::strtod(text->c_str(), &end);
  if (end == text->c_str() || *end || !std::isfinite(x)) return {};
  return x;
}

std::vector<Channel> ResultFile::channels_of(const char* top) {
  std::vector<Channel> found;
  const hid_t file = id_of(file_);
  if (!has(file, top) || kind_of(file, top) != H5I_GROUP) return found;
  const Id all(H5Gopen2(file, top, H5P_DEFAULT));
  for (const std::string& asset : names_in(all)) {
    if (!has(all, asset.c_str()) || kind_of(all, asset.c_str()) != H5I_GROUP) {
      skipped_.push_back(asset);
      continue;
    }
    const Id group(H5Gopen2(all, asset.c_str(), H5P_DEFAULT));
    for (const std::string& name : names_in(group)) {
      const auto skip = [&] { skipped_.push_back(asset + "/" + name); };
      if (!has(group, name.c_str()) || kind_of(group, name.c_str()) != H5I_DATASET) {
        skip();
        continue;
      }
      const Id dataset(H5Dopen2(group, name.c_str(), H5P_DEFAULT));
      const Id space(H5Dget_space(dataset)), type(H5Dget_type(dataset));
      const std::vector<hsize_t> shape = shape_of(space);
      Channel c{asset, name, "", "", ""};
      c.group = top;
      c.laned = lanes_ > 1 && shape.size() >= 2 && shape[1] == lanes_;
      const std::size_t rank = shape.size() - (c.laned ? 1 : 0);
      if (shape.empty() || rank > 2 || !is_number(type)) {
        skip();
        continue;
      }
      c.fleet = rank == 2;
      c.members = c.fleet ? shape.back() : 1;
      c.rows = shape[0];
      if (c.members == 0) {
        skip();
        continue;
      }
      c.unit = attribute_text(dataset, "unit").value_or("");
      c.description = attribute_text(dataset, "description").value_or("");
      c.kind = attribute_text(dataset, "kind").value_or("");
      found.push_back(std::move(c));
    }
  }
  return found;
}

void ResultFile::read(const Channel& c, std::size_t first, std::size_t rows, double* out) const {
  const Quiet quiet;
  const std::string at = c.group + "/" + c.asset + "/" + c.name;
  const Id dataset(H5Dopen2(id_of(file_), at.c_str(), H5P_DEFAULT));
  const Id space(H5Dget_space(dataset));
  std::vector<hsize_t> start{first}, count{rows};
  if (c.laned) {
    start.push_back(0);
    count.push_back(1);
  }
  if (c.fleet) {
    start.push_back(0);
    count.push_back(c.members);
  }
  H5Sselect_hyperslab(space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr);
  const hsize_t n = rows * c.members;
  const Id memory(H5Screate_simple(1, &n, nullptr));
  if (!dataset.ok() || H5Dread(dataset, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, out) < 0)
    fail(fmt::format("/{} cannot be read from row {} ({})", at, first, innermost_error()));
}

void ResultFile::find_events() {
  const Column time = event_column(id_of(file_), "time");
  if (!time.dataset.ok() || !is_number(time.type)) return;
  const Id space(H5Dget_space(time.dataset));
  const std::vector<hsize_t> shape = shape_of(space);
  if (shape.size() == 1) event_count_ = shape[0];
}

std::vector<Event> ResultFile::events(std::size_t first, std::size_t count) const {
  const Quiet quiet;
  count = first < event_count_ ? std::min(count, event_count_ - first) : 0;
  std::vector<Event> all(count);
  if (count == 0) return all;
  const hid_t file = id_of(file_);
  std::vector<double> time(count);
  Id space;
  if (!read_column(event_column(file, "time"), H5T_NATIVE_DOUBLE, first, count, time.data(), &space))
    fail(fmt::format("/events cannot be read ({})", innermost_error()));
  auto asset = read_text_column(file, "asset", first, count), kind = read_text_column(file, "kind", first, count),
       text = read_text_column(file, "text", first, count);
  for (std::size_t i = 0; i < count; ++i) {
    all[i].time = time[i];
    if (i < asset.size()) all[i].asset = std::move(asset[i]);
    if (i < kind.size()) all[i].kind = std::move(kind[i]);
    if (i < text.size()) all[i].text = std::move(text[i]);
  }
  return all;
}

}  // namespace urja::viz
