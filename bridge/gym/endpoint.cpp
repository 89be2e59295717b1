#include "bridge/gym/endpoint.hpp"

namespace urja::gym {

bool is_public(const std::string& endpoint) {
  if (endpoint.starts_with("ipc://")) return false;
  if (!endpoint.starts_with("tcp://")) return true;
  const std::string host = endpoint.substr(6, endpoint.rfind(':') - 6);
  return host != "localhost" && host != "[::1]" &&
         !(host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

}  // namespace urja::gym
