#pragma once
// The desk behind a ZeroMQ ROUTER socket.
#include <functional>
#include <string>
#include <vector>

#include "bridge/gym/desk.hpp"
#include "bridge/gym/endpoint.hpp"

namespace urja::gym {

// Makes a key pair and writes it to a file that only its owner can read; returns the public key.
std::string new_curve_keys(const std::string& file);

// Serves until interrupted() or, if asked for, until stdin closes. `ready` is told the endpoint that was bound, with its port. Throws
// std::runtime_error where it cannot bind.
void serve(Desk& desk, const Endpoint& endpoint, const Limits& limits, const std::function<void(const std::string&)>& ready);

}  // namespace urja::gym
