#pragma once
// Bytes of a file as they were before somebody packed it with gzip, or as they are if nobody did. A pipe will do.
#include <cstddef>
#include <memory>
#include <string>

namespace urja {

class Gunzip {
 public:
  explicit Gunzip(int descriptor);
  ~Gunzip();

  // Up to `room` bytes (at least 2) to `to`; 0 at the end, less than 0 when something is wrong: wrong() says what.
  std::ptrdiff_t read(char* to, std::size_t room);
  bool packed() const { return unpacker_ != nullptr; }
  const std::string& wrong() const { return wrong_; }
  const std::string& mend() const { return mend_; }

 private:
  std::ptrdiff_t raw(char* to, std::size_t room);
  std::ptrdiff_t fail(std::string wrong, std::string mend);
  struct Unpacker;

  int descriptor_;
  bool looked_ = false;
  std::unique_ptr<Unpacker> unpacker_;
  std::string wrong_, mend_;
};

}  // namespace urja
