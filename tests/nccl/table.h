// Samples as lines of text, and the table of several runs' samples.
#pragma once

#include <cstddef>
#include <string>

namespace nccl_pair {

struct Sample {
  std::string label;  // of the configuration
  std::string work;
  std::size_t bytes = 0;
  double gigabytes_per_second = 0;      // of payload, each way
  double microseconds = 0;              // a message; of a ping-pong, one way
  double cpu_seconds_per_gigabyte = 0;  // both sides together, per payload of all ways
};

// A line of CSV on standard output.
void print_sample(const Sample& sample);

// The medians over runs of the same label, and of each label the ratio to the first one.
int print_table(const std::string& file);

}  // namespace nccl_pair
