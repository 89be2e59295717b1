#pragma once
// Where the gym listens, and who may come in.
#include <string>

namespace urja::gym {

struct Endpoint {
  std::string bind = "tcp://127.0.0.1:0";
  std::string curve_secret;  // file with the server's key pair; empty: no CURVE
  std::string curve_allow;   // file with the public keys of clients that may come in
  bool until_stdin_closes = false;
};

// An endpoint that other machines can reach.
bool is_public(const std::string& endpoint);
}  // namespace urja::gym
