// What may be concluded from what was seen: a table of cases.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "validation/verdict.h"

namespace hawser {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

ChannelOutcome good_channel() {
  return {true, true, true, {}, {}};
}
ChannelOutcome failed_channel(Operation operation, Code kind, const std::string& why = "why") {
  const bool up = operation == Operation::transfer || operation == Operation::verify;
  return {up, up, false, ChannelFailure{operation, Error(kind, why)}, {}};
}
// The other side failed, and this one has heard of it.
ChannelOutcome failed_there(Operation operation, Code kind, const std::string& text) {
  ChannelOutcome channel = failed_channel(Operation::peer, Code::peer, text);
  channel.peer_failure = ChannelFailure{operation, Error(kind, text)};
  return channel;
}

PassOutcome pass_of(std::vector<ChannelOutcome> channels) {
  PassOutcome pass;
  pass.channels = std::move(channels);
  return pass;
}

Outcome devmem_run(std::vector<ChannelOutcome> first) {
  Outcome outcome;
  outcome.subject.device.devmem = Devmem::real;
  outcome.subject.device.capabilities.cuda_pointers = true;
  outcome.subject.memory = MemoryKind::cuda;
  outcome.subject.channels = static_cast<int>(first.size());
  outcome.first = pass_of(std::move(first));
  return outcome;
}

// Several channels of which the second failed so.
Outcome second_failed(const ChannelOutcome& how) {
  return devmem_run({good_channel(), how, good_channel()});
}

Outcome with_lone(Outcome outcome, const ChannelOutcome& lone) {
  outcome.alone = pass_of({lone});
  return outcome;
}

struct Case {
  const char* name;
  Outcome outcome;
  Conclusion conclusion;
  const char* reason;  // a part of it
};
void PrintTo(const Case& tested, std::ostream* out) {
  *out << tested.name;
}

const ChannelOutcome kRefused = failed_channel(Operation::reg_mr, Code::plugin, "3");
const ChannelOutcome kSpoiled = failed_channel(Operation::verify, Code::data, "offset 7");

Outcome lost_after_failure() {
  Outcome outcome = second_failed(kRefused);
  outcome.first.peer_lost = true;
  outcome.first.peer_lost_reason = "it closed";
  return outcome;
}
Outcome lone_unknown() {
  Outcome outcome = second_failed(kRefused);
  outcome.alone_missing = "it closed";
  return outcome;
}
Outcome lone_fails_and_serialized_works() {
  Outcome outcome = with_lone(second_failed(kRefused), kRefused);
  outcome.retry = pass_of({good_channel(), good_channel(), good_channel()});
  return outcome;
}
Outcome never_ran() {
  Outcome outcome = devmem_run({{}, {}});
  outcome.not_run = Error(Code::timeout, "no client came");
  return outcome;
}

class VerdictOf : public testing::TestWithParam<Case> {};
TEST_P(VerdictOf, TheCase) {
  const Verdict verdict = judge(GetParam().outcome);
  EXPECT_EQ(verdict.conclusion, GetParam().conclusion) << verdict.reason;
  EXPECT_THAT(verdict.reason, HasSubstr(GetParam().reason));
  EXPECT_EQ(verdict.next_step.empty(), verdict.conclusion == Conclusion::works);
}

INSTANTIATE_TEST_SUITE_P(
    Validation, VerdictOf,
    testing::Values(
        Case{"AllPass", devmem_run({good_channel(), good_channel()}), Conclusion::works, ""},
        Case{"RefusedInAPluginOneAlonePasses", with_lone(second_failed(kRefused), good_channel()),
             Conclusion::conflict, "channel 1 on the server: tcpx_reg_mr failed: 3"},
        Case{"SpoiledOneAlonePasses", with_lone(second_failed(kSpoiled), good_channel()),
             Conclusion::conflict, "channel 1 on the server: Data verification failed: offset 7"},
        Case{"RefusedThereOneAlonePasses",
             with_lone(second_failed(failed_there(Operation::connect, Code::plugin,
                                                  "tcpx_connect_v5 failed: 3")),
                       good_channel()),
             Conclusion::conflict, "channel 1 on the client: tcpx_connect_v5 failed: 3"},
        Case{"OneAloneFailsToo",
             with_lone(second_failed(kRefused),
                       failed_channel(Operation::accept, Code::plugin, "3")),
             Conclusion::undetermined,
             "one channel alone fails, too: channel 0 on the server: tcpx_accept_v5 failed: 3"},
        Case{"OneAloneFailsThere",
             with_lone(second_failed(kRefused),
                       failed_there(Operation::connect, Code::timeout, "tcpx_connect_v5 failed")),
             Conclusion::undetermined,
             "one channel alone fails, too: channel 0 on the client: tcpx_connect_v5 failed"},
        Case{"OneAloneFailsButSerializedWorks", lone_fails_and_serialized_works(),
             Conclusion::undetermined, "though all passed when made one at a time"},
        Case{"OneAloneUnknown", lone_unknown(), Conclusion::undetermined,
             "tcpx_reg_mr failed: 3; whether one channel alone passes is not known: it closed"},
        Case{"OneWasAskedFor", devmem_run({kRefused}), Conclusion::undetermined,
             "one channel was asked for, and it failed: channel 0 on the server"},
        Case{"Timeout",
             with_lone(second_failed(failed_channel(Operation::transfer, Code::timeout)),
                       good_channel()),
             Conclusion::undetermined,
             "one channel alone passes, but this is no sign of a conflict"},
        Case{"PeersConnectionDropped",
             with_lone(second_failed(failed_channel(Operation::transfer, Code::peer)),
                       good_channel()),
             Conclusion::undetermined, "no sign of a conflict"},
        Case{"WrongArgument",
             with_lone(second_failed(failed_channel(Operation::reg_mr, Code::invalid_argument)),
                       good_channel()),
             Conclusion::undetermined, "no sign of a conflict"},
        Case{"OutOfDescriptors",
             with_lone(second_failed(failed_channel(Operation::connect, Code::system)),
                       good_channel()),
             Conclusion::undetermined, "no sign of a conflict"},
        Case{"PeerLost", lost_after_failure(), Conclusion::undetermined, "it closed"},
        Case{"NeverRan", never_ran(), Conclusion::undetermined, "no client came"}),
    [](const auto& tested) { return tested.param.name; });

// The call that was refused, wherever it was, not what followed from it.
TEST(Verdict, ItsReasonIsWhatTellsMost) {
  const Outcome outcome = with_lone(
      devmem_run({failed_channel(Operation::transfer, Code::peer, "connection reset"),
                  failed_channel(Operation::transfer, Code::timeout, "stalled"),
                  failed_there(Operation::transfer, Code::plugin, "tcpx_isend failed: 3")}),
      good_channel());
  EXPECT_EQ(judge(outcome).reason, "channel 2 on the client: tcpx_isend failed: 3");
}

// Each side knows its own failures at first hand, and the other's by word.
TEST(Verdict, BothSidesComeToTheSame) {
  ChannelOutcome here = kRefused;
  here.peer_failure =
      ChannelFailure{Operation::transfer, Error(Code::plugin, "tcpx_isend failed: 2")};
  Outcome server = with_lone(second_failed(here), good_channel());
  ChannelOutcome there = failed_channel(Operation::transfer, Code::plugin, "2");
  there.peer_failure =
      ChannelFailure{Operation::reg_mr, Error(Code::plugin, "tcpx_reg_mr failed: 3")};
  Outcome client = with_lone(second_failed(there), good_channel());
  client.subject.role = Role::client;
  EXPECT_EQ(judge(server).reason, "channel 1 on the server: tcpx_reg_mr failed: 3");
  EXPECT_EQ(judge(client).reason, judge(server).reason);
  EXPECT_EQ(judge(client).next_step, judge(server).next_step);
}

TEST(Verdict, BreaksNoLine) {
  const Outcome outcome =
      devmem_run({failed_channel(Operation::listen, Code::plugin, "line\nbreak")});
  EXPECT_THAT(judge(outcome).reason, Not(HasSubstr("\n")));
}

// What is advised, by what happened.
TEST(Verdict, NextStepFitsTheReason) {
  const auto advice = [](Operation operation, Code kind) {
    return judge(devmem_run({failed_channel(operation, kind)})).next_step;
  };
  EXPECT_THAT(advice(Operation::accept, Code::plugin), HasSubstr("RxDM's log"));
  EXPECT_THAT(advice(Operation::accept, Code::timeout), HasSubstr("reach each other"));
  EXPECT_THAT(advice(Operation::transfer, Code::peer), HasSubstr("network"));
  EXPECT_THAT(advice(Operation::reg_mr, Code::invalid_argument), HasSubstr("4096"));
  EXPECT_THAT(advice(Operation::verify, Code::data), HasSubstr("HAWSER_UNPACK=host"));
  EXPECT_THAT(advice(Operation::connect, Code::system), StartsWith("Mend"));
}

// RxDM serves the real plugin only.
TEST(Verdict, NextStepNamesNothingThatIsNotThere) {
  Outcome outcome = devmem_run({failed_channel(Operation::accept, Code::timeout)});
  outcome.subject.device.devmem = Devmem::none;
  EXPECT_THAT(judge(outcome).next_step, Not(HasSubstr("RxDM")));
}

TEST(Verdict, NeverClaimsDevmemThatWasNotThere) {
  Outcome outcome = devmem_run({good_channel(), good_channel()});
  EXPECT_EQ(devmem_finding(outcome, Conclusion::works), "RESOLVED");
  EXPECT_EQ(devmem_finding(outcome, Conclusion::conflict), "STILL PRESENT");
  EXPECT_EQ(devmem_finding(outcome, Conclusion::undetermined), "NOT DETERMINED");
  Subject& subject = outcome.subject;
  subject.transport = "GPUDirectTCPX_v7";
  subject.memory = MemoryKind::host;
  EXPECT_EQ(devmem_finding(outcome, Conclusion::works),
            "NOT TESTED (host memory over GPUDirectTCPX_v7)");
  subject.memory = MemoryKind::cuda;
  subject.device.devmem = Devmem::emulated;
  subject.transport = "T";
  EXPECT_EQ(devmem_finding(outcome, Conclusion::works),
            "NOT TESTED (cuda memory over emulated TCPX T)");
  subject.device.devmem = Devmem::none;
  subject.device.capabilities.cuda_pointers = false;
  subject.transport = "hawser TCP";
  for (const Conclusion conclusion :
       {Conclusion::works, Conclusion::conflict, Conclusion::undetermined})
    EXPECT_EQ(devmem_finding(outcome, conclusion),
              "NOT TESTED (cuda memory staged through host memory over hawser TCP, not TCPX)");
}

TEST(Verdict, DevmemIsResolvedOnlyAsFarAsItWasTried) {
  Outcome outcome = devmem_run({good_channel()});
  EXPECT_EQ(devmem_finding(outcome, Conclusion::works), "NOT TESTED (one channel only)");
  outcome = devmem_run({good_channel(), good_channel()});
  outcome.first.serialized = true;
  EXPECT_EQ(devmem_finding(outcome, Conclusion::works),
            "RESOLVED (channels created one at a time)");
}

}  // namespace
}  // namespace hawser
