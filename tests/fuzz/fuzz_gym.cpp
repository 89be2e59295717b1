// What the gym's desk makes of any frames: it answers or refuses; its memory is accounted for, and a neighbour's plant stays as it is. For
// libFuzzer (preset `fuzz`).
//
// The bytes are a list of requests: type, flags, t, how many bytes of header, meta and blob are changed and where, then meta and blob.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "tests/gym_talk.hpp"

namespace {

using namespace urja;
using gym::Message;
using urja::tests::Talk;

struct Bytes {
  const std::uint8_t* data;
  std::size_t left;
  std::uint8_t next() { return left ? (--left, *data++) : 0; }
  std::string some(std::size_t count) {
    std::string text;
    while (count-- > 0 && left > 0) text += static_cast<char>(next());
    return text;
  }
};

const ScenarioSource& gym_source() {
  static const ScenarioSource one(std::string(URJA_SOURCE_DIR) + "/scenarios/gym/home_time_of_use_discrete.yaml");
  return one;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static gym::Desk* desk = [] {
    gym::Limits limits;
    limits.envs = 24, limits.snapshots = 3, limits.sessions = 16, limits.steps_per_request = 200, limits.memory = 64 << 20;
    return new gym::Desk(
        [](LoadOptions::Gym who) {
          LoadOptions load;
          load.set = {"run.to=2011-07-11 00:00", "gym.episode.by=10 d", "gym.episode.length=2 h"};
          load.gym = who;
          return gym_source().load(load);
        },
        limits, "fuzz");
  }();
  Talk quiet(*desk), loud(*desk);
  quiet.open(2);
  quiet.ask(Message::reset);
  const std::string before = Talk::blob_of(quiet.ask(Message::state));
  const std::int64_t of_quiet = desk->memory();
  loud.open(3);
  loud.ask(Message::reset);
  Bytes bytes{data, size};
  for (int request = 0; request < 40 && bytes.left > 0; ++request) {
    gym::Header h = loud.header;
    h.type = static_cast<std::uint8_t>(bytes.next() % 31);
    h.flags = bytes.next() % 4;
    h.t = bytes.next() % 5;
    h.seq = loud.header.seq + 1;
    std::string header(reinterpret_cast<const char*>(&h), sizeof h);
    const std::uint8_t changes = bytes.next() % 4;
    std::string meta = bytes.some(bytes.next()), blob;
    if (h.type == static_cast<std::uint8_t>(Message::advice) && meta.size() < 8) meta = gym::pack({{"policy", "greedy"}});
    const std::uint8_t how = bytes.next();
    const std::size_t fits = h.type == 6 ? 12 : h.type == 7 ? 12 * h.t : h.type == 5 ? 64 + 3 : 8;
    if (how < 128) blob.assign(fits, '\0');
    else blob = bytes.some(how - 128);
    for (int k = 0; k < changes; ++k) {
      const std::uint8_t where = bytes.next(), what = bytes.next();
      std::string& which = where < 64 ? header : where < 128 ? meta : blob;
      if (!which.empty()) which[where % which.size()] = static_cast<char>(what);
    }
    const gym::Reply r = loud.raw(header, meta, blob);
    const std::string code = Talk::code_of(r);
    if (code == "INTERNAL") std::abort();
    if (desk->memory() < 0) std::abort();
    // Whether the number counts as used shows in the next request.
    const gym::Reply ping = loud.ask(Message::ping);
    if (Talk::code_of(ping) == "SEQ")
      loud.header.seq = static_cast<std::uint64_t>(Talk::meta_of(ping).at("index").get<std::int64_t>()) - 1;
    if (Talk::code_of(ping) == "SESSION") loud.open(3), loud.ask(Message::reset);
  }
  if (Talk::blob_of(quiet.ask(Message::state)) != before) std::abort();
  quiet.now = 1e6;
  quiet.ask(Message::ping);
  desk->expire(1e6);  // the others
  if (desk->memory() != of_quiet || desk->sessions() != 1) std::abort();
  quiet.ask(Message::close);
  if (desk->memory() != 0) std::abort();
  return 0;
}
