// Which transports and which memory the engine's suite runs over.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <hawser/engine.h>

namespace hawser::test {

enum class Place { host, gpu };  // a GPU of the simulated driver

struct Variant {
  std::string name;  // of the test's parameter: letters, digits and underscores
  std::string plugin = "builtin";
  Place near = Place::host;  // the client's memory
  Place far = Place::host;   // the server's
  int channels = 0;
  int threads = 0;
  std::uint64_t chunk_bytes = 0;
  // A library that may be loaded once: a copy of it for each engine, which stays for good.
  bool kept = false;
  bool isolate = false;  // the plugin in a process of its own

  std::uint64_t chunk() const { return chunk_bytes != 0 ? chunk_bytes : 512 * 1024; }
  bool any_gpu() const { return near == Place::gpu || far == Place::gpu; }
};
inline void PrintTo(const Variant& variant, std::ostream* out) {
  *out << variant.name;
}

// All of them, or those that a sanitizer should see.
const std::vector<Variant>& variants();
// Own TCP and host memory, where the transport makes no difference.
const Variant& plain_variant();

// Of all engines of the suite, longer than the default: what stalls is the fault tests' matter, and a
// channel on a starved machine must not look so here.
inline constexpr int kStallMs = 3'000;

// What the variant wants of the environment, for the process, before its engines are made.
void set_environment(const Variant& variant);
EngineOptions engine_options(const Variant& variant);
// Of a variant that is kept the same two, again and again.
enum class Role { client, server };
Result<std::shared_ptr<Engine>> make_engine(const Variant& variant, Role role);

}  // namespace hawser::test
