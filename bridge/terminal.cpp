#include "bridge/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>

#include "bridge/commands.hpp"
#include "engine/recorder.hpp"

namespace urja {
namespace {

std::atomic<bool> stop{false};
extern "C" void on_interrupt(int) { stop = true; }

}  // namespace

bool on_terminal() { return isatty(STDERR_FILENO) != 0; }

void watch_interrupts() {
  std::signal(SIGINT, on_interrupt);
  std::signal(SIGTERM, on_interrupt);
}
bool interrupted() { return stop; }

double ProgressBar::steps_per_s(double steps) const {
  return steps / std::max(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(), 1e-9);
}

void ProgressBar::show(double steps, double all, const std::string& where, const std::string& speed) {
  if (!shown_ || !(all > 0)) return;
  constexpr int width_of_bar = 30;
  const double share = std::clamp(steps / all, 0.0, 1.0), rate = steps_per_s(steps);
  const auto filled = static_cast<std::size_t>(share * width_of_bar);
  std::fprintf(stderr, "\r%4.0f %% |%s%s| %s  %.2f M steps/s%s  %.0f s left   ", 100 * share, std::string(filled, '#').c_str(),
               std::string(width_of_bar - filled, '.').c_str(), where.c_str(), rate * 1e-6, speed.c_str(),
               (all - steps) / std::max(rate, 1e-9));
  drawn_ = true;
}
ProgressBar::~ProgressBar() {
  if (drawn_) std::fprintf(stderr, "\r%*s\r", 110, "");
}

int print_problems(const Problems& problems) {
  std::fputs(problems.text().c_str(), stderr);
  const std::size_t count = problems.list().size();
  std::fprintf(stderr, "%zu problem%s\n", count, count == 1 ? "" : "s");
  return misused;
}

std::filesystem::path next_folder(const std::string& name) {
  for (int n = 1;; ++n) {
    const std::filesystem::path folder = std::filesystem::path("results") / name / std::to_string(n);
    std::error_code error;
    std::filesystem::create_directories(folder.parent_path(), error);
    // Whoever makes it has it, however many look for one at a time.
    if (!error && std::filesystem::create_directory(folder, error)) return folder;
    if (error) throw RecordError(fmt::format("cannot make the folder {}: {}", folder.string(), error.message()));
  }
}

}  // namespace urja
