#pragma once
// One client's batch of environments: answers the requests of one session, in order.
#include <atomic>
#include <mutex>
#include <nlohmann/json.hpp>

#include "bridge/gym/desk.hpp"
#include "bridge/gym/shared_line.hpp"
#include "scenarios/gym/planners.hpp"

namespace urja::gym {

class Session {
 public:
  Session(Desk& desk, std::uint64_t id) : desk_(desk), id_(id) {}
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // A request that has been answered already gets the same reply.
  bool repeats(const Header& h) const { return h.seq != 0 && h.seq == seq_ && has_reply_; }
  const Reply& last_reply() const { return reply_; }
  void remember(const Header& request, const Reply& reply);
  // Throws Refusal, and is then as before.
  Reply answer(const Request& request);
  bool closed() const { return closed_; }
  // Requests come over the socket and through shared memory: one at a time.
  std::mutex mutex;
  std::atomic<double> last_heard{0};
  // Whether something came through shared memory since somebody asked.
  bool stepped_since() { return stepped_.exchange(false); }

 private:
  using Json = nlohmann::json;
  void check(const Request& request) const;
  void make(const Json& options);
  Reply spec() const;
  Reply reset(const Request& request);
  Reply step(const Request& request, int steps);
  Reply snapshot();
  Reply drop(const Json& meta);
  Reply restore(const Request& request, const Json& meta);
  Reply branch(const Request& request);
  Reply render(const Json& meta) const;
  Reply masks();
  Reply totals() const;
  Reply truth() const;
  Reply bounds();
  Reply advice(const Json& meta);
  Reply seen();
  Json schema() const;
  // A request's array: as many numbers as that, copied where it does not lie straight.
  template <class Number>
  std::span<const Number> take(std::span<const std::byte> blob, std::size_t at, std::size_t count,
                               std::vector<Number>& room) const;
  static void size_is(std::span<const std::byte> blob, std::size_t size);
  VectorEnvironment& env() const;
  // A RESULT that `write(result)` fills, in memory that has room for the largest; how large it is then, and how many lanes ended.
  struct Written {
    std::size_t size;
    std::uint32_t ended;
  };
  template <class Write> Written write_result(std::byte* memory, Write&& write);
  std::size_t most_result() const;
  template <class Write> Reply with_result(Write&& write);
  void check_actions(std::span<const float> actions) const;
  Reply share();
  SharedLine::Answer step_shared(std::uint32_t type, std::uint32_t t, const std::byte* request, std::span<std::byte> reply);
  void charge(std::int64_t bytes, const char* what);
  static Reply simple(Message type, const Json& meta = Json::object());

  Desk& desk_;
  std::uint64_t id_;
  std::uint64_t seq_ = 0;
  bool has_reply_ = false, closed_ = false;
  Reply reply_;
  const Scenario* scenario_ = nullptr;
  std::string policy_, advisor_;
  std::unique_ptr<VectorEnvironment> env_;
  Json schema_;
  std::uint64_t hash_ = 0;
  std::int64_t charged_ = 0;
  std::map<std::uint64_t, std::shared_ptr<const VectorEnvironment::Snapshot>> snapshots_;
  std::uint64_t next_snapshot_ = 1;
  std::unique_ptr<EpisodeBound> bound_;
  std::vector<float> actions_;
  std::vector<std::uint64_t> seeds_;
  std::vector<std::uint8_t> mask_;
  std::vector<std::uint32_t> pairs_;
  std::vector<float> shared_actions_;
  std::atomic<bool> stepped_{false};
  std::unique_ptr<SharedLine> line_;  // its thread uses all of the above
  std::shared_ptr<Bytes> spare_;      // the blob before the last one, when nobody has it any more
};

}  // namespace urja::gym
