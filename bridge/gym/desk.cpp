#include "bridge/gym/desk.hpp"

#include <nlohmann/json.hpp>
#include <random>

#include "bridge/gym/session.hpp"

namespace urja::gym {

namespace {

Reply refusal(const Header& to, const Refusal& why) {
  Reply r;
  r.header = to;
  r.header.magic = magic, r.header.major = major_version, r.header.minor = minor_version;
  r.header.type = static_cast<std::uint8_t>(Message::error);
  r.header.flags = 0, r.header.t = 0, r.header.crc = 0, r.header.reserved = 0;
  r.meta = pack(to_meta(why));
  return r;
}

// What a request leads to, whatever goes wrong on the way.
template <class Answer> Reply guarded(const Header& to, Answer&& answer) {
  try {
    return answer();
  } catch (const Refusal& why) { return refusal(to, why); } catch (const std::bad_alloc&) {
    return refusal(to, {"LIMIT", "the server has no memory for this", "memory"});
  } catch (const std::exception& e) { return refusal(to, {"INTERNAL", e.what()}); }
}

// Nobody can guess a session's number.
std::uint64_t unguessable() {
  static thread_local std::random_device device;
  return (static_cast<std::uint64_t>(device()) << 32 | device()) | 1;
}

}  // namespace

nlohmann::json to_meta(const Refusal& why) {
  nlohmann::json meta{{"code", why.code}, {"text", why.text}, {"retryable", why.retryable}};
  if (!why.field.empty()) meta["field"] = why.field;
  if (why.index >= 0) meta["index"] = why.index;
  return meta;
}

Desk::Desk(std::function<Scenario(LoadOptions::Gym)> load, const Limits& limits, std::string version)
    : load_(std::move(load)), limits_(limits), version_(std::move(version)) {
  scenario(LoadOptions::Gym::agent);  // what is wrong with it shows at the start
}
Desk::~Desk() = default;

const Scenario& Desk::scenario(LoadOptions::Gym gym) {
  auto found = scenarios_.find(gym);
  if (found == scenarios_.end()) found = scenarios_.emplace(gym, load_(gym)).first;
  return found->second;
}

Reply Desk::answer(std::span<const std::byte> header, std::span<const std::byte> meta, std::span<const std::byte> blob,
                   double now) {
  return guarded(header_of(header), [&] { return answer(parse(header, meta, blob), now); });
}

Reply Desk::answer(const Request& request, double now) {
  const Header& h = request.header;
  if (h.type == static_cast<std::uint8_t>(Message::hello)) return welcome(request, now);
  const auto found = sessions_.find(h.session);
  if (found == sessions_.end()) throw Refusal{"SESSION", "there is no such session; its lease may be over", "session"};
  Session& session = *found->second;
  session.last_heard = now;
  if (h.type == static_cast<std::uint8_t>(Message::ping) && h.seq == 0) {  // a heartbeat beside what the session is doing
    Reply pong;
    pong.header.type = static_cast<std::uint8_t>(Message::pong);
    pong.header.session = h.session;
    return pong;
  }
  std::unique_lock<std::mutex> one_at_a_time(session.mutex);
  if (session.repeats(h)) return session.last_reply();
  Reply reply = guarded(h, [&] { return session.answer(request); });
  if (session.closed()) {
    one_at_a_time.unlock();  // its thread may wait for it
    sessions_.erase(found);
    return reply;
  }
  session.remember(h, reply);
  return reply;
}

Reply Desk::welcome(const Request& request, double now) {
  meta_of(request);
  if (!request.blob.empty()) throw Refusal{"SHAPE", "HELLO has no blob", "blob"};
  if (static_cast<std::int64_t>(sessions_.size()) >= limits_.sessions) {
    expire(now);
    if (static_cast<std::int64_t>(sessions_.size()) >= limits_.sessions)
      throw Refusal{"LIMIT", "no more sessions", "sessions", limits_.sessions, true};
  }
  const std::uint64_t id = unguessable();
  auto session = std::make_unique<Session>(*this, id);
  session->last_heard = now;
  sessions_.emplace(id, std::move(session));
  Reply r;
  r.header.type = static_cast<std::uint8_t>(Message::welcome);
  r.header.session = id;
  r.meta = pack({{"session", id},
                 {"protocol", "urja-gym/1"},
                 {"version", version_},
                 {"scenario", scenario(LoadOptions::Gym::agent).name},
                 {"lease_s", limits_.lease_s},
                 {"limits",
                  {{"sessions", limits_.sessions},
                   {"envs", limits_.envs},
                   {"bytes", limits_.bytes},
                   {"memory", limits_.memory},
                   {"snapshots", limits_.snapshots},
                   {"threads", limits_.threads},
                   {"steps_per_request", limits_.steps_per_request}}}});
  return r;
}

int Desk::expire(double now) {
  return static_cast<int>(std::erase_if(sessions_, [&](const auto& one) {
    if (one.second->stepped_since()) one.second->last_heard = now;
    return now - one.second->last_heard > limits_.lease_s;
  }));
}

}  // namespace urja::gym
