// Choices that several of the library's entry points offer.
#pragma once

namespace hawser {

enum class Role { server, client };  // the server receives, the client sends
enum class MemoryChoice {
  automatic,  // a GPU where there is a usable one, else host memory
  host,
  cuda,  // an error that says what is missing, where there is no usable GPU
};

}  // namespace hawser
