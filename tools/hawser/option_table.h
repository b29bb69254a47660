// The options that several commands have, each in one place: the same name, the same checks and the
// same form of its value everywhere. What a command says beside it is its own meaning of it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "side/side.h"

namespace hawser::tool {

// A word for each value. The variable that an option writes to must outlive the parsing.
template <class E>
using WordsOf = std::vector<std::pair<std::string, E>>;
template <class E>
CLI::Option* add_choice(CLI::App& app, const std::string& name, E& to, const WordsOf<E>& words,
                        const std::string& text) {
  std::vector<std::string> all;
  std::string now;
  for (const auto& [word, value] : words) {
    all.push_back(word);
    if (value == to) now = word;
  }
  const auto set = [&to, words](const std::string& given) {
    for (const auto& [word, value] : words)
      if (word == given) to = value;
  };
  return app.add_option_function<std::string>(name, set, text)
      ->check(CLI::IsMember(all))
      ->default_str(now);
}

// "16777216", "16M", "16MiB": powers of 1024.
CLI::Option* add_bytes(CLI::App& app, const std::string& name, std::uint64_t& to,
                       const std::string& text);
// Seconds, as in 0.5. What is no number of a day or less becomes -1, which every command refuses.
CLI::Option* add_seconds(CLI::App& app, const std::string& name, int& to_ms,
                         const std::string& text);

// role, address, --port-base, --memory, --plugin, --isolate, --timeout, --chunk-bytes
CLI::Option* add_role(CLI::App& app, SideOptions& options, const std::string& text);
CLI::Option* add_address(CLI::App& app, SideOptions& options);
CLI::Option* add_port_base(CLI::App& app, SideOptions& options, const std::string& text);
CLI::Option* add_memory(CLI::App& app, SideOptions& options, const std::string& text);
void add_plugin(CLI::App& app, std::string& plugin);
void add_transport(CLI::App& app, SideOptions& options);  // --plugin, --isolate, ...
CLI::Option* add_timeout(CLI::App& app, SideOptions& options, const std::string& text);
CLI::Option* add_chunk_bytes(CLI::App& app, SideOptions& options, const std::string& text);
// --gpu, --peer-gpu and --device of one.
void add_gpu(CLI::App& app, OneDeviceOptions& options);
void add_peer_gpu(CLI::App& app, OneDeviceOptions& options);
CLI::Option* add_device(CLI::App& app, OneDeviceOptions& options, const std::string& text);
// --device, of several.
void add_devices(CLI::App& app, std::vector<std::string>& devices);
void add_gpu_nic_map(CLI::App& app, std::string& map);

// A client of which no address is known is asked for one.
void require_address(CLI::App& app, const SideOptions& options);

}  // namespace hawser::tool
