#include "node/state.h"

namespace hawser::node {

Hello NodeState::hello(std::uint32_t gpu) const {
  Hello hello;
  hello.process = process;
  hello.gpu = gpu;
  hello.cuda = !places.played;
  hello.host = host;
  hello.terms.gpus = static_cast<std::uint32_t>(places.gpus.size());
  hello.terms.bytes = options.bytes;
  hello.terms.duration_ms = static_cast<std::uint64_t>(options.duration_ms);
  hello.terms.iterations = options.duration_ms == 0 ? options.iterations : 0;
  hello.terms.both_ways = options.direction == NodeDirection::both;
  hello.terms.verify = options.verify;
  return hello;
}

LinkOptions NodeState::link_options(std::size_t gpu) const {
  LinkOptions link;
  link.gpu = places.gpus[gpu].link_gpu;
  link.devices = places.gpus[gpu].nics;
  link.channels_per_device = options.channels;
  link.timeout_ms = options.timeout_ms;
  return link;
}

}  // namespace hawser::node
