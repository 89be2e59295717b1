#include "engine/recorder.hpp"

#include "engine/hdf5.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <hdf5.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace urja {
namespace {

using namespace hdf5;

// Rows that are gathered before they are written, `numbers` being those of a row: a power of two, at most 4 MiB of them.
hsize_t rows_together(hsize_t numbers) {
  return std::clamp<hsize_t>(std::bit_floor(524288 / std::max<hsize_t>(1, numbers)), 16, 1024);
}
// Nothing is closed behind our back at the program's end (see ~Recorder). Has to be said before HDF5 is first used.
[[maybe_unused]] const herr_t without_atexit = H5dont_atexit();

struct Together {
  hsize_t rows = 0;
};

// A dataset that grows along its first axis, and the rows that wait to be written.
class Column {
 public:
  // Goes on after the first `rows` rows of a dataset that is there. Later ones stay until they are written again: to shorten
  // it would be the one moment in which a kill could hurt.
  Column(hid_t file, const std::string& path, std::vector<hsize_t> shape, hsize_t rows) : Column(std::move(shape)) {
    id_ = std::make_unique<Handle>(H5Dopen2(file, path.c_str(), H5P_DEFAULT), H5Dclose, "open a dataset");
    const Handle space(H5Dget_space(*id_), H5Sclose, "read a data space");
    std::vector<hsize_t> size(shape_.size() + 1, 0);
    const bool fits = H5Sget_simple_extent_ndims(space) == static_cast<int>(size.size()) &&
                      H5Sget_simple_extent_dims(space, size.data(), nullptr) >= 0 && size[0] >= rows &&
                      std::equal(shape_.begin(), shape_.end(), size.begin() + 1);
    if (!fits) throw RecordError(fmt::format("{} does not hold the {} rows that were written", path, rows));
    written_ = rows;
    there_ = size[0];
  }
  // A new one, to which `together` rows are written at a time: whole chunks.
  Column(hid_t file, const std::string& path, std::vector<hsize_t> shape, Together together) : Column(std::move(shape)) {
    std::vector<hsize_t> size{0}, most{H5S_UNLIMITED},
        chunk{std::max<hsize_t>(16, together.rows / std::bit_ceil(std::max<hsize_t>(1, width_ / 8)))};
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
  }
  void push(double value) { waiting_.push_back(value); }
  const std::vector<double>& waiting() const { return waiting_; }
  void wait(const double* values, std::size_t rows) { waiting_.assign(values, values + rows * width_); }
  hsize_t width() const { return width_; }
  void write() {
    if (waiting_.empty()) return;
    const hsize_t rows = waiting_.size() / width_;
    std::vector<hsize_t> start{written_}, count{rows};
    for (hsize_t n : shape_) start.push_back(0), count.push_back(n);
    if (written_ + rows > there_) resize(written_ + rows);
    const Handle file_space(H5Dget_space(*id_), H5Sclose, "read a data space");
    check(H5Sselect_hyperslab(file_space, H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr), "select rows");
    const Handle memory(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr), H5Sclose, "make a data space");
    check(H5Dwrite(*id_, H5T_NATIVE_DOUBLE, memory, file_space, H5P_DEFAULT, waiting_.data()), "write (is the disk full?)");
    written_ += rows;
    waiting_.clear();
  }
  // So that it ends with the last row that was written; for closed files only.
  void cut_off() {
    if (there_ > written_) resize(written_);
  }
  hid_t id() const { return *id_; }

 private:
  void resize(hsize_t rows) {
    std::vector<hsize_t> size{rows};
    size.insert(size.end(), shape_.begin(), shape_.end());
    check(H5Dset_extent(*id_, size.data()), "resize a dataset (is the disk full?)");
    there_ = rows;
  }
  explicit Column(std::vector<hsize_t> shape) : shape_(std::move(shape)), width_(1) {
    for (hsize_t n : shape_) width_ *= n;
  }

  std::vector<hsize_t> shape_;
  hsize_t width_, written_ = 0, there_ = 0;
  std::vector<double> waiting_;
  std::unique_ptr<Handle> id_;
};

}  // namespace

namespace {

Handle latest_format() {
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, "make a property list");
  check(H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST), "choose the file format");
  return access;
}

void rename(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    throw RecordError(fmt::format("could not rename {} to {}: {}", from, to, std::strerror(errno)));
}

// Whether we may write there, and nobody else does: HDF5 would say less about it.
void take(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) throw RecordError(fmt::format("cannot write {}: {}", path, std::strerror(errno)));
  const bool free = ::flock(file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK;
  ::close(file);
  if (!free) throw RecordError(fmt::format("another run is writing {}", path));
}

// On a full disk a file may end before the end that its head speaks of, and HDF5 would not open it. What is missing are rows that
// will be written again. (Head of an HDF5 file: "Superblock version 3" of the format's specification.)
void lengthen(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 36> head{};
  if (!file.read(head.data(), head.size()) || std::memcmp(head.data(), "\x89HDF\r\n\x1a\n", 8) != 0 || head[8] != 3) return;
  std::uint64_t end = 0;
  std::memcpy(&end, head.data() + 28, sizeof end);
  struct stat now {};
  if (::stat(path.c_str(), &now) == 0 && static_cast<std::uint64_t>(now.st_size) < end)
    (void)!::truncate(path.c_str(), static_cast<off_t>(end));
}

}  // namespace

struct Recorder::File {
  File(const std::string& to, const Batch& batch, std::vector<Channel> all, int lane)
      : path(to), part(to + ".part"), channels(std::move(all)), first(std::max(lane, 0)), lanes(lane < 0 ? batch.lanes() : 1) {
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors come back as exceptions, not on the terminal
    for (const Channel& c : channels) {
      shapes.emplace_back();
      if (lanes > 1) shapes.back().push_back(static_cast<hsize_t>(lanes));
      members.push_back(c.quantity.fleet < 0 ? 0 : batch.plan().fleets[static_cast<std::size_t>(c.quantity.fleet)].members);
      if (members.back() > 0) shapes.back().push_back(static_cast<hsize_t>(members.back()));
      numbers += std::accumulate(shapes.back().begin(), shapes.back().end(), hsize_t{1}, std::multiplies<>());
    }
    together.rows = rows_together(numbers);
    there_until.assign(channels.size() * static_cast<std::size_t>(lanes), 0.0);
    for (std::size_t c = 0; c < channels.size(); ++c) {
      for (int k = 0; k < lanes && channels[c].quantity.of_disturber; ++k)
        there_until[c * static_cast<std::size_t>(lanes) + static_cast<std::size_t>(k)] =
            batch.disturbed_for(first + k, channels[c].quantity.asset);
    }
  }
  std::string path, part;
  std::vector<Channel> channels;
  int first, lanes;
  std::vector<int> members;                  // per channel; 0: no axis of members
  std::vector<std::vector<hsize_t>> shapes;  // of a row, per channel
  std::unique_ptr<Handle> file;
  std::unique_ptr<Column> time;
  std::vector<std::unique_ptr<Column>> columns;
  hsize_t numbers = 1;  // of a row
  Together together;
  std::int64_t rows = 0, waiting = 0;
  bool broken = false;     // something could not be written
  bool streaming = false;  // rows are being written: nothing but rows may change
  std::vector<std::function<void(hid_t)>> last;
  // Share of the interval in which a disturbance was there: from how long it was there until now.
  double share_of(const Channel& channel, std::size_t at, const Batch& batch, int lane) {
    const double now = batch.disturbed_for(lane, channel.quantity.asset);
    double& before = there_until[at * static_cast<std::size_t>(lanes) + static_cast<std::size_t>(lane - first)];
    return (now - std::exchange(before, now)) / interval;
  }
  std::vector<double> there_until;  // [channels][lanes]; of labels
  double interval = 1;              // s
  template <class What> void each_column(What what) {
    what(*time);
    for (auto& c : columns) what(*c);
  }
  // Those of `file`, with the whole chunks of `rows`.
  void open_columns() {
    const auto count = static_cast<hsize_t>(rows - waiting);
    time = std::make_unique<Column>(*file, "/time", std::vector<hsize_t>{}, count);
    columns.clear();
    for (std::size_t k = 0; k < channels.size(); ++k)
      columns.push_back(std::make_unique<Column>(*file, "/" + channels[k].group + "/" + channels[k].name, shapes[k], count));
  }
  struct Event {
    double time;
    std::string asset, kind, text;
  };
  std::vector<Event> events;
};

Recorder::Recorder(const std::string& path, const Batch& batch, std::vector<Channel> channels, int lane)
    : file_(std::make_unique<File>(path, batch, std::move(channels), lane)) {
  File& f = *file_;
  take(f.part);
  f.file = std::make_unique<Handle>(H5Fcreate(f.part.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, latest_format()), H5Fclose,
                                    fmt::format("create {}", f.part).c_str());
  f.time = std::make_unique<Column>(*f.file, "/time", std::vector<hsize_t>{}, f.together);
  write_text(f.time->id(), "unit", "s");
  write_text(f.time->id(), "description", "UTC seconds since 1970 of the interval's start");
  for (std::size_t k = 0; k < f.channels.size(); ++k) {
    const Channel& c = f.channels[k];
    f.columns.push_back(std::make_unique<Column>(*f.file, "/" + c.group + "/" + c.name, f.shapes[k], f.together));
    write_text(f.columns.back()->id(), "unit", c.unit);
    write_text(f.columns.back()->id(), "description", c.doc);
    write_text(f.columns.back()->id(), "kind", c.kind);
  }
  attribute("lanes", static_cast<std::int64_t>(f.lanes));
  write_parameters(batch);
}

Recorder::Recorder(const std::string& path, const Batch& batch, std::vector<Channel> channels, std::int64_t rows,
                   const std::vector<double>& waiting, int lane)
    : file_(std::make_unique<File>(path, batch, std::move(channels), lane)) {
  File& f = *file_;
  {
    // A killed writer leaves its mark in the file, which keeps others out, and a head that may know less of the file than is there:
    // mended as HDF5's own tool h5clear does it.
    const Handle access = latest_format();
    const hbool_t clear = 1;
    lengthen(f.part);
    check(H5Pset(access, "clear_status_flags", &clear), "take over the file");
    const std::string what = fmt::format("open {}, to go on with it", f.part);
    {
      Handle whole(H5Fopen(f.part.c_str(), H5F_ACC_RDWR, access), H5Fclose, what.c_str());
      check(H5Fincrement_filesize(whole, 0), what.c_str());
      if (!whole.close()) throw RecordError("HDF5 could not " + what);
    }
    f.file = std::make_unique<Handle>(H5Fopen(f.part.c_str(), H5F_ACC_RDWR | H5F_ACC_SWMR_WRITE, latest_format()), H5Fclose,
                                      what.c_str());
  }
  f.rows = rows;
  f.waiting = rows % static_cast<std::int64_t>(f.together.rows);
  f.open_columns();
  std::size_t at = 0;
  f.each_column([&](Column& c) {
    const std::size_t size = static_cast<std::size_t>(f.waiting) * c.width();
    if (at + size > waiting.size()) throw RecordError("the rows that were not in " + f.part + " are missing");
    c.wait(waiting.data() + at, static_cast<std::size_t>(f.waiting));
    at += size;
  });
  f.streaming = true;
}

// /params/<asset>/<name>: what each parameter was when the recording began; one value per member, then per lane.
void Recorder::write_parameters(const Batch& batch) {
  const Handle link(H5Pcreate(H5P_LINK_CREATE), H5Pclose, "make a property list");
  check(H5Pset_create_intermediate_group(link, 1), "make groups");
  for (const Quantity& found : batch.plan().quantities()) {
    if (found.kind != Kind::parameter || found.of_disturber) continue;
    Quantity q = found;
    const int members = q.fleet < 0 ? 1 : batch.plan().fleets[static_cast<std::size_t>(q.fleet)].members;
    std::vector<double> values;
    for (int lane = file_->first; lane < file_->first + file_->lanes; ++lane) {
      for (int m = 0; m < members; ++m) {
        if (q.fleet >= 0) q.member = m;
        values.push_back(batch.get(lane, q));
      }
    }
    const std::vector<hsize_t> shape{static_cast<hsize_t>(file_->lanes), static_cast<hsize_t>(members)};
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
  // HDF5 1.10 tries to write what could not be written when such a file is closed, and crashes: it is left to the system.
  if (file_->broken) (void)file_.release();
}

void Recorder::append(double time, const Batch& batch, const Meter& meter, int steps) {
  File& f = *file_;
  f.time->push(time);
  const double share = 1.0 / steps;
  f.interval = steps * batch.plan().step;
  int summed = 0;
  for (std::size_t c = 0; c < f.channels.size(); ++c) {
    Channel& channel = f.channels[c];
    Quantity& q = channel.quantity;
    const int first = channel.lane < 0 ? f.first : channel.lane;
    for (int lane = first; lane < first + f.lanes; ++lane) {
      const bool well = batch.status(lane) == Trouble::none;
      for (int m = 0; m < std::max(1, f.members[c]); ++m) {
        if (f.members[c] > 0) q.member = m;
        const double value = q.row < 0        ? 0
                             : q.of_disturber ? f.share_of(channel, c, batch, lane)
                             : channel.at_end ? batch.get(lane, q)
                                              : meter.sum(lane, summed, m) * share;
        f.columns[c]->push(well ? value : std::numeric_limits<double>::quiet_NaN());
      }
    }
    q.member = -1;
    summed += !channel.at_end;
  }
  ++f.rows;
  if (++f.waiting >= static_cast<std::int64_t>(f.together.rows)) write_rows();
}

void Recorder::stream() {
  if (!file_->streaming) check(H5Fstart_swmr_write(*file_->file), "begin to write rows");
  file_->streaming = true;
}

void Recorder::write_rows() {
  File& f = *file_;
  f.broken = true;  // until all is written
  stream();
  f.each_column([](Column& c) { c.write(); });
  f.waiting = 0;
  f.broken = false;
}

std::vector<double> Recorder::waiting() const {
  std::vector<double> all;
  file_->each_column([&](const Column& c) { all.insert(all.end(), c.waiting().begin(), c.waiting().end()); });
  return all;
}

void Recorder::event(double time, const std::string& asset, const std::string& kind, const std::string& text) {
  file_->events.push_back({time, asset, kind, text});
}

void Recorder::write_last(std::function<void(long long file)> write) {
  if (file_->streaming) file_->last.push_back(std::move(write));
  else write(*file_->file);
}
void Recorder::attribute(const std::string& name, const std::string& text) {
  write_last([=](hid_t file) { write_text(file, name, text); });
}
void Recorder::attribute(const std::string& name, double value) {
  write_last([=](hid_t file) { write_attribute(file, name, H5T_NATIVE_DOUBLE, &value); });
}
void Recorder::attribute(const std::string& name, std::int64_t value) {
  write_last([=](hid_t file) { write_attribute(file, name, H5T_NATIVE_INT64, &value); });
}
std::int64_t Recorder::rows() const { return file_->rows; }

void Recorder::flush() {
  File& f = *file_;
  f.broken = true;
  stream();
  check(H5Fflush(*f.file, H5F_SCOPE_GLOBAL), "flush (is the disk full?)");
  f.broken = false;
}

void Recorder::finish(bool keep_part) {
  File& f = *file_;
  const std::vector<double> rest = waiting();
  flush();
  f.broken = true;
  f.columns.clear();
  f.time.reset();
  if (!f.file->close()) throw RecordError("HDF5 could not close the file (is the disk full?)");
  f.file.reset();
  // What comes now changes the file in places; it is done to a copy, so that the part is good until the end.
  const std::string last = f.path + ".last";
  std::error_code copied;
  std::filesystem::copy_file(f.part, last, std::filesystem::copy_options::overwrite_existing, copied);
  if (copied) throw RecordError(fmt::format("could not copy {} to {}: {}", f.part, last, copied.message()));
  f.file = std::make_unique<Handle>(H5Fopen(last.c_str(), H5F_ACC_RDWR, latest_format()), H5Fclose, "open the file again");
  f.open_columns();
  std::size_t at = 0;
  f.each_column([&](Column& c) {
    c.wait(rest.data() + at, static_cast<std::size_t>(f.waiting));
    at += c.waiting().size();
    c.write();
    c.cut_off();
  });
  f.columns.clear();
  f.time.reset();
  if (H5Lexists(*f.file, "/events", H5P_DEFAULT) > 0) check(H5Ldelete(*f.file, "/events", H5P_DEFAULT), "replace the events");
  for (const auto& write : f.last) write(*f.file);
  {
    const hsize_t events = f.events.size();
    const Handle group(H5Gcreate2(*f.file, "/events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Gclose, "make the events' group");
    const Handle space(H5Screate_simple(1, &events, nullptr), H5Sclose, "make a data space");
    const auto write = [&](const char* name, hid_t type, const void* data) {
      const Handle set(H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT), H5Dclose, "make a dataset");
      if (events > 0) check(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data), "write events");
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
  if (!f.file->close()) throw RecordError("HDF5 could not close the file (is the disk full?)");
  f.file.reset();
  rename(last, f.path);
  if (!keep_part) std::remove(f.part.c_str());
}

}  // namespace urja
