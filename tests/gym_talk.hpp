#pragma once
// Talking to the gym's desk without a socket: for tests and the fuzzer.
#include <nlohmann/json.hpp>

#include "bridge/gym/desk.hpp"

namespace urja::tests {

class Talk {
 public:
  explicit Talk(gym::Desk& desk) : desk_(&desk) {}
  using Json = nlohmann::json;

  gym::Reply raw(const std::string& head, const std::string& meta, const std::string& blob) {
    return desk_->answer(bytes(head), bytes(meta), bytes(blob), now);
  }
  // The next request of the session; what its header is can be changed before.
  gym::Reply ask(gym::Message type, const Json& meta = Json::object(), const std::string& blob = "", std::uint8_t flags = 0,
                 std::uint32_t t = 0) {
    gym::Header h = header;
    h.type = static_cast<std::uint8_t>(type), h.flags = flags, h.t = t;
    if (type != gym::Message::hello) h.seq = ++header.seq;
    const std::string packed = meta.empty() ? "" : gym::pack(meta);
    gym::Reply r = raw(std::string(reinterpret_cast<const char*>(&h), sizeof h), packed, blob);
    if (type == gym::Message::hello) header.session = r.header.session, header.seq = 0;
    if (r.header.type == static_cast<std::uint8_t>(gym::Message::spec)) {
      spec = meta_of(r);
      header.schema = spec.at("schema_hash").get<std::uint64_t>();
      header.n = r.header.n;
    }
    return r;
  }
  void open(int envs, const Json& more = Json::object()) {
    ask(gym::Message::hello);
    Json options = more;
    options["envs"] = envs;
    ask(gym::Message::make, options);
  }
  static Json meta_of(const gym::Reply& r) {
    return r.meta.empty() ? Json::object() : Json::from_msgpack(r.meta.begin(), r.meta.end());
  }
  static std::string blob_of(const gym::Reply& r) {
    return r.blob ? std::string(reinterpret_cast<const char*>(r.blob->data()), r.blob->size()) : std::string();
  }
  static bool is(const gym::Reply& r, gym::Message type) { return r.header.type == static_cast<std::uint8_t>(type); }
  static std::string code_of(const gym::Reply& r) {
    return is(r, gym::Message::error) ? meta_of(r).at("code").get<std::string>() : "";
  }
  static std::string floats(const std::vector<float>& values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
  }

  gym::Header header;
  Json spec;
  double now = 0;

 private:
  static std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }
  gym::Desk* desk_;
};

}  // namespace urja::tests
