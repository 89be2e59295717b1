#include "bridge/gym_server.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <set>
#include <stdexcept>
#include <zmq.hpp>

#include "bridge/terminal.hpp"

namespace urja::gym {
namespace {

constexpr int unread = 64;  // replies that wait for a client; more are lost, and the client has to ask again

// A CURVE key in Z85 has 40 characters.
constexpr std::size_t key_size = 40;

std::vector<std::string> keys_of(const std::string& file, const char* what) {
  std::ifstream in(file);
  std::vector<std::string> keys;
  for (std::string line; std::getline(in, line);) {
    line = line.substr(0, line.find_last_not_of(" \t\r") + 1);
    if (line.empty() || (line[0] == '#' && line.size() != key_size)) continue;
    if (line.size() != key_size) throw std::runtime_error(fmt::format("{}: '{}' is no CURVE key of 40 characters", file, line));
    keys.push_back(line);
  }
  if (keys.empty()) throw std::runtime_error(fmt::format("{}: no {} in it, or it cannot be read", file, what));
  return keys;
}

double now_s() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

std::span<const std::byte> bytes_of(const zmq::message_t& m) { return {static_cast<const std::byte*>(m.data()), m.size()}; }

// A blob goes out as it lies, and is kept until ZeroMQ has sent it.
zmq::message_t message_of(const std::shared_ptr<const Bytes>& blob) {
  constexpr std::size_t worth_it = 16384;
  if (!blob) return {};
  if (blob->size() < worth_it) return {blob->data(), blob->size()};
  auto* keep = new std::shared_ptr<const Bytes>(blob);
  return {const_cast<std::byte*>(blob->data()), blob->size(),
          [](void*, void* kept) { delete static_cast<std::shared_ptr<const Bytes>*>(kept); }, keep};
}

// Lets in those clients whose public keys are known (ZMQ RFC 27, ZAP).
class Doorman {
 public:
  Doorman(zmq::context_t& context, const std::string& file) : socket_(context, zmq::socket_type::rep) {
    for (const std::string& key : keys_of(file, "public key")) {
      std::array<std::uint8_t, 32> binary{};
      if (!zmq_z85_decode(binary.data(), key.c_str()))
        throw std::runtime_error(fmt::format("{}: '{}' is no CURVE key", file, key));
      allowed_.insert(std::string(reinterpret_cast<const char*>(binary.data()), binary.size()));
    }
    socket_.bind("inproc://zeromq.zap.01");
  }
  zmq::socket_t& socket() { return socket_; }
  void answer() {
    std::vector<std::string> frames;
    do {
      zmq::message_t part;
      if (!socket_.recv(part)) return;
      frames.push_back(part.to_string());
    } while (socket_.get(zmq::sockopt::rcvmore));
    const bool good = frames.size() == 7 && frames[5] == "CURVE" && allowed_.count(frames[6]) > 0;
    const std::string reply[] = {
        "1.0", frames.size() > 1 ? frames[1] : "", good ? "200" : "400", good ? "OK" : "this key is not known", "", ""};
    for (std::size_t k = 0; k < std::size(reply); ++k)
      socket_.send(zmq::buffer(reply[k]), k + 1 < std::size(reply) ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }

 private:
  zmq::socket_t socket_;
  std::set<std::string> allowed_;
};

// All frames of one message, of which no more are kept than a request can have.
bool receive(zmq::socket_t& router, std::vector<zmq::message_t>& frames) {
  constexpr std::size_t most = 5;  // identity, delimiter of a REQ, header, meta, blob
  frames.clear();
  bool whole = true, more = true;
  while (more) {
    zmq::message_t part;
    if (!router.recv(part, frames.empty() ? zmq::recv_flags::dontwait : zmq::recv_flags::none)) return false;
    more = part.more();
    if (frames.size() < most) frames.push_back(std::move(part));
    else whole = false;
  }
  if (!whole) frames.resize(1);
  return true;
}

}  // namespace

std::string new_curve_keys(const std::string& file) {
  char open[41], secret[41];
  if (zmq_curve_keypair(open, secret) != 0) throw std::runtime_error("this ZeroMQ was built without CURVE");
  const int f = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (f < 0) throw std::runtime_error(fmt::format("cannot make {}, or it is there already", file));
  const std::string text = fmt::format("{}\n{}\n", open, secret);
  const bool written = ::write(f, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(f);
  if (!written) throw std::runtime_error(fmt::format("cannot write {}", file));
  return open;
}

void serve(Desk& desk, const Endpoint& endpoint, const Limits& limits, const std::function<void(const std::string&)>& ready) {
  if (is_public(endpoint.bind) && (endpoint.curve_secret.empty() || endpoint.curve_allow.empty()))
    throw std::runtime_error(
        fmt::format("{} can be reached from other machines: this needs --curve-secret and --curve-allow; "
                    "`urja gym --curve-new FILE` makes keys",
                    endpoint.bind));
  zmq::context_t context(1);
  std::unique_ptr<Doorman> doorman;
  zmq::socket_t router(context, zmq::socket_type::router);
  if (!endpoint.curve_secret.empty()) {
    const auto keys = keys_of(endpoint.curve_secret, "key pair");
    if (keys.size() != 2) throw std::runtime_error(endpoint.curve_secret + ": a public and a secret key, a line each");
    doorman = std::make_unique<Doorman>(context, endpoint.curve_allow);
    router.set(zmq::sockopt::curve_server, true);
    router.set(zmq::sockopt::curve_secretkey, keys[1]);
    router.set(zmq::sockopt::zap_domain, "urja");
  }
  router.set(zmq::sockopt::router_mandatory, true);
  router.set(zmq::sockopt::maxmsgsize, limits.bytes);
  router.set(zmq::sockopt::handshake_ivl, 3000);
  router.set(zmq::sockopt::heartbeat_ivl, 5000);
  router.set(zmq::sockopt::heartbeat_timeout, 30000);
  router.set(zmq::sockopt::sndhwm, unread);
  router.set(zmq::sockopt::rcvhwm, 64);
  router.set(zmq::sockopt::linger, 200);
  std::string bind = endpoint.bind;
  if (bind.starts_with("tcp://") && bind.ends_with(":0")) bind.back() = '*';
  const mode_t before = ::umask(0177);  // sockets in the file system are for their owner alone
  try {
    router.bind(bind);
  } catch (const zmq::error_t& e) {
    ::umask(before);
    throw std::runtime_error(fmt::format("cannot bind {}: {}", endpoint.bind, e.what()));
  }
  ::umask(before);
  const std::string bound = router.get(zmq::sockopt::last_endpoint);
  // ZeroMQ leaves the file of an ipc socket behind; a client that was killed cannot clear it away.
  const struct SocketFile {
    std::string path;
    ~SocketFile() {
      if (!path.empty()) ::unlink(path.c_str());
    }
  } file{bound.starts_with("ipc:///") ? bound.substr(6) : ""};
  ready(bound);

  std::vector<zmq::pollitem_t> items{{router.handle(), 0, ZMQ_POLLIN, 0}};
  if (doorman) items.push_back({doorman->socket().handle(), 0, ZMQ_POLLIN, 0});
  if (endpoint.until_stdin_closes) items.push_back({nullptr, STDIN_FILENO, ZMQ_POLLIN, 0});
  std::vector<zmq::message_t> frames;
  double swept = now_s();
  std::int64_t held = 0;
  while (!interrupted()) {
    try {
      zmq::poll(items, std::chrono::milliseconds(250));
    } catch (const zmq::error_t& e) {
      if (e.num() == EINTR) continue;
      throw;
    }
    if (doorman && (items[1].revents & ZMQ_POLLIN)) doorman->answer();
    if (endpoint.until_stdin_closes && items.back().revents != 0) {
      char room[256];
      if (::read(STDIN_FILENO, room, sizeof room) <= 0) return;
    }
    // ROUTER takes from its peers in turn, so a batch of one client waits for one of each other at most. A few at a time: what a peer has
    // read of its replies ZeroMQ learns in poll() only, and thinks him full otherwise.
    for (int k = 0; k < unread / 8 && receive(router, frames); ++k) {
      const std::size_t first = frames.size() > 1 && frames[1].size() == 0 ? 2 : 1;
      const auto frame = [&](std::size_t i) {
        return first + i < frames.size() ? bytes_of(frames[first + i]) : std::span<const std::byte>();
      };
      const Reply reply = desk.answer(frame(0), frame(1), frame(2), now_s());
      try {
        // A client that does not read what it asked for loses its replies, nobody else does.
        const auto flags = zmq::send_flags::sndmore | zmq::send_flags::dontwait;
        if (!router.send(frames[0], flags)) continue;
        if (first == 2) router.send(zmq::message_t(), flags);
        router.send(zmq::buffer(&reply.header, sizeof reply.header), flags);
        router.send(zmq::buffer(reply.meta), flags);
        router.send(message_of(reply.blob), zmq::send_flags::dontwait);
      } catch (const zmq::error_t&) {
        // The client has gone; its lease will be over soon.
      }
    }
    if (const double now = now_s(); now - swept > 0.25) {
      // What sessions leave goes back to the system, or a server that once was busy would stay large.
      if (desk.expire(now) > 0 || desk.memory() < held) malloc_trim(0);
      held = desk.memory();
      swept = now;
    }
  }
}

}  // namespace urja::gym
