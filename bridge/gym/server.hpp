#pragma once
// The desk behind a ZeroMQ ROUTER socket.
#include <functional>
#include <string>
#include <vector>

#include "bridge/gym/desk.hpp"

namespace urja::gym {

struct Endpoint {
  std::string bind = "tcp://127.0.0.1:0";
  std::string curve_secret;  // file with the server's key pair; empty: no CURVE
  std::string curve_allow;   // file with the public keys of clients that may come in
  bool until_stdin_closes = false;
};

// An endpoint that other machines can reach.
bool is_public(const std::string& endpoint);
// Makes a key pair and writes it to a file that only its owner can read; returns the public key.
std::string new_curve_keys(const std::string& file);

// Serves until interrupted() or, if asked for, until stdin closes. `ready` is told the endpoint that was bound, with its port. Throws
// std::runtime_error where it cannot bind.
void serve(Desk& desk, const Endpoint& endpoint, const Limits& limits, const std::function<void(const std::string&)>& ready);

}  // namespace urja::gym
