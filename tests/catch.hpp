#pragma once
// Catch2, version 2 (Debian 12) or 3, under the names they share.
#include <string>
#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;
inline auto contains(const std::string& part) { return Catch::Matchers::ContainsSubstring(part); }
inline auto starts_with(const std::string& part) { return Catch::Matchers::StartsWith(part); }
#else
#include <catch2/catch.hpp>
inline auto contains(const std::string& part) { return Catch::Contains(part); }
inline auto starts_with(const std::string& part) { return Catch::StartsWith(part); }
#endif
