#include "fault/engine_cuts.h"

#include <fmt/core.h>

namespace hawser::test {

const char* name_of(Cut cut) {
  switch (cut) {
    case Cut::both_ways:
      return "lost both ways";
    case Cut::to_peer:
      return "lost to the peer";
    case Cut::from_peer:
      return "lost from the peer";
    case Cut::down_here:
      return "down here";
    case Cut::down_there:
      return "down there";
    case Cut::reset:
      return "reset";
  }
  return "?";
}

void EngineNics::SetUp() {
  std::string why_not;
  namespaces_ = NamespacePair::create(kNics, why_not);
  if (!namespaces_) GTEST_SKIP() << why_not;
}

void EngineNics::TearDown() {
  engine_.reset();
  peer_.reset();
}

FaultSetup EngineNics::setup() const {
  FaultSetup setup;
  setup.netns = namespaces_->b();
  setup.address = NamespacePair::address_b(0);
  for (int i = 0; i < kNics; ++i)
    setup.devices += (i > 0 ? "," : "") + NamespacePair::link_name(i);
  return setup;
}

void EngineNics::start(const FaultSetup& setup) {
  setup_ = setup;
  peer_ = std::make_unique<FaultPeer>(setup);
  peer_->wait_ready();
  inside(namespaces_->a(), [&] {
    auto engine = Engine::create(setup.engine());
    ASSERT_TRUE(engine.ok()) << engine.error().message();
    engine_ = std::move(*engine);
  });
}

Result<Link> EngineNics::connect() {
  Result<Link> link = Error(Code::internal, "not tried");
  inside(namespaces_->a(),
         [&] { link = engine_->connect(setup_.address, setup_.port, setup_.link()); });
  return link;
}

void EngineNics::configure(const std::string& netns, const std::string& words) {
  EXPECT_TRUE(namespaces_->configure(netns, words));
}

// What goes to the other side is for nobody there.
void EngineNics::lose(const std::string& from, const std::string& to, int nic, bool lose) {
  const std::string dev = " dev " + NamespacePair::link_name(nic);
  configure(from, lose ? "neigh replace " + to + " lladdr 02:00:00:00:00:99 nud permanent" + dev
                       : "neigh del " + to + dev);
}

void EngineNics::cut(Cut how, int nic) {
  const std::string link = "link set " + NamespacePair::link_name(nic);
  if (how == Cut::both_ways || how == Cut::to_peer)
    lose(namespaces_->a(), NamespacePair::address_b(nic), nic, true);
  if (how == Cut::both_ways || how == Cut::from_peer)
    lose(namespaces_->b(), NamespacePair::address_a(nic), nic, true);
  if (how == Cut::down_here) configure(namespaces_->a(), link + " down");
  if (how == Cut::down_there) configure(namespaces_->b(), link + " down");
  if (how == Cut::reset) {
    Command ss{.args = {"ss", "-K", "-tn", "dst", NamespacePair::address_b(nic)},
               .env = {},
               .cwd = {},
               .netns = namespaces_->a()};
    EXPECT_EQ(run(std::move(ss)).exit_code, 0);
  }
}

void EngineNics::restore(Cut how, int nic) {
  const std::string link = "link set " + NamespacePair::link_name(nic);
  if (how == Cut::both_ways || how == Cut::to_peer)
    lose(namespaces_->a(), NamespacePair::address_b(nic), nic, false);
  if (how == Cut::both_ways || how == Cut::from_peer)
    lose(namespaces_->b(), NamespacePair::address_a(nic), nic, false);
  if (how == Cut::down_here) configure(namespaces_->a(), link + " up");
  if (how == Cut::down_there) configure(namespaces_->b(), link + " up");
}

bool EngineNics::wait_all_up(const Link& link, Milliseconds patience) {
  return wait_until(patience, [&] {
    const LinkReport report = link.report();
    return channels_up(report) == report.channels.size();
  });
}

}  // namespace hawser::test
