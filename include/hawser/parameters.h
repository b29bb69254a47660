// The environment variables hawser reads.
#pragma once

#include <string>

#include <hawser/export.h>

namespace hawser {

// A table for people: each variable, its value now, its default.
HAWSER_API std::string describe_parameters();
// docs/parameters.md, whole.
HAWSER_API std::string parameters_page();

// How much is logged to stderr: "error", "warning", "info" or "debug". False for another word.
HAWSER_API bool set_log_level(const std::string& level);

}  // namespace hawser
