// Options of C as those of C++.
#pragma once

#include <hawser/engine.h>
#include <hawser/hawser.h>

namespace hawser::capi {

// Null is all defaults. Code::invalid_argument: it was never initialised, or has a field that this
// library does not know.
Result<EngineOptions> read_options(const hawser_engine_options_t* given);
Result<LinkOptions> read_options(const hawser_link_options_t* given);
Result<TransferOptions> read_options(const hawser_transfer_options_t* given);

// Null is "".
std::string text_of(const char* text);

}  // namespace hawser::capi
