#pragma once
// What commands that take long share: a progress bar, Ctrl-C, problems on stderr, a folder for results.
#include <chrono>
#include <filesystem>
#include <string>

#include "scenarios/problems.hpp"

namespace urja {

bool on_terminal();

// Takes Ctrl-C and SIGTERM from now on; interrupted() says whether one has come.
void watch_interrupts();
bool interrupted();

// "  62 %  |#########......|  2016-10-01  1.2 M steps/s  31 s left" on stderr; nothing where nobody looks.
class ProgressBar {
 public:
  explicit ProgressBar(bool shown) : shown_(shown) {}
  ~ProgressBar();
  bool shown() const { return shown_; }
  // Of all steps; `where` and `speed` are shown beside the bar. steps_per_s(): since the bar was made.
  void show(double steps, double all, const std::string& where, const std::string& speed = "");
  double steps_per_s(double steps) const;

 private:
  bool shown_, drawn_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

// All of them on stderr; returns the exit code.
int print_problems(const Problems& problems);

// results/<name>/<n> with the first n that is free: it is made, and belongs to the caller alone. Throws RecordError where none can be.
std::filesystem::path next_folder(const std::string& name);

}  // namespace urja
