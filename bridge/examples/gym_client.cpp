// A client of urja-gym/1 in a page of C++: gym_example_client ENDPOINT
// Four environments, a day of zero actions; prints the sum of all rewards. Written from bridge/PROTOCOL.md alone.
// Needs cppzmq (libzmq) and nlohmann_json, whose from_msgpack reads the metadata. Little-endian machines, as the protocol.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>
#include <zmq.hpp>

namespace {

using Json = nlohmann::json;

struct Header {
  char magic[4] = {'U', 'R', 'J', 'G'};
  std::uint8_t major = 1, minor = 0, type = 0, flags = 0;
  std::uint64_t session = 0, seq = 0, schema = 0;
  std::uint32_t n = 0, t = 0, crc = 0, reserved = 0;
};
static_assert(sizeof(Header) == 48);

enum Type : std::uint8_t { hello = 1, make = 3, reset = 5, step = 6, close_session = 17, error = 20 };

struct Reply {
  Json meta;
  zmq::message_t blob;
};

struct Client {
  zmq::context_t context;
  zmq::socket_t socket{context, zmq::socket_type::dealer};
  Header header;

  // The reply to the request of the header's number; late ones to earlier requests are passed over. False: none within five seconds.
  bool receive(zmq::message_t (&frames)[3], Header& answer) {
    do {
      for (auto& frame : frames)
        if (!socket.recv(frame)) return false;
      if (frames[0].size() != sizeof answer) throw std::runtime_error("not urja-gym/1");
      std::memcpy(&answer, frames[0].data(), sizeof answer);
    } while (answer.seq != header.seq);
    return true;
  }

  Reply request(Type type, const Json& meta = nullptr, const std::vector<float>& blob = {}) {
    header.type = type;
    const auto packed = meta.is_null() ? std::vector<std::uint8_t>{} : Json::to_msgpack(meta);
    zmq::message_t frames[3];
    Header answer;
    for (int tries = 12;; --tries) {  // a request that has no answer may be repeated under its number: it is done once
      if (tries == 0) throw std::runtime_error("no answer within a minute");
      socket.send(zmq::buffer(&header, sizeof header), zmq::send_flags::sndmore);
      socket.send(zmq::buffer(packed), zmq::send_flags::sndmore);
      socket.send(zmq::buffer(blob), zmq::send_flags::none);
      if (receive(frames, answer)) break;
    }
    ++header.seq;
    Reply reply;
    if (frames[1].size() != 0)
      reply.meta = Json::from_msgpack(frames[1].data<std::uint8_t>(), frames[1].data<std::uint8_t>() + frames[1].size());
    if (answer.type == error)
      throw std::runtime_error(reply.meta.at("code").get<std::string>() + ": " + reply.meta.at("text").get<std::string>());
    reply.blob = std::move(frames[2]);
    return reply;
  }
};

void run(const char* endpoint) {
  Client client;
  client.socket.set(zmq::sockopt::rcvtimeo, 5'000);
  client.socket.set(zmq::sockopt::linger, 0);
  client.socket.connect(endpoint);

  client.header.session = client.request(hello, {{"client", "gym_client.cpp"}}).meta.at("session");
  const unsigned lanes = client.header.n = 4;
  const Json spec = client.request(make, {{"envs", lanes}}).meta;
  client.header.schema = spec.at("schema_hash");
  const Json& schema = spec.at("schema");
  const std::size_t observations = schema.at("observations").size();
  const std::vector<float> actions(lanes * schema.at("actions").size());

  client.request(reset);
  double sum = 0;
  for (int i = 0; i < 96; ++i) {
    const Reply result = client.request(step, nullptr, actions);
    const std::size_t rewards = (lanes * observations * sizeof(float) + 63) / 64 * 64;  // the blob's second array
    for (unsigned lane = 0; lane < lanes; ++lane) {
      double reward;
      std::memcpy(&reward, result.blob.data<char>() + rewards + lane * sizeof reward, sizeof reward);
      sum += reward;
    }
  }
  client.request(close_session);
  std::printf("%.17g\n", sum);
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count != 2) throw std::runtime_error("usage: gym_example_client ENDPOINT, as `urja gym` prints it");
    run(arguments[1]);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "gym_example_client: %s\n", problem.what());
    return 1;
  }
}
