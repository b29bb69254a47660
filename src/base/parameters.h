// Every environment variable hawser reads is declared in parameters.cc, once:
// its name, kind, unit, default and reason. docs/parameters.md is generated from it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hawser {

enum class ParameterKind { text, integer, choice };

struct Parameter {
  const char* name;  // the environment variable
  ParameterKind kind;
  const char* unit;           // "" where there is none
  const char* default_value;  // "" = unset
  const char* choices;        // for choice: "a|b|c"
  std::int64_t min;           // for integer, inclusive
  std::int64_t max;
  const char* doc;

  // The variable's text, if it is set and not empty.
  std::optional<std::string> text() const;
  // The text, else the default.
  std::string text_or_default() const;
  // The checked number (or the default); an error names the variable, the text and the range.
  Result<std::int64_t> integer() const;
  // The same for a text that was read before.
  Result<std::int64_t> parse_integer(const std::string& given) const;
  // The checked choice (or the default).
  Result<std::string> choice() const;
};

namespace parameters {
extern const Parameter kLogLevel;
extern const Parameter kCudaLibrary;
extern const Parameter kSysfsRoot;
extern const Parameter kSocketIfname;
extern const Parameter kSocketFamily;
extern const Parameter kNcclSocketIfname;
extern const Parameter kNcclSocketFamily;
extern const Parameter kDataPorts;
extern const Parameter kAdvertise;
extern const Parameter kSocketBufferBytes;
extern const Parameter kSocketsPerChannel;
extern const Parameter kIoThreads;
extern const Parameter kIoCpus;
extern const Parameter kIoNumaNode;
extern const Parameter kIoSpinUs;
extern const Parameter kCongestionControl;
extern const Parameter kPeerSilenceMs;
extern const Parameter kPortBase;
extern const Parameter kLinkPeerBytes;
extern const Parameter kPeerBytes;
extern const Parameter kEnginePeerBytes;
extern const Parameter kLinkChannels;
extern const Parameter kLinksPerPeer;
extern const Parameter kPeerDescriptors;
extern const Parameter kEngineDescriptors;
extern const Parameter kPerfBytes;
extern const Parameter kMaxMessages;
extern const Parameter kMaxReads;
extern const Parameter kMaxNotifications;
extern const Parameter kUnpack;
extern const Parameter kUnpackPoolBytes;
extern const Parameter kNcclNetPlugin;
extern const Parameter kNcclNet;
extern const Parameter kNcclTuning;
extern const Parameter kNcclP2pNetChunkSize;
extern const Parameter kTcpxPluginPath;
extern const Parameter kTcpxDynamicChunkSize;
extern const Parameter kTcpxSocketsPerThread;
extern const Parameter kTcpxThreads;
extern const Parameter kTcpxInlineThreshold;
extern const Parameter kTcpxTxBindings;
extern const Parameter kTcpxRxBindings;
extern const Parameter kTcpxSocketIfname;
extern const Parameter kTcpxControlDevice;
extern const Parameter kTcpxUnixClientPrefix;
extern const Parameter kIsolate;
extern const Parameter kIsolateHangMs;
extern const Parameter kPluginHost;
}  // namespace parameters

// All of them, in the order of docs/parameters.md.
std::span<const Parameter* const> all_parameters();

// docs/parameters.md, whole.
std::string parameters_markdown();

}  // namespace hawser
