// Compares the structs of src/net/abi with tests/data/abi_sizes.txt, a table taken from NCCL's own
// headers. Every line of it must be understood and agree; only v4, which is not hosted, is left
// out.

#include <gtest/gtest.h>

#include <cctype>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "net/abi/properties.h"
#include "net/abi/tables.h"
#include "net/abi/unpack.h"

namespace hawser::abi {
namespace {

// Two sizes and four offsets.
constexpr std::size_t kV4Lines = 6;

using Numbers = std::map<std::string, std::size_t>;

template <class Table>
void add_table(Numbers& numbers, std::size_t slots) {
  const std::string version = "v" + std::to_string(Table::kVersion);
  numbers["net " + version] = sizeof(Table);
  numbers["slots " + version] = slots;
  numbers["props " + version] = sizeof(typename Table::Properties);
}

#define ADD_OFFSET(version, Struct, field) \
  numbers["offset v" #version " " #field] = offsetof(Struct, field)

#define ADD_COMMON_OFFSETS(version, Struct) \
  ADD_OFFSET(version, Struct, ptrSupport);  \
  ADD_OFFSET(version, Struct, speed);       \
  ADD_OFFSET(version, Struct, port);        \
  ADD_OFFSET(version, Struct, latency);     \
  ADD_OFFSET(version, Struct, maxComms);    \
  ADD_OFFSET(version, Struct, maxRecvs)

#define ADD_LIMIT_OFFSETS(version, Struct)    \
  ADD_OFFSET(version, Struct, regIsGlobal);   \
  ADD_OFFSET(version, Struct, forceFlush);    \
  ADD_OFFSET(version, Struct, netDeviceType); \
  ADD_OFFSET(version, Struct, vProps);        \
  ADD_OFFSET(version, Struct, maxP2pBytes);   \
  ADD_OFFSET(version, Struct, maxCollBytes)

void add_tables(Numbers& numbers) {
  constexpr auto slots = [](std::size_t bytes) { return bytes / sizeof(void*); };
  add_table<NetV5>(numbers, slots(offsetof(NetV5, closeListen)) + 1);
  add_table<NetV6>(numbers, slots(offsetof(NetV6, closeListen)) + 1);
  add_table<NetV7>(numbers, slots(offsetof(NetV7, irecvConsumed)) + 1);
  add_table<NetV8>(numbers, slots(offsetof(NetV8, irecvConsumed)) + 1);
  add_table<NetV9>(numbers, slots(offsetof(NetV9, makeVDevice)) + 1);
  add_table<NetV10>(numbers, slots(offsetof(NetV10, makeVDevice)) + 1);
  add_table<NetV11>(numbers, slots(offsetof(NetV11, setNetAttr)) + 1);
  add_table<NetV12>(numbers, slots(offsetof(NetV12, setNetAttr)) + 1);
}

void add_offsets(Numbers& numbers) {
  ADD_COMMON_OFFSETS(6, PropertiesV6);
  ADD_COMMON_OFFSETS(7, PropertiesV7);
  ADD_OFFSET(7, PropertiesV7, netDeviceType);
  ADD_OFFSET(7, PropertiesV7, netDeviceVersion);
  ADD_COMMON_OFFSETS(8, PropertiesV8);
  ADD_OFFSET(8, PropertiesV8, regIsGlobal);
  ADD_OFFSET(8, PropertiesV8, netDeviceType);
  ADD_OFFSET(8, PropertiesV8, netDeviceVersion);
  ADD_COMMON_OFFSETS(9, PropertiesV9);
  ADD_LIMIT_OFFSETS(9, PropertiesV9);
  ADD_OFFSET(9, PropertiesV9, netDeviceVersion);
  ADD_LIMIT_OFFSETS(10, PropertiesV9);
  ADD_LIMIT_OFFSETS(11, PropertiesV11);
  ADD_OFFSET(11, PropertiesV11, maxMultiRequestSize);
  ADD_LIMIT_OFFSETS(12, PropertiesV12);
  ADD_OFFSET(12, PropertiesV12, maxMultiRequestSize);
  ADD_OFFSET(12, PropertiesV12, railId);
  ADD_OFFSET(12, PropertiesV12, planeId);
}

Numbers our_numbers() {
  Numbers numbers;
  add_tables(numbers);
  add_offsets(numbers);
  numbers["VDev v9"] = sizeof(VirtualDeviceV9);
  numbers["VDev v11"] = sizeof(NetV11::VirtualDevice);
  numbers["VDev v12"] = sizeof(NetV12::VirtualDevice);
  numbers["CommConfig v11"] = sizeof(CommConfig);
  numbers["NetAttr v11"] = sizeof(NetAttr);
  numbers["DevHandle"] = sizeof(DeviceHandle);
  return numbers;
}

// Compares numbers with the table and counts what was compared.
class Comparison {
 public:
  void expect(const std::string& what, const std::string& number) {
    const auto ours = ours_.find(what);
    ASSERT_NE(ours, ours_.end()) << "the table tells of " << what << ", the headers do not";
    EXPECT_EQ(ours->second, std::stoul(number)) << what;
    ++compared_;
  }
  std::size_t compared() const { return compared_; }

 private:
  const Numbers ours_ = our_numbers();
  std::size_t compared_ = 0;
};

// The words of a line; "@", ":", ";" and "," end a word like a blank.
std::vector<std::string> words_of(std::string line) {
  for (char& c : line)
    if (std::strchr("@:;,", c) != nullptr) c = ' ';
  std::istringstream in(line);
  return {std::istream_iterator<std::string>(in), {}};
}

// "VDev v9 20 v11 20 v12 36; ...; DevHandle 32": a name, then a number, or versions and numbers.
void compare_last_line(const std::vector<std::string>& words, Comparison& comparison) {
  std::string name, version;
  for (const std::string& word : words) {
    if (std::isdigit(static_cast<unsigned char>(word[0])) != 0) {
      comparison.expect(name + version, word);
    } else if (word[0] == 'v') {
      version = " " + word;
    } else {
      name = word;
      version.clear();
    }
  }
}

void compare_line(const std::string& line, Comparison& comparison) {
  const std::vector<std::string> words = words_of(line);
  if (words.size() == 4 && words[0] == "props")  // props v7: size 56
    return comparison.expect("props " + words[1], words[3]);
  if (words.size() == 3)  // v7 netDeviceType @48
    return comparison.expect("offset " + words[0] + " " + words[1], words[2]);
  if (words.size() == 6 && words[0] == "net") {  // net   v7: size 152 slots 19
    comparison.expect("net " + words[1], words[3]);
    return comparison.expect("slots " + words[1], words[5]);
  }
  compare_last_line(words, comparison);
}

TEST(NetAbiSizes, EveryNumberOfTheTableIsOurs) {
  const std::string path = std::string(HAWSER_TEST_SOURCE_DIR) + "/tests/data/abi_sizes.txt";
  std::ifstream table(path);
  ASSERT_TRUE(table.is_open()) << path;
  Comparison comparison;
  std::size_t skipped = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.find(" v4") != std::string::npos)
      ++skipped;
    else
      compare_line(line, comparison);
  }
  EXPECT_EQ(skipped, kV4Lines);
  // 7 properties, 8 tables of two numbers, 41 offsets, 6 others.
  EXPECT_EQ(comparison.compared(), 7u + 16u + 41u + 6u);
}

TEST(NetAbiSizes, UnpackMetadataIsLaidOutAsDocumented) {
  EXPECT_EQ(sizeof(LoadMeta), 16u);
  EXPECT_EQ(offsetof(LoadMeta, len), 4u);
  EXPECT_EQ(offsetof(LoadMeta, dst_off), 8u);
  EXPECT_EQ(sizeof(NetUnpackMeta), 524416u);
  EXPECT_EQ(offsetof(NetUnpackMeta, cnt), 524288u);
  EXPECT_EQ(sizeof(UnpackNetDeviceHandle), 24u);
  EXPECT_EQ(offsetof(UnpackNetDeviceHandle, bounce_buf), 8u);
}

}  // namespace
}  // namespace hawser::abi
