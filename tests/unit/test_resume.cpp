// A run that is killed, or whose disk is full, goes on and ends with the same bits.
#include <hdf5.h>
#include <signal.h>
#include <sys/resource.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

#include "scenarios/checkpoint.hpp"
#include "tests/catch.hpp"
#include "tests/corpus/program.hpp"

namespace urja::tests {
namespace {

const std::string village = std::string(URJA_SOURCE_DIR) + "/scenarios/village.yaml";

// Bytes of all numbers in a file.
std::map<std::string, std::vector<double>> numbers(const std::string& path) {
  std::map<std::string, std::vector<double>> all;
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
  if (file < 0) return all;
  const auto visit = [](hid_t object, const char* name, const H5O_info_t* info, void* to) -> herr_t {
    if (info->type != H5O_TYPE_DATASET || std::string(name).rfind("events", 0) == 0) return 0;
    const hid_t set = H5Dopen2(object, name, H5P_DEFAULT), space = H5Dget_space(set);
    auto& values = (*static_cast<std::map<std::string, std::vector<double>>*>(to))[name];
    values.resize(static_cast<std::size_t>(H5Sget_simple_extent_npoints(space)));
    H5Dread(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
    H5Sclose(space);
    H5Dclose(set);
    return 0;
  };
  H5Ovisit2(file, H5_INDEX_NAME, H5_ITER_NATIVE, visit, &all, H5O_INFO_BASIC);
  H5Fclose(file);
  return all;
}

// Starts the program; `prepare` runs in it before.
template <class Prepare> pid_t start(const std::vector<std::string>& arguments, Prepare prepare) {
  const pid_t child = fork();
  if (child != 0) return child;
  dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
  dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
  prepare();
  std::vector<char*> words{const_cast<char*>(URJA_PROGRAM)};
  for (const std::string& a : arguments) words.push_back(const_cast<char*>(a.c_str()));
  words.push_back(nullptr);
  execv(words[0], words.data());
  _exit(127);
}

struct Whole {
  Scratch folder;
  nlohmann::json kpis;
  std::map<std::string, std::vector<double>> values;

  std::vector<std::string> sets;

  // `sets`: what else is set of the village.
  explicit Whole(std::vector<std::string> sets_of_village = {}) : sets(std::move(sets_of_village)) {
    const ProgramResult r = program(command("whole.h5", {"--json"}));
    REQUIRE(r.status == 0);
    kpis = nlohmann::json::parse(r.out);
    values = numbers(folder.path("whole.h5"));
    REQUIRE(values.size() > 50);
  }
  std::vector<std::string> command(const std::string& out, std::vector<std::string> more = {}) const {
    std::vector<std::string> all{
        "run",     village, "--to",           "2016-10-01 00:00", "--set", "run.step=20 s", "--set", "run.record=1 min",
        "--quiet", "--out", folder.path(out), "--checkpoint",     "0.05"};
    for (const std::string& set : sets) all.insert(all.end(), {"--set", set});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void resumes_to_the_same_end(const std::string& out) const {
    const ProgramResult r = program(command(out, {"--resume", "--json"}));
    INFO(r.err);
    REQUIRE(r.status == 0);
    CHECK(nlohmann::json::parse(r.out)["state_hash"] == kpis["state_hash"]);
    CHECK(nlohmann::json::parse(r.out)["import_kwh"] == kpis["import_kwh"]);
    CHECK((numbers(folder.path(out)) == values));
    CHECK_FALSE(std::filesystem::exists(folder.path(out) + ".checkpoint"));
    for (const char* rest : {".part", ".last"}) CHECK_FALSE(std::filesystem::exists(folder.path(out) + rest));
  }
};

}  // namespace

TEST_CASE("resume: a run that is killed again and again ends with the same bits", "[program][resume]") {
  // With sensors and links: messages on their way are part of the plant's state.
  const Whole whole(
      {"sensors={battery.power: {noise: 50 W, wander: 100 W, interval: 40 s}, homes.load.demand: {accuracy: 1 %}}",
       "links={battery: {delay: 2 min, jitter: 1 min, loss: 10 %}}",
       "faults={f: {kind: sensor_dropout, on: homes.3.load.demand, rate: 4 1/d, duration: 20 min, length: random}}"});
  unsigned chance = 12345;
  const std::string out = whole.folder.path("killed.h5");
  int killed = 0;
  for (int round = 0; round < 12; ++round) {
    const bool begun = std::filesystem::exists(out + ".checkpoint");
    const pid_t child = start(
        whole.command("killed.h5", begun ? std::vector<std::string>{"--resume"} : std::vector<std::string>{"--force"}), [] {});
    // Not before it has got on: a kill of a program that is still loading shows nothing.
    const auto stamp = [&] {
      std::error_code none;
      return std::filesystem::last_write_time(out + ".checkpoint", none);
    };
    const auto before = stamp();
    for (int wait = 0; wait < 2000 && stamp() == before; ++wait) std::this_thread::sleep_for(std::chrono::milliseconds(2));
    chance = chance * 1664525 + 1013904223;
    std::this_thread::sleep_for(std::chrono::milliseconds((chance >> 8) % 100));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    killed += WIFSIGNALED(status);
    if (!WIFSIGNALED(status)) {
      REQUIRE(WEXITSTATUS(status) == 0);
      break;
    }
  }
  CHECK(killed > 0);
  if (std::filesystem::exists(out + ".checkpoint")) whole.resumes_to_the_same_end("killed.h5");
  else CHECK((numbers(out) == whole.values));
}

TEST_CASE("resume: Ctrl-C leaves a file that can be read, and goes on", "[program][resume]") {
  const Whole whole;
  const std::string out = whole.folder.path("stopped.h5");
  const pid_t child = start(whole.command("stopped.h5"), [] {});
  for (int wait = 0; wait < 500 && !std::filesystem::exists(out + ".checkpoint"); ++wait)
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  kill(child, SIGINT);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 0) return;  // it was faster
  CHECK(numbers(out).at("time").size() > 1);
  CHECK(std::filesystem::exists(out + ".checkpoint"));
  // Another run does not take its place by itself.
  const ProgramResult again = program(whole.command("stopped.h5"));
  CHECK(again.status == 2);
  CHECK_THAT(again.err, contains("--resume"));
  // Nor does a run that is another one.
  const ProgramResult other = program(whole.command("stopped.h5", {"--resume", "--seed", "99"}));
  CHECK(other.status == 2);
  CHECK_THAT(other.err, contains("the seed"));
  CHECK(std::filesystem::exists(out + ".part"));
  whole.resumes_to_the_same_end("stopped.h5");
}

TEST_CASE("resume: a full disk stops the run, nothing is lost, and it goes on when there is room", "[program][resume]") {
  const Whole whole;
  const std::string out = whole.folder.path("full.h5");
  for (const rlim_t room : {1'500'000u, 2'500'000u, 4'000'000u}) {
    const bool begun = std::filesystem::exists(out + ".checkpoint");
    // A limit of the file's size: a write beyond it fails as on a full disk.
    const pid_t child =
        start(whole.command("full.h5", begun ? std::vector<std::string>{"--resume"} : std::vector<std::string>{"--force"}), [&] {
          signal(SIGXFSZ, SIG_IGN);
          const rlimit limit{room, room};
          setrlimit(RLIMIT_FSIZE, &limit);
        });
    int status = 0;
    waitpid(child, &status, 0);
    INFO(room);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 1);
  }
  if (std::filesystem::exists(out + ".checkpoint")) return whole.resumes_to_the_same_end("full.h5");
  FAIL("no checkpoint was ever written");
}

TEST_CASE("resume: what is no checkpoint is refused", "[program][resume]") {
  const Scratch folder;
  CHECK_THROWS_AS(Checkpoint::read(folder.path("none")), CheckpointError);
  CHECK_THROWS_AS(Checkpoint::read(folder.write("empty", "")), CheckpointError);
  CHECK_THROWS_AS(Checkpoint::read(folder.write("text", "steps: 7")), CheckpointError);
  Checkpoint c;
  c.identity = {{"the seed", "1"}};
  c.lane = {0.1, -0.0, 5e-324};
  c.write(folder.path("good"));
  CHECK(Checkpoint::read(folder.path("good")).lane == c.lane);
  CHECK(std::signbit(Checkpoint::read(folder.path("good")).lane[1]));
  CHECK_THROWS_AS(c.must_be({{"the seed", "2"}}), CheckpointError);
  const std::string bytes = contents(folder.path("good"));
  for (std::size_t cut = 0; cut < bytes.size(); cut += 7)
    CHECK_THROWS_AS(Checkpoint::read(folder.write("cut", bytes.substr(0, cut))), CheckpointError);
  const ProgramResult r = program({"run", village, "--resume"}, folder.path());
  CHECK(r.status == 2);
  CHECK_THAT(r.err, contains("has stopped"));
}

}  // namespace urja::tests
