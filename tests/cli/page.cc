#include "cli/page.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <regex>
#include <sstream>

#include "support/temp_dir.h"

namespace hawser::test {
namespace {

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
    text.replace(at, what.size(), with);
  return text;
}

std::string filled(std::string text, const PageNumbers& numbers) {
  const std::map<std::string, std::string> values = {
      {"{role}", numbers.role},
      {"{gpu}", std::to_string(numbers.gpu)},
      {"{dev}", numbers.dev},
      {"{name}", numbers.name},
      {"{channels}", std::to_string(numbers.channels)},
      {"{devices}", numbers.devices},
      {"{speed}", numbers.speed},
      {"{verb}", numbers.role == "server" ? "Recv" : "Send"},
      {"{bytes}", std::to_string(numbers.bytes)},
      {"{devmem}", numbers.devmem},
  };
  for (const auto& [what, with] : values) text = replaced(std::move(text), what, with);
  return text;
}

std::vector<std::string> template_lines() {
  std::istringstream in(read_file(HAWSER_TEST_SOURCE_DIR "/tests/data/report_passed.txt"));
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// A template line about a channel stands for one line per channel.
std::string expanded(const std::string& line, int channels) {
  if (line.find("{ch}") == std::string::npos) return line + "\n";
  std::string text;
  for (int channel = 0; channel < channels; ++channel)
    text += replaced(line, "{ch}", std::to_string(channel)) + "\n";
  return text;
}

// The template up to and with its "Starting" lines.
std::string opening(int channels) {
  std::string text;
  for (const auto& line : template_lines()) {
    if (line.find("Channel created") != std::string::npos) break;
    text += expanded(line, channels);
  }
  return text;
}

std::string channel_line(const PageNumbers& numbers, std::size_t channel, const std::string& what) {
  return fmt::format("[GPU {} CH {}] {}\n", numbers.gpu, channel, what);
}

std::string failure_lines(const PageNumbers& numbers, std::size_t channel,
                          const ChannelStory& story) {
  return channel_line(numbers, channel, story.failed_line) +
         channel_line(numbers, channel, "Test FAILED");
}

std::string story_lines(const PageNumbers& numbers, const std::vector<ChannelStory>& stories) {
  const std::string moved =
      fmt::format("{} OK ({} bytes)", numbers.role == "server" ? "Recv" : "Send", numbers.bytes);
  std::string creation, transfer, end;
  for (std::size_t i = 0; i < stories.size(); ++i) {
    const ChannelStory& story = stories[i];
    if (story.created)
      creation +=
          channel_line(numbers, i, fmt::format("Channel created successfully ({})", numbers.role));
    if (story.failed_early) creation += failure_lines(numbers, i, story);
    if (story.transferred) transfer += channel_line(numbers, i, moved);
    if (story.passed) end += channel_line(numbers, i, "Test PASSED");
    if (!story.passed && !story.failed_early) end += failure_lines(numbers, i, story);
  }
  return creation + transfer + end;
}

}  // namespace

void read_machine(const std::string& report, PageNumbers& numbers) {
  std::smatch dev, devices, device;
  ASSERT_TRUE(std::regex_search(report, dev, std::regex(R"(\nDev: (\d+) \((\S+)\)\n)"))) << report;
  ASSERT_TRUE(std::regex_search(report, devices, std::regex(R"(\nTCPX devices: (\d+)\n)")))
      << report;
  ASSERT_TRUE(std::regex_search(report, device,
                                std::regex(R"(\nDevice (\d+): (\S+) \(speed=(\d+) Mbps\)\n)")))
      << report;
  numbers.dev = dev[1];
  numbers.devices = devices[1];
  numbers.speed = device[3];
  EXPECT_LT(std::stoi(dev[1]), std::stoi(devices[1])) << "an index counts from 0";
}

std::string page_passed(const PageNumbers& numbers) {
  std::string text;
  for (const auto& line : template_lines()) text += expanded(line, numbers.channels);
  return filled(text, numbers);
}

std::string page_failed(const PageNumbers& numbers, const std::vector<ChannelStory>& stories,
                        const Verdict& verdict) {
  const auto passed =
      std::count_if(stories.begin(), stories.end(), [](const auto& story) { return story.passed; });
  const auto all = static_cast<std::ptrdiff_t>(stories.size());
  std::string text = filled(opening(numbers.channels), numbers) + story_lines(numbers, stories);
  text += fmt::format("\n=== TEST RESULTS ===\nSuccess: {} / {}\nFailed:  {} / {}\n\n", passed, all,
                      all - passed, all);
  text += fmt::format("=== TEST FAILED ===\nResult: {}\nDevmem conflicts: {}\nAction: {}\n",
                      verdict.result, verdict.devmem, verdict.action);
  return verdict.serialized.empty() ? text : text + verdict.serialized + "\n";
}

}  // namespace hawser::test
