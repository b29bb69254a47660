#include "table.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

namespace nccl_pair {
namespace {

using Row = std::pair<std::string, std::size_t>;  // work, bytes
using Samples = std::vector<Sample>;

bool parse_line(const std::string& line, Sample& sample) {
  std::istringstream in(line);
  std::string bytes, rate, time, cpu;
  if (!std::getline(in, sample.label, ',') || !std::getline(in, sample.work, ',') ||
      !std::getline(in, bytes, ',') || !std::getline(in, rate, ',') ||
      !std::getline(in, time, ',') || !std::getline(in, cpu))
    return false;
  sample.bytes = std::stoull(bytes);
  sample.gigabytes_per_second = std::stod(rate);
  sample.microseconds = std::stod(time);
  sample.cpu_seconds_per_gigabyte = std::stod(cpu);
  return true;
}

double median_of(const Samples& samples, double Sample::*value) {
  std::vector<double> values;
  for (const Sample& sample : samples) values.push_back(sample.*value);
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// How far apart the runs were: the largest over the smallest.
double spread_of(const Samples& samples, double Sample::*value) {
  const auto [least, most] = std::minmax_element(
      samples.begin(), samples.end(),
      [value](const Sample& a, const Sample& b) { return a.*value < b.*value; });
  return (*most).*value / (*least).*value;
}

struct Results {
  std::vector<std::string> labels;  // in the order of their first sample
  std::vector<Row> rows;
  std::map<std::pair<Row, std::string>, Samples> samples;

  void add(const Sample& sample) {
    const Row row{sample.work, sample.bytes};
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(row);
    if (std::find(labels.begin(), labels.end(), sample.label) == labels.end())
      labels.push_back(sample.label);
    samples[{row, sample.label}].push_back(sample);
  }
};

// One value of every label in a row; behind each label but the first, the first one's ratio to it.
void print_row(const Results& results, const Row& row, double Sample::*value, const char* unit) {
  std::printf("%-14s %10zu %-7s", row.first.c_str(), row.second, unit);
  double first = 0;
  double spread = 1;
  for (const std::string& label : results.labels) {
    const auto found = results.samples.find({row, label});
    if (found == results.samples.end()) {
      std::printf(" %22s", "-");
      continue;
    }
    const double median = median_of(found->second, value);
    spread = std::max(spread, spread_of(found->second, value));
    if (first == 0) {
      first = median;
      std::printf(" %22.3f", median);
    } else {
      std::printf(" %12.3f (x%6.2f)", median, first / median);
    }
  }
  std::printf("   %.2f\n", spread);
}

void print_heading(const Results& results) {
  std::printf("%-14s %10s %-7s", "work", "bytes", "unit");
  for (const std::string& label : results.labels) std::printf(" %22s", label.c_str());
  std::printf("   widest spread (max/min)\n");
}

}  // namespace

void print_sample(const Sample& sample) {
  std::printf("%s,%s,%zu,%.6f,%.3f,%.4f\n", sample.label.c_str(), sample.work.c_str(), sample.bytes,
              sample.gigabytes_per_second, sample.microseconds, sample.cpu_seconds_per_gigabyte);
  std::fflush(stdout);
}

int print_table(const std::string& file) {
  std::ifstream in(file);
  Results results;
  Sample sample;
  for (std::string line; std::getline(in, line);)
    if (parse_line(line, sample)) results.add(sample);
  if (results.rows.empty()) {
    std::fprintf(stderr, "nccl_pair: no samples in %s\n", file.c_str());
    return 1;
  }
  std::printf("Medians of the runs; in brackets the first column divided by that one.\n");
  print_heading(results);
  for (const Row& row : results.rows) {
    const bool small = row.second < 65536;
    print_row(results, row, small ? &Sample::microseconds : &Sample::gigabytes_per_second,
              small ? "us" : "GB/s");
    if (row.second >= (std::size_t{4} << 20))
      print_row(results, row, &Sample::cpu_seconds_per_gigabyte, "cpus/GB");
  }
  return 0;
}

}  // namespace nccl_pair
