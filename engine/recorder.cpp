#include "engine/recorder.hpp"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <utility>

namespace urja {
namespace {

constexpr hsize_t rows_per_chunk = 1024;

// An HDF5 handle that closes itself; a negative one is a failed call.
class Handle {
 public:
  Handle(hid_t id, herr_t (*closer)(hid_t), const char* what) : id_(id), close_(closer) {
    if (id < 0) throw RecordError(fmt::format("HDF5 could not {}", what));
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  operator hid_t() const { return id_; }
  bool close() { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

void check(herr_t result, const char* what) {
  if (result < 0) throw RecordError(fmt::format("HDF5 could not {}", what));
}

Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "make a text type");
  check(H5Tset_size(type, H5T_VARIABLE), "make a text type");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "make a text type");
  return type;
}

void write_attribute(hid_t object, const std::string& name, hid_t type, const void* value) {
  if (H5Aexists(object, name.c_str()) > 0) H5Adelete(object, name.c_str());
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose, "make a data space");
  const Handle attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, "make an attribute");
  check(H5Awrite(attribute, type, value), "write an attribute");
}

void write_text(hid_t object, const std::string& name, const std::string& text) {
  const char* pointer = text.c_str();
  write_attribute(object, name, text_type(), &pointer);
}

// A dataset that grows along its first axis, and the rows that wait to be written.
class Column {
 public:
  Column(hid_t file, const std::string& path, std::vector<hsize_t> shape) : shape_(std::move(shape)), width_(1) {
    for (hsize_t n : shape_) width_ *= n;
    std::vector<hsize_t> size{0}, most{H5S_UNLIMITED},
        chunk{std::max<hsize_t>(16, rows_per_chunk / std::max<hsize_t>(1, width_ / 8))};
    for (hsize_t n : shape_) size.push_back(n), most.push_back(n), chunk.push_back(n);
    const Handle space(H5Screate_simple(static_cast<int>(size.size()), size.data(), most.data()), H5Sclose, "make a data space");
    const Handle create(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, "make a property list");
    const Handle link(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "make a property list");
    check(H5Pset_create_intermediate_group(link, 1), "make groups");
    check(H5Pset_chunk(create, static_cast<int>(chunk.size()), chunk.data()), "set chunks");
    check(H5Pset_shuffle(create), "set the filter");
    check(H5Pset_deflate(create, 2), "set the compression");
    id_ = std::make_unique<Handle>(H5Dcreate2(file, path.c_str(), H5T_NATIVE_DOUBLE, space, link, create, H5P_DEFAULT), H5Dclose,
                                   "make a dataset");
    waiting_.reserve(rows_per_chunk * width_);
  }
  void push(double value) { waiting_.push_back(value); }
  void write() {
    if (waiting_.empty()) return;
    const hsize_t rows = waiting_.size() / width_;
    std::vector<hsize_t> size{written_ + rows}, start{written_}, count{rows};
    for (hsize_t n : shape_) size.push_back(n), start.push_back(0), count.push_back(n);
    check(H5Dset_extent(*id_, size.data()), "extend a dataset (is the disk full?)");
    const Handle file_space(H5Dget_space(*id_), H5Sclose, "read a data space");
    check(H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), "select rows");
    const Handle memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose, "make a data space");
    check(H5Dwrite(*id_, H5T_NATIVE_DOUBLE, memory, file_space, H5P_DEFAULT, waiting_.data()), "write (is the disk full?)");
    written_ += rows;
    waiting_.clear();
  }
  hid_t id() const { return *id_; }

 private:
  std::vector<hsize_t> shape_;
  hsize_t width_, written_ = 0;
  std::vector<double> waiting_;
  std::unique_ptr<Handle> id_;
};

}  // namespace

std::vector<Channel> default_channels(const Plan& plan) {
  std::vector<Channel> channels;
  for (const Quantity& q : plan.quantities()) {
    const bool power = q.name == "power" && (q.kind == Kind::port || q.asset == "spill");
    const bool shown = power || q.kind == Kind::state || q.kind == Kind::output ||
                       (q.kind == Kind::input && (q.flags & (telemetered | observable)) != 0);
    if (!shown) continue;
    const char* kind = q.kind == Kind::state   ? "state"
                       : q.kind == Kind::input ? "input"
                       : q.kind == Kind::port  ? "port"
                                               : "output";
    const bool feeder = q.name == "flow" && !plan.asset(q.asset) && q.fleet < 0;
    const std::string group = q.asset == "plant" ? "plant" : (feeder ? "feeders/" : "channels/") + q.asset;
    channels.push_back({group, q.name, q.unit, q.doc, kind, q, q.kind == Kind::state});
  }
  const auto portless = [&](const Plan& home, const std::string& prefix, int fleet) {
    for (const Plan::Asset& a : home.assets) {
      if (!a.type->ports.empty()) continue;
      Quantity zero;
      zero.fleet = fleet;
      channels.push_back(
          {"channels/" + prefix + a.name, "power", "W", "none: it has no connection to a bus", "port", zero, true});
    }
  };
  portless(plan, "", -1);
  for (std::size_t f = 0; f < plan.fleets.size(); ++f)
    portless(*plan.fleets[f].plan, plan.fleets[f].name + ".", static_cast<int>(f));
  return channels;
}

std::vector<Quantity> metered(const std::vector<Channel>& channels) {
  std::vector<Quantity> sums;
  for (const Channel& c : channels) {
    if (!c.at_end) sums.push_back(c.quantity);
  }
  return sums;
}

struct Recorder::File {
  std::string path, part;
  std::vector<Channel> channels;
  int lanes = 1;
  std::vector<int> members;  // per channel; 0: no axis of members
  std::unique_ptr<Handle> file;
  std::unique_ptr<Column> time;
  std::vector<std::unique_ptr<Column>> columns;
  std::int64_t rows = 0, waiting = 0;
  struct Event {
    double time;
    std::string asset, kind, text;
  };
  std::vector<Event> events;
};

Recorder::Recorder(const std::string& path, const Batch& batch, std::vector<Channel> channels) : file_(std::make_unique<File>()) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors come back as exceptions, not on the terminal
  File& f = *file_;
  f.path = path;
  f.part = path + ".part";
  f.channels = std::move(channels);
  f.lanes = batch.lanes();
  errno = 0;
  f.file = std::make_unique<Handle>(H5Fcreate(f.part.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), H5Fclose,
                                    fmt::format("create {} ({})", f.part, std::strerror(errno)).c_str());
  f.time = std::make_unique<Column>(*f.file, "/time", std::vector<hsize_t>{});
  write_text(f.time->id(), "unit", "s");
  write_text(f.time->id(), "description", "UTC seconds since 1970 of the interval's start");
  for (const Channel& c : f.channels) {
    std::vector<hsize_t> shape;
    int members = 0;
    if (f.lanes > 1) shape.push_back(static_cast<hsize_t>(f.lanes));
    if (c.quantity.fleet >= 0) {
      members = batch.plan().fleets[static_cast<std::size_t>(c.quantity.fleet)].members;
      shape.push_back(static_cast<hsize_t>(members));
    }
    f.members.push_back(members);
    f.columns.push_back(std::make_unique<Column>(*f.file, "/" + c.group + "/" + c.name, shape));
    write_text(f.columns.back()->id(), "unit", c.unit);
    write_text(f.columns.back()->id(), "description", c.doc);
    write_text(f.columns.back()->id(), "kind", c.kind);
  }
  attribute("lanes", static_cast<std::int64_t>(f.lanes));
  write_parameters(batch);
}

// /params/<asset>/<name>: what each parameter was when the recording began; one value per member, then per lane.
void Recorder::write_parameters(const Batch& batch) {
  const Handle link(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "make a property list");
  check(H5Pset_create_intermediate_group(link, 1), "make groups");
  for (const Quantity& found : batch.plan().quantities()) {
    if (found.kind != Kind::parameter) continue;
    Quantity q = found;
    const int members = q.fleet < 0 ? 1 : batch.plan().fleets[static_cast<std::size_t>(q.fleet)].members;
    std::vector<double> values;
    for (int lane = 0; lane < batch.lanes(); ++lane) {
      for (int m = 0; m < members; ++m) {
        if (q.fleet >= 0) q.member = m;
        values.push_back(batch.get(lane, q));
      }
    }
    const std::vector<hsize_t> shape{static_cast<hsize_t>(batch.lanes()), static_cast<hsize_t>(members)};
    const Handle space(H5Screate_simple(2, shape.data(), nullptr), H5Sclose, "make a data space");
    const Handle set(H5Dcreate2(*file_->file, ("/params/" + q.asset + "/" + q.name).c_str(), H5T_NATIVE_DOUBLE, space, link,
                                H5P_DEFAULT, H5P_DEFAULT),
                     H5Dclose, "make a dataset");
    check(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()), "write parameters");
    write_text(set, "unit", q.unit);
    write_text(set, "description", q.doc);
  }
}

Recorder::~Recorder() {
  if (!file_ || !file_->file) return;
  try {
    flush();
  } catch (const RecordError&) {
    // The part stays as it is: whoever called us knows already, or is being thrown past.
  }
}

void Recorder::append(double time, const Batch& batch, const Meter& meter, int steps) {
  File& f = *file_;
  f.time->push(time);
  const double share = 1.0 / steps;
  int summed = 0;
  for (std::size_t c = 0; c < f.channels.size(); ++c) {
    const Channel& channel = f.channels[c];
    Quantity q = channel.quantity;
    for (int lane = 0; lane < f.lanes; ++lane) {
      const bool well = batch.status(lane) == Trouble::none;
      for (int m = 0; m < std::max(1, f.members[c]); ++m) {
        if (f.members[c] > 0) q.member = m;
        const double value = q.row < 0 ? 0 : channel.at_end ? batch.get(lane, q) : meter.sum(lane, summed, m) * share;
        f.columns[c]->push(well ? value : std::numeric_limits<double>::quiet_NaN());
      }
    }
    summed += !channel.at_end;
  }
  ++f.rows;
  if (++f.waiting >= static_cast<std::int64_t>(rows_per_chunk)) {
    f.time->write();
    for (auto& column : f.columns) column->write();
    f.waiting = 0;
  }
}

void Recorder::event(double time, const std::string& asset, const std::string& kind, const std::string& text) {
  file_->events.push_back({time, asset, kind, text});
}

void Recorder::attribute(const std::string& name, const std::string& text) { write_text(*file_->file, name, text); }
void Recorder::attribute(const std::string& name, double value) {
  write_attribute(*file_->file, name, H5T_NATIVE_DOUBLE, &value);
}
void Recorder::attribute(const std::string& name, std::int64_t value) {
  write_attribute(*file_->file, name, H5T_NATIVE_INT64, &value);
}
std::int64_t Recorder::rows() const { return file_->rows; }

void Recorder::flush() {
  File& f = *file_;
  f.time->write();
  for (auto& column : f.columns) column->write();
  f.waiting = 0;
  check(H5Fflush(*f.file, H5F_SCOPE_GLOBAL), "flush (is the disk full?)");
}

void Recorder::finish() {
  File& f = *file_;
  flush();
  {
    const hsize_t count = f.events.size();
    const Handle group(H5Gcreate2(*f.file, "/events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "make the events' group");
    const Handle space(H5Screate_simple(1, &count, nullptr), H5Sclose, "make a data space");
    const auto write = [&](const char* name, hid_t type, const void* data) {
      const Handle set(H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose, "make a dataset");
      if (count > 0) check(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "write events");
    };
    std::vector<double> times;
    for (const auto& e : f.events) times.push_back(e.time);
    write("time", H5T_NATIVE_DOUBLE, times.data());
    const auto texts = [&](const char* name, std::string File::Event::*field) {
      std::vector<const char*> pointers;
      for (const auto& e : f.events) pointers.push_back((e.*field).c_str());
      write(name, text_type(), pointers.data());
    };
    texts("asset", &File::Event::asset);
    texts("kind", &File::Event::kind);
    texts("text", &File::Event::text);
  }
  f.columns.clear();
  f.time.reset();
  if (!f.file->close()) throw RecordError("HDF5 could not close the file (is the disk full?)");
  f.file.reset();
  if (std::rename(f.part.c_str(), f.path.c_str()) != 0) {
    throw RecordError(fmt::format("could not rename {} to {}: {}", f.part, f.path, std::strerror(errno)));
  }
}

}  // namespace urja
