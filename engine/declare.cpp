#include "engine/declare.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "engine/units.hpp"

namespace urja {
namespace {

std::map<std::string, Type, std::less<>>& mutable_registry() {
  static std::map<std::string, Type, std::less<>> types;
  return types;
}
std::map<std::string, Type, std::less<>>& mutable_disturbances() {
  static std::map<std::string, Type, std::less<>> types;
  return types;
}

}  // namespace

const Member* Type::find(std::string_view member) const {
  for (const Member& m : members) {
    if (m.name == member) return &m;
  }
  return nullptr;
}

Member& Declare::member(std::string_view name) {
  for (Member& m : type_.members) {
    if (m.name == name) return m;
  }
  detail::stop(type_.name, "there is no member '" + std::string(name) + "'");
}

const std::map<std::string, Type, std::less<>>& registry() { return mutable_registry(); }

const std::map<std::string, Type, std::less<>>& disturbances() { return mutable_disturbances(); }

const Type* find_type(std::string_view name) {
  const auto found = registry().find(name);
  return found == registry().end() ? nullptr : &found->second;
}

namespace detail {

// A wrong declaration is a defect of the program, found before main(): there is nobody yet to hand an error to.
void stop(const std::string& model, const std::string& what) {
  std::fprintf(stderr, "urja: the declaration of model '%s' is wrong: %s\n", model.c_str(), what.c_str());
  std::abort();
}

void add_member(Type& type, Member&& member) {
  for (const Member& m : type.members) {
    if (m.offset == member.offset) stop(type.name, "member '" + m.name + "' is declared twice");
  }
  if (!known_unit(member.unit)) stop(type.name, "member '" + member.name + "' has the unknown unit '" + member.unit + "'");
  if (member.start < member.range.low || member.start > member.range.high) {
    stop(type.name, "the default of '" + member.name + "' lies outside its own range");
  }
  type.members.push_back(std::move(member));
}

void check_type(Type& type) {
  int declared = 0;
  for (const Member& m : type.members) declared += m.count;
  if (declared != type.rows) {
    stop(type.name, "it holds " + std::to_string(type.rows) + " rows and declares " + std::to_string(declared));
  }
  const auto has = [&](Flag flag) {
    return std::any_of(type.members.begin(), type.members.end(), [&](const Member& m) { return m.has(flag); });
  };
  const bool jumps = has(jumped);
  if (jumps != (type.held_energy != nullptr) || (jumps && !has(content)))
    stop(type.name, "held_energy(), a `content` and a `jumped` state come together");
  type.controller = type.control != nullptr;
  if ((type.disturb != nullptr) != (type.due >= 0) || (type.due >= 0) != (type.active >= 0))
    stop(type.name, "disturb(), a state `due` and spells come together");
  if ((type.disturb != nullptr) == type.effects.empty()) stop(type.name, "a disturbance declares its effect, and nobody else");
  if (type.disturb && type.rows > most_disturbance_rows) stop(type.name, "a disturbance has too many rows");
}

void add_type(Type&& type) {
  const std::string name = type.name;
  if (!(type.disturb ? mutable_disturbances() : mutable_registry()).emplace(name, std::move(type)).second)
    stop(name, "a model of this name is there already");
}

}  // namespace detail
}  // namespace urja
