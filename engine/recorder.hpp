#pragma once
// Writes a run to HDF5: streamed, chunked, compressed; readable by h5py alone and audited in two lines.
//
//   /time                       float64 [T]   UTC seconds of the interval's start
//   /channels/<asset>/<name>    [T] one lane, [T, N] many; a fleet adds a last axis of members; every asset has `power`
//   /plant/<name>, /feeders/<feeder>/flow   of the plant as a whole and of its feeders, which are no assets
//   /measured/<asset>/<name>    what a sensor and its link showed, and <name>_age; only where they are not perfect
//   /reference/<asset>/<name>   what somebody measured at the plant that this is a model of; NaN where there is none
//   /faults/<id>                label: share of the interval in which the fault was there
//   /without_faults/<asset>/..  powers, states and commands of the same plant without any fault, and what /reference is compared with
//   /params/<asset>/<name>      [N, M] parameters at the begin
//   /events/{time,asset,kind,text}
//   attributes of a channel: unit, description, kind; of the file: what the caller sets
//
// Flows are means over the recording interval, states and energy contents those at its end. Rows are gathered in memory and written a chunk at
// a time; memory does not grow with the length of the run.
//
//   <path>.part   grows in HDF5's single-writer mode by whole chunks, each of them written once: whatever happens to us (kill -9, a
//                 full disk), it can be read up to the last chunk (h5py.File(part, swmr=True)), and gone on with from there
//   <path>        takes its place in finish(), a copy with events and last attributes
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/batch.hpp"
#include "engine/channels.hpp"

namespace urja {

// The disk is full, the folder is gone, the file cannot be written.
struct RecordError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Recorder {
 public:
  // Creates `<path>.part`. The Meter given to append() must begin with metered(channels). Of one lane, or of all of them.
  static constexpr int all_lanes = -1;
  Recorder(const std::string& path, const Batch& batch, std::vector<Channel> channels, int lane = all_lanes);
  // Goes on with the `<path>.part` of a run that ended early, after `rows` rows, of which `waiting` were not in the file. Throws
  // RecordError when that is not possible: the file is left as it is.
  Recorder(const std::string& path, const Batch& batch, std::vector<Channel> channels, std::int64_t rows,
           const std::vector<double>& waiting, int lane = all_lanes);
  ~Recorder();
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  // One row: the interval that began at `time` and was `steps` steps long, summed up in the meter.
  void append(double time, const Batch& batch, const Meter& meter, int steps);
  void event(double time, const std::string& asset, const std::string& kind, const std::string& text);
  // Attributes that are set before the first row are in the part already; the others come with finish().
  void attribute(const std::string& name, const std::string& text);
  void attribute(const std::string& name, double value);
  void attribute(const std::string& name, std::int64_t value);
  // What was appended and is not in the part: to go on, it takes rows(), this, and a flush().
  std::vector<double> waiting() const;
  void flush();
  // Writes <path>; keep_part: the part stays, for a run that may go on, or whose checkpoint has to go first.
  void finish(bool keep_part = false);

  std::int64_t rows() const;

 private:
  void write_parameters(const Batch& batch);
  void stream();
  void write_rows();
  void write_last(std::function<void(long long file)> write);  // now, or in finish() when rows are being written
  struct File;
  std::unique_ptr<File> file_;
};

}  // namespace urja
