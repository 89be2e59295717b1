// The gym's protocol without a socket: what is answered, what is refused, and that a refusal changes nothing.
#include <cstring>
#include <limits>
#include <random>

#include "bridge/gym/endpoint.hpp"
#include "tests/catch.hpp"
#include "tests/gym_talk.hpp"

namespace {

using namespace urja;
using gym::Message;
using urja::tests::Talk;
using Json = nlohmann::json;

gym::Desk desk_of(const char* scenario = "home_time_of_use", gym::Limits limits = {}, const std::vector<std::string>& set = {}) {
  static std::map<std::string, std::shared_ptr<const ScenarioSource>> sources;
  const std::string file = std::string(URJA_SOURCE_DIR) + "/scenarios/gym/" + scenario + ".yaml";
  auto& source = sources[file];
  if (!source) source = std::make_shared<ScenarioSource>(file);
  return {[source = source, set](LoadOptions::Gym g) {
            LoadOptions load;
            load.gym = g;
            load.set = set;
            return source->load(load);
          },
          limits, "test"};
}

const std::string zeros(4 * 4, '\0');

}  // namespace

TEST_CASE("gym desk: a session from HELLO to CLOSE", "[gym]") {
  gym::Desk desk = desk_of();
  Talk talk(desk);
  const auto welcome = talk.ask(Message::hello);
  CHECK(Talk::is(welcome, Message::welcome));
  CHECK(Talk::meta_of(welcome).at("protocol") == "urja-gym/1");
  CHECK(Talk::meta_of(welcome).at("session") == welcome.header.session);
  CHECK(Talk::code_of(talk.ask(Message::step)) == "STATE");
  const auto spec = talk.ask(Message::make, {{"envs", 4}});
  REQUIRE(Talk::is(spec, Message::spec));
  CHECK(talk.spec.at("schema").at("observations").size() == 42);
  CHECK(talk.spec.at("schema").at("actions").at(0).at("unit") == "W");
  CHECK(Talk::code_of(talk.ask(Message::make)) == "STATE");
  CHECK(Talk::code_of(talk.ask(Message::step, {}, zeros)) == "STATE");  // before RESET
  const auto first = talk.ask(Message::reset);
  REQUIRE(Talk::is(first, Message::result));
  const auto second = talk.ask(Message::step, {}, zeros);
  CHECK(Talk::is(second, Message::result));
  CHECK(Talk::blob_of(first) != Talk::blob_of(second));
  CHECK(Talk::is(talk.ask(Message::kpi), Message::totals));
  CHECK(Talk::is(talk.ask(Message::mask), Message::masks));
  CHECK(Talk::is(talk.ask(Message::state), Message::truth));
  const auto picture = Talk::meta_of(talk.ask(Message::render, {{"lane", 3}}));
  CHECK(picture.at("text").get<std::string>().find("battery") != std::string::npos);
  CHECK(Talk::is(talk.ask(Message::ping), Message::pong));
  CHECK(Talk::code_of(talk.ask(static_cast<Message>(99), {}, zeros)) == "TYPE");  // also one that brings something
  CHECK(Talk::code_of(talk.ask(Message::ping, {}, zeros)) == "SHAPE");
  // A heartbeat beside it has no turn, as often as it likes.
  for (int k = 0; k < 3; ++k) {
    gym::Header beat = talk.header;
    beat.type = static_cast<std::uint8_t>(Message::ping), beat.seq = 0;
    CHECK(Talk::is(talk.raw(std::string(reinterpret_cast<const char*>(&beat), sizeof beat), "", ""), Message::pong));
  }
  CHECK(desk.memory() > 0);
  CHECK(Talk::is(talk.ask(Message::close), Message::ok));
  CHECK(desk.sessions() == 0);
  CHECK(desk.memory() == 0);
  CHECK(Talk::code_of(talk.ask(Message::ping)) == "SESSION");
}

TEST_CASE("gym desk: steps of many are the steps one by one", "[gym]") {
  gym::Desk desk = desk_of("home_time_of_use");
  Talk one(desk), many(desk);
  for (Talk* t : {&one, &many}) t->open(3), t->ask(Message::reset);
  std::string all;
  std::vector<double> sums(3);
  gym::Reply last;
  const auto at = [](const gym::Reply& r, std::size_t offset, int lane) {
    double v;
    std::memcpy(&v, r.blob->data() + offset + sizeof v * static_cast<std::size_t>(lane), sizeof v);
    return v;
  };
  const std::size_t reward_at = (3 * 42 * 4 + 63) / 64 * 64;
  for (int k = 0; k < 20; ++k) {
    const std::string actions = Talk::floats({0.1f * static_cast<float>(k % 7), -0.5f, 0.9f});
    all += actions;
    last = one.ask(Message::step, {}, actions);
    for (int lane = 0; lane < 3; ++lane) sums[static_cast<std::size_t>(lane)] += at(last, reward_at, lane);
  }
  const auto r = many.ask(Message::step_many, {}, all, 0, 20);
  REQUIRE(Talk::is(r, Message::result));
  CHECK(Talk::blob_of(r).substr(0, 3 * 42 * 4) == Talk::blob_of(last).substr(0, 3 * 42 * 4));
  for (int lane = 0; lane < 3; ++lane)
    CHECK(at(r, reward_at, lane) == Approx(sums[static_cast<std::size_t>(lane)]).epsilon(1e-12));
  CHECK(Talk::blob_of(one.ask(Message::state)) == Talk::blob_of(many.ask(Message::state)));
}

TEST_CASE("gym desk: what is wrong is named, and changes nothing", "[gym]") {
  gym::Limits limits;
  limits.envs = 1000, limits.snapshots = 2, limits.sessions = 3, limits.steps_per_request = 100;
  gym::Desk desk = desk_of("home_time_of_use", limits);
  Talk talk(desk);
  talk.open(4);
  talk.ask(Message::reset);
  talk.ask(Message::step, {}, zeros);
  const std::string before = Talk::blob_of(talk.ask(Message::state));
  const auto refused = [&](const gym::Reply& r, const char* code) {
    INFO(code);
    CHECK(Talk::code_of(r) == code);
    CHECK(Talk::blob_of(talk.ask(Message::state)) == before);
  };
  const float nan = std::numeric_limits<float>::quiet_NaN(), far = 3;
  refused(talk.ask(Message::step, {}, Talk::floats({0, 0, nan, 0})), "NAN_ACTION");
  refused(talk.ask(Message::step, {}, Talk::floats({0, std::numeric_limits<float>::infinity(), 0, 0})), "NAN_ACTION");
  refused(talk.ask(Message::step, {}, Talk::floats({0, 0, 0, far})), "OUT_OF_RANGE");
  refused(talk.ask(Message::step, {}, zeros + "x"), "SHAPE");
  refused(talk.ask(Message::step, {}, zeros.substr(1)), "SHAPE");
  refused(talk.ask(Message::step, {}, ""), "SHAPE");
  refused(talk.ask(Message::step_many, {}, zeros, 0, 0), "LIMIT");
  refused(talk.ask(Message::step_many, {}, zeros, 0, 4'000'000'000u), "LIMIT");
  refused(talk.ask(Message::step_many, {}, zeros, 0, 2), "SHAPE");
  refused(talk.ask(Message::reset, {}, "ab", gym::has_mask), "SHAPE");
  refused(talk.ask(Message::branch, {}, std::string(8, '\7')), "SHAPE");
  refused(talk.ask(Message::branch, {}, "abc"), "SHAPE");
  refused(talk.ask(Message::restore, {{"snapshot", 99}}), "META");
  refused(talk.ask(Message::drop, {{"snapshot", 99}}), "META");
  refused(talk.ask(Message::render, {{"lane", "three"}}), "META");
  refused(talk.ask(Message::render, {{"lane", 4}}), "LIMIT");
  refused(talk.ask(static_cast<Message>(200)), "TYPE");
  refused(talk.ask(Message::result), "TYPE");
  talk.ask(Message::snapshot), talk.ask(Message::snapshot);
  refused(talk.ask(Message::snapshot), "LIMIT");

  auto kept = talk.header;
  talk.header.schema ^= 1;
  CHECK(Talk::code_of(talk.ask(Message::step, {}, zeros)) == "SCHEMA");
  kept.seq = talk.header.seq, talk.header = kept;
  talk.header.n = 5;
  CHECK(Talk::code_of(talk.ask(Message::step, {}, zeros)) == "SHAPE");
  kept.seq = talk.header.seq, talk.header = kept;
  talk.header.seq += 5;
  const auto gap = talk.ask(Message::step, {}, zeros);
  CHECK(Talk::code_of(gap) == "SEQ");
  CHECK(Talk::meta_of(gap).at("index") == kept.seq + 1);
  talk.header = kept;
  CHECK(Talk::blob_of(talk.ask(Message::state)) == before);

  Talk second(desk), third(desk), fourth(desk);
  second.ask(Message::hello);
  CHECK(Talk::code_of(second.ask(Message::make, {{"envs", 1001}})) == "LIMIT");
  CHECK(Talk::code_of(second.ask(Message::make, {{"envs", 0}})) == "META");
  CHECK(Talk::code_of(second.ask(Message::make, {{"envs", "many"}})) == "META");
  CHECK(Talk::code_of(second.ask(Message::make, {{"autoreset", "never"}})) == "META");
  CHECK(Talk::is(second.ask(Message::make, {{"envs", 2}}), Message::spec));
  third.ask(Message::hello);
  CHECK(Talk::code_of(fourth.ask(Message::hello)) == "LIMIT");

  // Frames that are no message at all.
  CHECK(Talk::code_of(talk.raw("", "", "")) == "HEADER");
  CHECK(Talk::code_of(talk.raw(std::string(47, 'x'), "", "")) == "HEADER");
  CHECK(Talk::code_of(talk.raw(std::string(48, 'x'), "", "")) == "MAGIC");
  gym::Header h;
  h.major = 9;
  const auto as_text = [](const gym::Header& one) { return std::string(reinterpret_cast<const char*>(&one), sizeof one); };
  CHECK(Talk::code_of(talk.raw(as_text(h), "", "")) == "VERSION");
  h.major = 1, h.type = static_cast<std::uint8_t>(Message::hello);
  CHECK(Talk::code_of(talk.raw(as_text(h), "\xc1", "")) == "META");
  CHECK(Talk::code_of(talk.raw(as_text(h), std::string(4000, '\x91'), "")) == "META");  // nested, and never ends
  CHECK(Talk::code_of(talk.raw(as_text(h), std::string(5000, '\x80'), "")) == "META");
  h.crc = 7;
  CHECK(Talk::code_of(talk.raw(as_text(h), "", "")) == "CHECKSUM");
  CHECK(gym::crc32c(std::as_bytes(std::span("123456789", 9))) == 0xE3069283u);  // the check value of CRC-32C
  CHECK(Talk::blob_of(talk.ask(Message::state)) == before);
}

TEST_CASE("gym desk: a repeated request is answered again and done once", "[gym]") {
  gym::Desk desk = desk_of();
  Talk talk(desk);
  talk.open(4);
  talk.ask(Message::reset);
  const auto first = talk.ask(Message::step, {}, zeros);
  const std::string state = Talk::blob_of(talk.ask(Message::state));
  // STATE was the last request: it may be repeated, STEP before it not any more.
  talk.header.seq -= 1;
  CHECK(Talk::blob_of(talk.ask(Message::state)) == state);
  talk.header.seq -= 2;
  CHECK(Talk::code_of(talk.ask(Message::step, {}, zeros)) == "SEQ");
  talk.header.seq += 1;
  const auto step = talk.ask(Message::step, {}, zeros);
  talk.header.seq -= 1;
  const auto again = talk.ask(Message::step, {}, zeros);
  CHECK(Talk::blob_of(step) == Talk::blob_of(again));
  const std::string once = Talk::blob_of(talk.ask(Message::state));
  Talk other(desk);
  other.open(4);
  other.ask(Message::reset);
  other.ask(Message::step, {}, zeros), other.ask(Message::step, {}, zeros);
  CHECK(Talk::blob_of(other.ask(Message::state)) == once);
}

TEST_CASE("gym desk: leases end, snapshots and memory with them, and nobody else's", "[gym]") {
  gym::Limits limits;
  limits.lease_s = 10;
  gym::Desk desk = desk_of("home_time_of_use", limits);
  Talk alive(desk), dead(desk);
  alive.open(4);
  const auto of_one = desk.memory();
  dead.open(100);
  dead.ask(Message::reset), dead.ask(Message::snapshot);
  CHECK(desk.memory() > 10 * of_one);
  for (double t = 0; t <= 30; t += 5) {
    alive.now = t;
    alive.ask(Message::ping);
    desk.expire(t);
  }
  CHECK(desk.sessions() == 1);
  CHECK(desk.memory() == of_one);
  CHECK(Talk::code_of(dead.ask(Message::step, {}, zeros)) == "SESSION");
  // A quota of memory holds, and what was refused can be had smaller.
  gym::Limits small;
  small.memory = 20 * of_one;
  gym::Desk poor = desk_of("home_time_of_use", small);
  Talk big(poor);
  big.ask(Message::hello);
  CHECK(Talk::code_of(big.ask(Message::make, {{"envs", 1000}})) == "LIMIT");
  CHECK(poor.memory() == 0);
  CHECK(Talk::is(big.ask(Message::make, {{"envs", 8}}), Message::spec));
}

TEST_CASE("gym desk: mutated requests are refused or answered, and a neighbour notices nothing", "[gym]") {
  gym::Desk desk = desk_of();
  Talk quiet(desk), loud(desk);
  for (Talk* t : {&quiet, &loud}) t->open(4), t->ask(Message::reset);
  const std::string before = Talk::blob_of(quiet.ask(Message::state));
  std::mt19937 random(5);
  const auto some = [&](unsigned n) { return random() % n; };
  for (int k = 0; k < 20'000; ++k) {
    gym::Header h = loud.header;
    h.type = static_cast<std::uint8_t>(some(26)), h.flags = static_cast<std::uint8_t>(some(4)), h.t = some(3);
    h.seq = loud.header.seq + 1;
    std::string header(reinterpret_cast<const char*>(&h), sizeof h),
        blob(some(4) == 0 ? zeros : std::string(some(70), static_cast<char>(some(256)))), meta;
    if (some(2)) meta = gym::pack({{"snapshot", some(3)}, {"lane", some(5)}, {"envs", some(9)}});
    for (unsigned m = some(3); m > 0; --m) {
      std::string& which = some(3) == 0 ? header : some(2) ? meta : blob;
      if (!which.empty()) which[some(static_cast<unsigned>(which.size()))] ^= static_cast<char>(1u << some(8));
    }
    if (some(40) == 0) header.resize(some(60));
    const gym::Reply r = loud.raw(header, meta, blob);
    if (r.header.session == loud.header.session && r.header.seq == loud.header.seq + 1 && Talk::code_of(r) != "SEQ" &&
        Talk::code_of(r) != "SESSION" && Talk::code_of(r) != "META" && Talk::code_of(r) != "CHECKSUM" &&
        Talk::code_of(r) != "VERSION" && Talk::code_of(r) != "MAGIC")
      loud.header.seq += 1;
    if (Talk::code_of(loud.ask(Message::ping)) != "") {
      loud = Talk(desk);
      loud.open(4), loud.ask(Message::reset);
    }
    CHECK(Talk::code_of(r) != "INTERNAL");
    if (desk.sessions() > 1000) desk.expire(1e9), quiet = Talk(desk), quiet.open(4), quiet.ask(Message::reset);
  }
  CHECK(Talk::blob_of(quiet.ask(Message::state)) == before);
}

TEST_CASE("gym: which endpoints other machines can reach", "[gym]") {
  for (const char* local : {"ipc:///tmp/x", "tcp://127.0.0.1:5555", "tcp://localhost:0", "tcp://[::1]:1"})
    CHECK(!gym::is_public(local));
  for (const char* open :
       {"tcp://*:5555", "tcp://0.0.0.0:1", "tcp://192.168.1.2:1", "tcp://eth0:1", "tcp://127.0.0.1.evil.example:1"})
    CHECK(gym::is_public(open));
}

TEST_CASE("gym desk: planners act and advise to the end of an episode and beyond it", "[gym]") {
  for (const char* planner : {"dynamic_programming", "perfect_foresight", "rolling_lp"}) {
    INFO(planner);
    gym::Desk desk = desk_of("commercial_demand_charge");
    Talk acts(desk), asks(desk);
    const auto actions = std::string(3 * 4, '\0');
    acts.open(3, {{"policy", planner}, {"split", "test"}});
    asks.open(3, {{"split", "test"}});
    acts.ask(Message::reset), asks.ask(Message::reset);
    const int episode = asks.spec.at("schema").at("episode_steps").get<int>();
    CHECK(Talk::code_of(asks.ask(Message::advice)) == "META");
    CHECK(Talk::code_of(acts.ask(Message::advice, {{"policy", planner}})) == "STATE");
    // To shortly before the end at once, over the end one by one: in the step after it a lane begins anew.
    REQUIRE(Talk::is(asks.ask(Message::step_many, {}, std::string(static_cast<std::size_t>(episode - 2) * actions.size(), '\0'),
                              0, static_cast<std::uint32_t>(episode - 2)),
                     Message::result));
    for (int k = 0; k < 4; ++k) {
      const auto advised = asks.ask(Message::advice, {{"policy", planner}});
      REQUIRE(Talk::is(advised, Message::advised));
      const std::string blob = Talk::blob_of(advised);
      REQUIRE(blob.size() == actions.size());
      for (std::size_t lane = 0; lane < 3; ++lane) {
        float a = 2;
        std::memcpy(&a, blob.data() + 4 * lane, 4);
        CHECK((a >= -1 && a <= 1));
      }
      CHECK(Talk::is(asks.ask(Message::step, {}, blob), Message::result));
    }
    if (planner == std::string("perfect_foresight")) continue;  // a week of it takes long
    REQUIRE(Talk::is(acts.ask(Message::step_many, {}, std::string(static_cast<std::size_t>(episode + 2) * actions.size(), '\0'),
                              0, static_cast<std::uint32_t>(episode + 2)),
                     Message::result));
  }
}

TEST_CASE("gym desk: what cannot be is refused when it is asked for, and no bound is told that is none", "[gym]") {
  const auto first = [](std::vector<std::string> set, const char* scenario, const Json& make, Message then,
                        const Json& meta = Json::object()) {
    gym::Desk desk = desk_of(scenario, {}, std::move(set));
    Talk talk(desk);
    talk.ask(Message::hello);
    const auto made = talk.ask(Message::make, make);
    if (!Talk::is(made, Message::spec)) return Talk::meta_of(made);
    talk.ask(Message::reset);
    return Talk::meta_of(talk.ask(then, meta));
  };
  // A share of nothing has no episodes.
  const std::vector<std::string> all_for_training{"gym.episode.split=[100 %, 0 %, 0 %]"};
  for (const char* split : {"validation", "test"}) {
    const auto told = first(all_for_training, "home_time_of_use", {{"split", split}}, Message::bound);
    CHECK(told.at("code") == "META");
    CHECK(told.at("field") == "split");
  }
  const auto no_bound = [&](const char* set) {
    const auto told = first({set}, "home_time_of_use", Json::object(), Message::bound);
    INFO(told.dump());
    return told.value("code", "") == "META" && told.value("text", "").find("no bound") != std::string::npos;
  };
  CHECK(no_bound("gym.terminate=[{of: battery.state_of_charge, below: 20 %}]"));
  CHECK(no_bound("gym.faults={x: {kind: battery_capacity_drop, on: battery, rate: 4 1/d, duration: 3 h}}"));
  CHECK(no_bound("gym.reward.cost.ramp={of: battery.power, ramp: 100 W, price: 1 AUD/kWh}"));
  CHECK(!no_bound("gym.faults={x: {kind: inverter_trip, on: battery, rate: 4 1/d, duration: 3 h}}"));
  // A planner that cannot plan this plant says so, as a policy and as an adviser.
  const auto policy = first({}, "workplace_ev", {{"policy", "dynamic_programming"}}, Message::bound);
  CHECK(policy.at("code") == "META");
  const auto adviser = first({}, "workplace_ev", Json::object(), Message::advice, {{"policy", "dynamic_programming"}});
  CHECK(adviser.at("code") == "META");
}
