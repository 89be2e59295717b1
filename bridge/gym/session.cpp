#include "bridge/gym/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "engine/calendar.hpp"
#include "scenarios/data.hpp"

namespace urja::gym {
namespace {

using Json = nlohmann::json;

constexpr const char* autoresets[] = {"next_step", "same_step", "disabled"};
constexpr const char* splits[] = {"train", "validation", "test", "all"};

template <std::size_t Count> int choice(const Json& options, const char* key, const char* const (&names)[Count]) {
  const auto found = options.find(key);
  if (found == options.end()) return 0;
  if (found->is_string()) {
    for (std::size_t k = 0; k < Count; ++k) {
      if (*found == names[k]) return static_cast<int>(k);
    }
  }
  throw Refusal{"META", fmt::format("'{}' is none of its choices", key), key};
}

std::int64_t whole(const Json& options, const char* key, std::int64_t otherwise, std::int64_t low, std::int64_t high) {
  const auto found = options.find(key);
  if (found == options.end()) return otherwise;
  if (!found->is_number_integer()) throw Refusal{"META", fmt::format("'{}' is no whole number", key), key};
  const auto value =
      found->is_number_unsigned() && found->get<std::uint64_t>() > std::uint64_t{1} << 62 ? high + 1 : found->get<std::int64_t>();
  if (value < low) throw Refusal{"META", fmt::format("'{}' is below {}", key, low), key};
  if (value > high) throw Refusal{"LIMIT", fmt::format("'{}' is above {}", key, high), key, high};
  return value;
}

const char* source_of(const GymSpecification::Observation& o) {
  constexpr const char* names[] = {"measured", "forecast", "calendar", "episode"};
  return names[o.source];
}

}  // namespace

Session::~Session() {
  line_.reset();  // ends its thread
  desk_.memory_ -= charged_;
}

void Session::charge(std::int64_t bytes, const char* what) {
  if (desk_.memory_ + bytes > desk_.limits_.memory)
    throw Refusal{
        "LIMIT",
        fmt::format("{} would take {} MB, {} MB are left", what, bytes >> 20, (desk_.limits_.memory - desk_.memory_) >> 20),
        "memory"};
  desk_.memory_ += bytes;
  charged_ += bytes;
}

void Session::remember(const Header& request, const Reply& reply) {
  // A number out of turn is not used up.
  if (request.seq != seq_ + 1) return;
  seq_ = request.seq;
  // The blob that is forgotten now serves the next reply, unless a socket still sends it.
  if (reply_.blob && reply_.blob.use_count() == 1) spare_ = std::const_pointer_cast<Bytes>(reply_.blob);
  reply_ = reply;
  has_reply_ = true;
}

Reply Session::simple(Message type, const Json& meta) {
  Reply r;
  r.header.type = static_cast<std::uint8_t>(type);
  if (!meta.empty()) r.meta = pack(meta);
  return r;
}

VectorEnvironment& Session::env() const {
  if (!env_) throw Refusal{"STATE", "MAKE comes first"};
  return *env_;
}

void Session::size_is(std::span<const std::byte> blob, std::size_t size) {
  if (blob.size() != size)
    throw Refusal{"SHAPE", fmt::format("the blob has {} bytes, not {}", blob.size(), size), "blob",
                  static_cast<std::int64_t>(size)};
}

template <class Number>
std::span<const Number> Session::take(std::span<const std::byte> blob, std::size_t at, std::size_t count,
                                      std::vector<Number>& room) const {
  const std::byte* from = blob.data() + at;
  if (reinterpret_cast<std::uintptr_t>(from) % alignof(Number) == 0) return {reinterpret_cast<const Number*>(from), count};
  room.resize(count);
  std::memcpy(room.data(), from, count * sizeof(Number));
  return room;
}

void Session::check(const Request& request) const {
  const Header& h = request.header;
  if (h.seq != seq_ + 1)
    throw Refusal{"SEQ", fmt::format("request {} comes out of turn, {} is next", h.seq, seq_ + 1), "seq",
                  static_cast<std::int64_t>(seq_ + 1)};
  const auto type = static_cast<Message>(h.type);
  if (type == Message::make || type == Message::close || type == Message::ping) return;
  if (env_ && h.schema != hash_) throw Refusal{"SCHEMA", "this is another schema than SPEC's", "schema"};
  if (env_ && h.n != static_cast<std::uint32_t>(env_->lanes()))
    throw Refusal{"SHAPE", fmt::format("n is {}, the batch has {} lanes", h.n, env_->lanes()), "n", env_->lanes()};
}

Reply Session::answer(const Request& request) {
  check(request);
  const Header& h = request.header;
  Reply r;
  const Json meta = meta_of(request);
  // Most requests are told by their meta alone.
  const auto alone = [&](auto&& reply) {
    size_is(request.blob, 0);
    return reply();
  };
  switch (static_cast<Message>(h.type)) {
    case Message::make: r = alone([&] { return make(meta), spec(); }); break;
    case Message::reset: r = reset(request); break;
    case Message::step: r = step(request, 1); break;
    case Message::step_many: {
      env();
      if (h.t == 0 || static_cast<std::int64_t>(h.t) * h.n > desk_.limits_.steps_per_request)
        throw Refusal{"LIMIT", fmt::format("{} steps of {} lanes in one request", h.t, h.n), "steps_per_request",
                      desk_.limits_.steps_per_request};
      r = step(request, static_cast<int>(h.t));
      break;
    }
    case Message::snapshot: r = alone([&] { return snapshot(); }); break;
    case Message::restore: r = restore(request, meta); break;
    case Message::branch: r = branch(request); break;
    case Message::drop: r = alone([&] { return drop(meta); }); break;
    case Message::render: r = alone([&] { return render(meta); }); break;
    case Message::kpi: r = alone([&] { return totals(); }); break;
    case Message::mask: r = alone([&] { return masks(); }); break;
    case Message::state: r = alone([&] { return truth(); }); break;
    case Message::bound: r = alone([&] { return bounds(); }); break;
    case Message::advice: r = alone([&] { return advice(meta); }); break;
    case Message::share: r = alone([&] { return share(); }); break;
    case Message::ping: r = alone([&] { return simple(Message::pong); }); break;
    case Message::close:
      r = alone([&] { return simple(Message::ok); });
      closed_ = true;
      break;
    default: throw Refusal{"TYPE", fmt::format("{} is no type of a request", h.type), "type"};
  }
  r.header.session = id_;
  r.header.seq = h.seq;
  r.header.schema = hash_;
  r.header.n = env_ ? static_cast<std::uint32_t>(env_->lanes()) : 0;
  return r;
}

// ------------------------------------------------------------------------------------------------------------------- make

void Session::make(const Json& options) {
  if (env_) throw Refusal{"STATE", "this session has its batch already"};
  VectorEnvironment::Options o;
  o.lanes = static_cast<int>(whole(options, "envs", 1, 1, desk_.limits_.envs));
  o.autoreset = static_cast<VectorEnvironment::Autoreset>(choice(options, "autoreset", autoresets));
  o.split = static_cast<GymSpecification::Split>(choice(options, "split", splits));
  o.threads = static_cast<int>(whole(options, "threads", 1, 1, desk_.limits_.threads));
  const std::string policy =
      options.contains("policy") && options["policy"].is_string() ? options["policy"].get<std::string>() : "agent";
  const auto& planners = gym_planners();
  const bool plans = std::find(planners.begin(), planners.end(), policy) != planners.end();
  if (!plans && policy != "agent" && policy != "rule") throw Refusal{"META", "'policy' is none of its choices", "policy"};
  o.agent = policy == "agent";
  o.one_piece = plans;
  const Scenario& scenario = desk_.scenario(policy == "rule" ? LoadOptions::Gym::rule : LoadOptions::Gym::agent);
  if (scenario.gym->starts[o.split].empty())
    throw Refusal{"META", fmt::format("no episode of this task is for {}: its share of the data is empty", splits[o.split]),
                  "split"};
  // Blocks, their meter and what a reply holds; measured against the resident size, not exact.
  Batch one(scenario.plan, 1);
  const auto of_one = static_cast<std::int64_t>(one.snapshot_size() * sizeof(double));
  const auto& g = *scenario.gym;
  const auto of_reply =
      static_cast<std::int64_t>(4 * g.observations.size() * 4 + 8 * (6 * g.columns.size() + g.randomised.size() + 4));
  const std::int64_t lanes = (o.lanes + width - 1) / width * width;
  charge(lanes * (of_one + of_reply), "the batch");
  std::unique_ptr<VectorEnvironment> made;
  try {
    made = std::make_unique<VectorEnvironment>(scenario, o);
    if (plans) made->set_policy(make_gym_planner(policy, scenario, o.lanes));
  } catch (const std::exception& e) {
    charge(-charged_, "");  // nothing else has been charged before a batch
    if (dynamic_cast<const std::invalid_argument*>(&e)) throw Refusal{"META", policy + ": " + e.what(), "policy"};
    throw;
  }
  scenario_ = &scenario;
  policy_ = policy;
  env_ = std::move(made);
  schema_ = schema();
  hash_ = text_hash(schema_.dump());
}

Json Session::schema() const {
  const GymSpecification& g = env_->specification();
  const VectorEnvironment::Options& o = env_->options();
  const double interval = scenario_->plan->step * g.per_interval;
  Json policies{"agent", "rule"};
  for (const std::string& name : gym_planners()) policies.push_back(name);
  Json s{{"scenario", scenario_->name},
         {"title", scenario_->title},
         {"zone", scenario_->zone},
         {"currency", scenario_->currency},
         {"envs", o.lanes},
         {"autoreset", autoresets[static_cast<int>(o.autoreset)]},
         {"split", splits[o.split]},
         {"policy", policy_},
         {"policies", policies},
         {"interval_s", interval},
         {"step_s", scenario_->plan->step},
         {"episode_steps", g.episode},
         {"normalised_observations", g.normalised},
         {"normalised_actions", g.normalised_actions},
         {"reward_scale", g.reward_scale}};
  const auto unit_of = [&](const std::string& unit) {
    const std::size_t at = unit.find("money");
    return at == std::string::npos ? unit : unit.substr(0, at) + scenario_->currency + unit.substr(at + 5);
  };
  Json& observations = s["observations"] = Json::array();
  for (const auto& one : g.observations)
    observations.push_back({{"name", one.name},
                            {"unit", unit_of(one.unit)},
                            {"low", one.low},
                            {"high", one.high},
                            {"source", source_of(one)},
                            {"ahead_s", one.ahead * interval},
                            {"lag_s", one.lag * interval},
                            {"doc", one.doc}});
  Json& actions = s["actions"] = Json::array();
  for (const auto& one : g.actions)
    actions.push_back({{"name", one.name},
                       {"unit", unit_of(one.unit)},
                       {"kind", one.values.empty() ? "box" : "discrete"},
                       {"low", one.low},
                       {"high", one.high},
                       {"values", one.values},
                       {"doc", one.doc}});
  Json& columns = s["columns"] = Json::array();
  for (const auto& one : g.columns)
    columns.push_back(
        {{"name", one.name}, {"unit", unit_of(one.unit)}, {"price", one.price}, {"in_cost", one.in_cost}, {"doc", one.doc}});
  Json& draws = s["draws"] = Json::array();
  for (const auto& one : g.randomised) draws.push_back({{"name", one.name}, {"unit", one.unit}});
  Json& state = s["state"] = Json::array();
  for (const auto& q : env_->state_map()) state.push_back({{"name", q.asset + "." + q.name}, {"unit", unit_of(q.unit)}});
  return s;
}

Reply Session::spec() const { return simple(Message::spec, {{"schema_hash", hash_}, {"schema", schema_}}); }

// ------------------------------------------------------------------------------------------------------ results, episodes

namespace {

// Where the arrays of a RESULT lie; those of ended lanes behind `end`.
struct ResultLayout {
  std::size_t observations, reward, terminated, truncated, columns, draws, end;
  Layout rest;
  explicit ResultLayout(const VectorEnvironment& e) {
    const auto n = static_cast<std::size_t>(e.lanes());
    Layout l;
    observations = l.add<float>(n * static_cast<std::size_t>(e.observations()));
    reward = l.add<double>(n);
    terminated = l.add<std::uint8_t>(n);
    truncated = l.add<std::uint8_t>(n);
    columns = l.add<double>(n * static_cast<std::size_t>(e.columns()));
    draws = l.add<double>(n * static_cast<std::size_t>(e.draws()));
    end = l.size();
    rest = l;
  }
};

}  // namespace

std::size_t Session::most_result() const {
  const VectorEnvironment& e = env();
  Layout l = ResultLayout(e).rest;
  if (e.options().autoreset != VectorEnvironment::Autoreset::same_step) return l.size();
  const auto n = static_cast<std::size_t>(e.lanes());
  l.add<std::uint32_t>(n);
  l.add<float>(n * static_cast<std::size_t>(e.observations()));
  return l.size();
}

template <class Write> Session::Written Session::write_result(std::byte* memory, Write&& write) {
  VectorEnvironment& e = env();
  const bool keeps_final = e.options().autoreset == VectorEnvironment::Autoreset::same_step;
  const auto n = static_cast<std::size_t>(keeps_final ? e.lanes() : 0), wide = static_cast<std::size_t>(e.observations());
  const ResultLayout l(e);
  Layout most = l.rest;
  const std::size_t index = most.add<std::uint32_t>(n), rows = most.add<float>(n * wide);
  VectorEnvironment::Result result{
      reinterpret_cast<float*>(memory + l.observations),      reinterpret_cast<double*>(memory + l.reward),
      reinterpret_cast<std::uint8_t*>(memory + l.terminated), reinterpret_cast<std::uint8_t*>(memory + l.truncated),
      reinterpret_cast<double*>(memory + l.columns),          reinterpret_cast<double*>(memory + l.draws),
      reinterpret_cast<std::uint32_t*>(memory + index),       reinterpret_cast<float*>(memory + rows)};
  write(result);
  if (result.ended == 0) return {l.end, 0};
  // Only as many final rows as there are.
  Layout exact = l.rest;
  const std::size_t at_index = exact.add<std::uint32_t>(result.ended), at_rows = exact.add<float>(result.ended * wide);
  std::memmove(memory + at_index, memory + index, result.ended * sizeof(std::uint32_t));
  std::memmove(memory + at_rows, memory + rows, result.ended * wide * sizeof(float));
  return {exact.size(), result.ended};
}

template <class Write> Reply Session::with_result(Write&& write) {
  const std::size_t most = most_result();
  std::shared_ptr<Bytes> blob;
  if (spare_ && spare_.use_count() == 1 && spare_->capacity() >= most) blob = std::move(spare_);
  else blob = std::make_shared<Bytes>(most);
  const Written written = write_result(blob->data(), write);
  blob->shrink(written.size);
  Reply r = simple(Message::result);
  r.header.t = written.ended;
  r.blob = std::move(blob);
  return r;
}

Reply Session::seen() {
  return with_result([&](VectorEnvironment::Result& result) { env_->observe(result); });
}

Reply Session::reset(const Request& request) {
  VectorEnvironment& e = env();
  const auto n = static_cast<std::size_t>(e.lanes());
  const bool seeded = request.header.flags & has_seeds, masked = request.header.flags & has_mask;
  Layout layout;
  const std::size_t seeds = seeded ? layout.add<std::uint64_t>(n) : 0, mask = masked ? layout.add<std::uint8_t>(n) : 0;
  size_is(request.blob, layout.size());
  std::span<const std::uint8_t> which;
  if (masked) which = take(request.blob, mask, n, mask_);
  if (e.needs_reset() && masked && std::count(which.begin(), which.end(), 0) > 0)
    throw Refusal{"STATE", "the first RESET is of all lanes", "mask"};
  std::span<const std::uint64_t> seed;
  if (seeded) seed = take(request.blob, seeds, n, seeds_);
  return with_result([&](VectorEnvironment::Result& result) { e.reset(seed, which, result); });
}

// Whether the batch can step with these.
void Session::check_actions(std::span<const float> actions) const {
  const VectorEnvironment& e = env();
  if (e.needs_reset()) throw Refusal{"STATE", "RESET comes first"};
  if (const int lane = e.over(); lane >= 0)
    throw Refusal{"STATE", fmt::format("lane {} is over and waits for its RESET", lane), "lane", lane};
  if (!e.options().agent) return;
  const auto bad = e.bad_action(actions);
  if (!bad) return;
  const auto count = static_cast<std::size_t>(e.actions());
  const std::string& name = e.specification().actions[bad->index % count].name;
  throw Refusal{bad->finite ? "OUT_OF_RANGE" : "NAN_ACTION",
                fmt::format("{} of lane {} is {}", name, bad->index / count % static_cast<std::size_t>(e.lanes()),
                            bad->finite ? fmt::format("{:g}, out of its bounds", actions[bad->index]) : "not finite"),
                name, static_cast<std::int64_t>(bad->index)};
}

Reply Session::step(const Request& request, int steps) {
  VectorEnvironment& e = env();
  const std::size_t count =
      static_cast<std::size_t>(steps) * static_cast<std::size_t>(e.lanes()) * static_cast<std::size_t>(e.actions());
  size_is(request.blob, count * sizeof(float));
  const auto actions = take(request.blob, 0, count, actions_);
  check_actions(actions);
  return with_result([&](VectorEnvironment::Result& result) { e.step(actions, steps, result); });
}

Reply Session::snapshot() {
  if (env().needs_reset()) throw Refusal{"STATE", "RESET comes first"};
  if (static_cast<std::int64_t>(snapshots_.size()) >= desk_.limits_.snapshots)
    throw Refusal{"LIMIT", "too many snapshots; DROP some", "snapshots", desk_.limits_.snapshots};
  charge(static_cast<std::int64_t>(env_->snapshot_bytes()), "a snapshot");
  snapshots_[next_snapshot_] = env_->snapshot();
  return simple(Message::ok, {{"snapshot", next_snapshot_++}});
}

Reply Session::drop(const Json& meta) {
  const auto id = whole(meta, "snapshot", 0, 0, std::int64_t{1} << 62);
  if (snapshots_.erase(static_cast<std::uint64_t>(id)) == 0) throw Refusal{"META", "there is no such snapshot", "snapshot"};
  charge(-static_cast<std::int64_t>(env_->snapshot_bytes()), "");
  return simple(Message::ok);
}

Reply Session::restore(const Request& request, const Json& meta) {
  VectorEnvironment& e = env();
  const auto n = static_cast<std::size_t>(e.lanes());
  const bool masked = request.header.flags & has_mask;
  size_is(request.blob, masked ? n : 0);
  const auto found = snapshots_.find(static_cast<std::uint64_t>(whole(meta, "snapshot", 0, 0, std::int64_t{1} << 62)));
  if (found == snapshots_.end()) throw Refusal{"META", "there is no such snapshot", "snapshot"};
  std::span<const std::uint8_t> which;
  if (masked) which = take(request.blob, 0, n, mask_);
  e.restore(*found->second, which);
  return seen();
}

Reply Session::branch(const Request& request) {
  VectorEnvironment& e = env();
  if (e.needs_reset()) throw Refusal{"STATE", "RESET comes first"};
  constexpr std::size_t most = 65536;
  const std::size_t count = request.blob.size() / 8;
  if (request.blob.size() % 8 != 0 || count == 0 || count > most)
    throw Refusal{"SHAPE", "the blob holds 1 to 65,536 pairs of u32", "blob"};
  const auto pairs = take(request.blob, 0, count * 2, pairs_);
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    if (pairs[k] >= static_cast<std::uint32_t>(e.lanes()))
      throw Refusal{"SHAPE", fmt::format("there is no lane {}", pairs[k]), "pairs", static_cast<std::int64_t>(k)};
  }
  for (std::size_t k = 0; k < pairs.size(); k += 2) e.branch(static_cast<int>(pairs[k]), static_cast<int>(pairs[k + 1]));
  return seen();
}

// ---------------------------------------------------------------------------------------------------------- shared memory

namespace {
constexpr std::size_t most_shared_request = std::size_t{16} << 20;  // bytes: longer plans go over the socket
}

Reply Session::share() {
  const VectorEnvironment& e = env();
  if (!desk_.limits_.shares) throw Refusal{"STATE", "this server shares no memory"};
  if (!line_) {
    const std::size_t of_step = static_cast<std::size_t>(e.lanes()) * static_cast<std::size_t>(e.actions()) * sizeof(float);
    // Room for 64 steps in one request, where that is not much.
    const std::size_t request = std::max(of_step, std::min(64 * of_step, most_shared_request));
    charge(static_cast<std::int64_t>(request + 2 * most_result()), "shared memory");
    line_ = std::make_unique<SharedLine>(
        request, most_result(), [this](std::uint32_t type, std::uint32_t t, const std::byte* at, std::span<std::byte> reply) {
          return step_shared(type, t, at, reply);
        });
  }
  return simple(Message::shared, {{"path", line_->path()},
                                  {"bytes", line_->bytes()},
                                  {"request_at", SharedLine::request_at},
                                  {"request_bytes", line_->request_bytes()},
                                  {"reply_at", {line_->reply_at(0), line_->reply_at(1)}},
                                  {"reply_bytes", line_->reply_bytes()}});
}

SharedLine::Answer Session::step_shared(std::uint32_t type, std::uint32_t t, const std::byte* request,
                                        std::span<std::byte> reply) {
  const std::lock_guard<std::mutex> one_at_a_time(mutex);
  stepped_ = true;
  const auto refused = [&](const Refusal& why) {
    const std::string meta = pack(to_meta(why));
    const std::size_t size = std::min(meta.size(), reply.size());
    std::memcpy(reply.data(), meta.data(), size);
    return SharedLine::Answer{static_cast<std::uint32_t>(Message::error), 0, static_cast<std::uint32_t>(size)};
  };
  try {
    VectorEnvironment& e = env();
    const std::uint32_t steps = type == static_cast<std::uint32_t>(Message::step_many) ? t : 1;
    const std::size_t of_step = static_cast<std::size_t>(e.lanes()) * static_cast<std::size_t>(e.actions());
    if (type == static_cast<std::uint32_t>(Message::reset)) {
      const Written written = write_result(reply.data(), [&](VectorEnvironment::Result& result) { e.reset({}, {}, result); });
      return {static_cast<std::uint32_t>(Message::result), written.ended, static_cast<std::uint32_t>(written.size)};
    }
    if (type != static_cast<std::uint32_t>(Message::step) && type != static_cast<std::uint32_t>(Message::step_many))
      throw Refusal{"TYPE", "only steps and resets come this way", "type"};
    if (steps == 0 || steps * of_step * sizeof(float) > line_->request_bytes() ||
        static_cast<std::int64_t>(steps) * e.lanes() > desk_.limits_.steps_per_request)
      throw Refusal{"LIMIT", fmt::format("{} steps in one request", steps), "steps_per_request"};
    // A copy: what lies there may change while it is looked at.
    shared_actions_.resize(steps * of_step);
    std::memcpy(shared_actions_.data(), request, shared_actions_.size() * sizeof(float));
    check_actions(shared_actions_);
    const Written written = write_result(
        reply.data(), [&](VectorEnvironment::Result& result) { e.step(shared_actions_, static_cast<int>(steps), result); });
    return {static_cast<std::uint32_t>(Message::result), written.ended, static_cast<std::uint32_t>(written.size)};
  } catch (const Refusal& why) { return refused(why); } catch (const std::exception& e) {
    return refused({"INTERNAL", e.what()});
  }
}

// ------------------------------------------------------------------------------------------------------------- the others

Reply Session::totals() const {
  VectorEnvironment& e = env();
  const auto n = static_cast<std::size_t>(e.lanes()), columns = static_cast<std::size_t>(e.columns());
  Layout layout;
  const std::size_t running = layout.add<double>(n * columns), last = layout.add<double>(n * columns),
                    length = layout.add<std::uint32_t>(n);
  auto blob = std::make_shared<Bytes>(layout.size());
  std::memset(blob->data(), 0, blob->size());
  e.totals({array_at<double>(*blob, running), n * columns}, {array_at<double>(*blob, last), n * columns},
           {array_at<std::uint32_t>(*blob, length), n});
  Reply r = simple(Message::totals);
  r.blob = std::move(blob);
  return r;
}

Reply Session::masks() {
  VectorEnvironment& e = env();
  if (e.needs_reset()) throw Refusal{"STATE", "RESET comes first"};
  const auto n = static_cast<std::size_t>(e.lanes()), count = n * static_cast<std::size_t>(e.actions()),
             wide = n * static_cast<std::size_t>(e.choices());
  Layout layout;
  const std::size_t low = layout.add<float>(count), high = layout.add<float>(count), allowed = layout.add<std::uint8_t>(wide);
  auto blob = std::make_shared<Bytes>(layout.size());
  std::memset(blob->data(), 0, blob->size());
  e.masks({array_at<float>(*blob, low), count}, {array_at<float>(*blob, high), count},
          {array_at<std::uint8_t>(*blob, allowed), wide});
  Reply r = simple(Message::masks);
  r.blob = std::move(blob);
  return r;
}

Reply Session::truth() const {
  VectorEnvironment& e = env();
  if (e.needs_reset()) throw Refusal{"STATE", "RESET comes first"};
  const std::size_t count = static_cast<std::size_t>(e.lanes()) * e.state_map().size();
  auto blob = std::make_shared<Bytes>(count * sizeof(double));
  e.state({array_at<double>(*blob, 0), count});
  Reply r = simple(Message::truth);
  r.blob = std::move(blob);
  return r;
}

Reply Session::bounds() {
  VectorEnvironment& e = env();
  const auto n = static_cast<std::size_t>(e.lanes());
  try {
    if (!bound_) bound_ = std::make_unique<EpisodeBound>(desk_.scenario(LoadOptions::Gym::bound), *scenario_->plan);
    auto blob = std::make_shared<Bytes>(n * sizeof(double));
    for (int lane = 0; lane < e.lanes(); ++lane) {
      const auto first = e.begins_at(lane);
      if (!first)
        throw Refusal{"STATE", fmt::format("the episode of lane {} is under way: BOUND follows RESET", lane), "lane", lane};
      const VectorEnvironment::Place place = e.place(lane);
      array_at<double>(*blob, 0)[lane] = bound_->of(place.batch, place.lane, *first);
    }
    Reply r = simple(Message::bounds);
    r.blob = std::move(blob);
    return r;
  } catch (const std::invalid_argument& e2) { throw Refusal{"META", std::string("no bound: ") + e2.what()}; }
}

Reply Session::advice(const Json& meta) {
  VectorEnvironment& e = env();
  if (e.needs_reset()) throw Refusal{"STATE", "RESET comes first"};
  const auto& planners = gym_planners();
  const std::string name = meta.contains("policy") && meta["policy"].is_string() ? meta["policy"].get<std::string>() : "";
  if (std::find(planners.begin(), planners.end(), name) == planners.end())
    throw Refusal{"META", "'policy' is none of its choices", "policy"};
  if (policy_ != "agent") throw Refusal{"STATE", "who has a policy of the server needs no advice"};
  if (name != advisor_) {
    try {
      e.set_advisor([&](int lanes) { return make_gym_planner(name, *scenario_, lanes, true); });
    } catch (const std::invalid_argument& why) { throw Refusal{"META", name + ": " + why.what(), "policy"}; }
    advisor_ = name;
  }
  const std::size_t count = static_cast<std::size_t>(e.lanes()) * static_cast<std::size_t>(e.actions());
  auto blob = std::make_shared<Bytes>(count * sizeof(float));
  e.advice({array_at<float>(*blob, 0), count});
  Reply r = simple(Message::advised);
  r.blob = std::move(blob);
  return r;
}

Reply Session::render(const Json& meta) const {
  VectorEnvironment& e = env();
  if (e.needs_reset()) throw Refusal{"STATE", "RESET comes first"};
  const int lane = static_cast<int>(whole(meta, "lane", 0, 0, e.lanes() - 1));
  const auto [batch, own] = e.place(lane);
  const auto zone = Zone::find(scenario_->zone);
  const std::string time = zone->text(static_cast<std::int64_t>(batch.time(own)));
  std::string text = time;
  Json values = Json::array();
  for (const Quantity& q : e.plan().quantities()) {
    const bool power = q.name == "power" && q.kind != Kind::input, charge = q.name == "state_of_charge" && q.kind == Kind::state;
    if (!power && !charge && q.name != "price") continue;
    if (q.of_disturber) continue;
    double value = batch.get(own, q);
    const std::string unit = power ? "kW" : q.unit == "money/kWh" ? scenario_->currency + "/kWh" : q.unit;
    if (power) value /= 1000;
    const std::string name = q.asset + "." + q.name;
    values.push_back({{"name", name}, {"value", value}, {"unit", unit}});
    text += charge  ? fmt::format("  {} {:.1f} %", q.asset, 100 * value)
            : power ? fmt::format("  {} {:+.2f} kW", q.asset, value)
                    : fmt::format("  {} {:.3f} {}", q.asset, value, unit);
  }
  return simple(Message::ok, {{"text", text}, {"time", time}, {"values", values}});
}

}  // namespace urja::gym
