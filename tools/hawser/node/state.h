// Everything that the threads of a node use.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <hawser/engine.h>

#include "node/board.h"
#include "node/gpu_view.h"
#include "node/message.h"
#include "node/node.h"
#include "node/places.h"

namespace hawser::node {

// Shared, since a thread that is left behind outlives the run.
struct NodeState {
  NodeState(NodeOptions given, Places found)
      : options(std::move(given)),
        places(std::move(found)),
        board(places.gpus.size()),
        views(places.gpus.size()) {}

  Hello hello(std::uint32_t gpu) const;
  LinkOptions link_options(std::size_t gpu) const;

  const NodeOptions options;
  Places places;  // not changed once threads run, as all before the board
  std::string host;
  std::uint64_t process = 0;  // Hello::process
  std::uint64_t seed = 0;     // Plan::seed, on the server
  std::shared_ptr<Engine> engine;
  std::vector<std::unique_ptr<Acceptor>> acceptors;  // by GPU, on the server
  Board board;
  std::deque<GpuView> views;  // by GPU
};

}  // namespace hawser::node
