#pragma once
// Handles of HDF5's C interface that close themselves, and what those who write files have in common.
#include <fmt/format.h>
#include <hdf5.h>

#include <string>
#include <utility>

#include "engine/recorder.hpp"

namespace urja::hdf5 {

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

inline void check(herr_t result, const char* what) {
  if (result < 0) throw RecordError(fmt::format("HDF5 could not {}", what));
}

inline Handle text_type() {
  Handle type(H5Tcopy(H5T_C_S1), H5Tclose, "make a text type");
  check(H5Tset_size(type, H5T_VARIABLE), "make a text type");
  check(H5Tset_cset(type, H5T_CSET_UTF8), "make a text type");
  return type;
}

inline void write_attribute(hid_t object, const std::string& name, hid_t type, const void* value) {
  if (H5Aexists(object, name.c_str()) > 0) H5Adelete(object, name.c_str());
  const Handle space(H5Screate(H5S_SCALAR), H5Sclose, "make a data space");
  const Handle attribute(H5Acreate2(object, name.c_str(), type, space, H5P_DEFAULT, H5P_DEFAULT), H5Aclose, "make an attribute");
  check(H5Awrite(attribute, type, value), "write an attribute");
}

inline void write_text(hid_t object, const std::string& name, const std::string& text) {
  const char* pointer = text.c_str();
  write_attribute(object, name, text_type(), &pointer);
}

}  // namespace urja::hdf5
