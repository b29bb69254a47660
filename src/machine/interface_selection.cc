#include "machine/interface_selection.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/parameters.h"

namespace hawser {
namespace {

// The parsed form of InterfaceSelection::names.
struct NameFilter {
  bool exclude = false;
  bool exact = false;
  std::vector<std::string> names;

  bool matches(const std::string& name, const std::string& interface) const {
    return exact ? interface == name : interface.starts_with(name);
  }
  bool matches_any(const std::string& interface) const {
    return std::any_of(names.begin(), names.end(),
                       [&](const std::string& name) { return matches(name, interface); });
  }
};

bool take_mark(std::string_view& text, char mark) {
  if (!text.starts_with(mark)) return false;
  text.remove_prefix(1);
  return true;
}

NameFilter parse_filter(std::string_view text) {
  NameFilter filter;
  filter.exclude = take_mark(text, '^');
  filter.exact = take_mark(text, '=');
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma > 0) filter.names.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return filter;
}

using Candidates = std::vector<const Interface*>;

Candidates all_but(const std::vector<Interface>& interfaces, const NameFilter& filter) {
  Candidates chosen;
  for (const Interface& interface : interfaces)
    if (!filter.matches_any(interface.name)) chosen.push_back(&interface);
  return chosen;
}

// In the order of the list, each interface once.
Candidates in_list_order(const std::vector<Interface>& interfaces, const NameFilter& filter) {
  Candidates chosen;
  for (const std::string& name : filter.names)
    for (const Interface& interface : interfaces)
      if (filter.matches(name, interface.name) &&
          std::find(chosen.begin(), chosen.end(), &interface) == chosen.end())
        chosen.push_back(&interface);
  return chosen;
}

Candidates by_name(const std::vector<Interface>& interfaces, const std::string& names) {
  const NameFilter filter = parse_filter(names);
  if (filter.exclude || filter.names.empty()) return all_but(interfaces, filter);
  return in_list_order(interfaces, filter);
}

std::optional<IpAddress> first_where(const Interface& interface, IpFamily family, bool link_local) {
  for (const IpAddress& address : interface.addresses)
    if (address.family == family && address.link_local() == link_local) return address;
  return std::nullopt;
}

std::optional<IpAddress> ipv6_of(const Interface& interface) {
  const auto global = first_where(interface, IpFamily::ipv6, false);
  return global ? global : first_where(interface, IpFamily::ipv6, true);
}

std::optional<IpAddress> address_of(const Interface& interface, FamilyChoice family) {
  const auto ipv4 = first_where(interface, IpFamily::ipv4, false);
  if (family == FamilyChoice::ipv4) return ipv4;
  if (family == FamilyChoice::ipv6) return ipv6_of(interface);
  return ipv4 ? ipv4 : ipv6_of(interface);
}

std::string describe(const Interface& interface) {
  std::string out = interface.name;
  for (std::size_t i = 0; i < interface.addresses.size(); ++i)
    out += fmt::format("{}{}", i ? ", " : " (", interface.addresses[i].text());
  return out + ")";
}

std::string describe(const std::vector<Interface>& interfaces) {
  if (interfaces.empty()) return "no interface is up with an address";
  std::string out = "up with an address are";
  for (const Interface& interface : interfaces) out.append(" ").append(describe(interface));
  return out;
}

const char* family_text(FamilyChoice family) {
  switch (family) {
    case FamilyChoice::any:
      return "any";
    case FamilyChoice::ipv4:
      return "ipv4";
    case FamilyChoice::ipv6:
      return "ipv6";
  }
  return "?";
}

Error nothing_selected(const std::vector<Interface>& interfaces,
                       const InterfaceSelection& selection) {
  std::string wanted;
  if (!selection.names.empty())
    wanted = fmt::format("{}='{}'", selection.names_setting, selection.names);
  if (selection.family != FamilyChoice::any)
    wanted += fmt::format("{}{}={}", wanted.empty() ? "" : " with ", selection.family_setting,
                          family_text(selection.family));
  return Error(Code::unavailable,
               fmt::format("{} network interface to use: {}",
                           wanted.empty() ? "no" : wanted + " leaves no", describe(interfaces)));
}

Result<FamilyChoice> family_from(const Parameter& parameter) {
  HAWSER_ASSIGN(const std::string text, parameter.choice());
  if (text == "ipv4" || text == "AF_INET") return FamilyChoice::ipv4;
  if (text == "ipv6" || text == "AF_INET6") return FamilyChoice::ipv6;
  return FamilyChoice::any;
}

const Parameter& set_one(const Parameter& ours, const Parameter& fallback) {
  return !ours.text() && fallback.text() ? fallback : ours;
}

}  // namespace

Result<InterfaceSelection> InterfaceSelection::from_environment() {
  using namespace parameters;
  const Parameter& names = set_one(kSocketIfname, kNcclSocketIfname);
  const Parameter& family = set_one(kSocketFamily, kNcclSocketFamily);
  InterfaceSelection selection;
  selection.names = names.text_or_default();
  selection.names_setting = names.name;
  selection.family_setting = family.name;
  HAWSER_ASSIGN(selection.family, family_from(family));
  return selection;
}

InterfaceKind best_kind(std::span<const SelectedInterface> selected) {
  InterfaceKind best = InterfaceKind::internal;
  for (const SelectedInterface& one : selected) best = std::min(best, one.interface.kind);
  return best;
}

Result<std::vector<SelectedInterface>> select_interfaces(const std::vector<Interface>& interfaces,
                                                         const InterfaceSelection& selection) {
  std::vector<SelectedInterface> selected;
  for (const Interface* interface : by_name(interfaces, selection.names))
    if (const auto address = address_of(*interface, selection.family))
      selected.push_back({*interface, *address});
  if (selected.empty()) return nothing_selected(interfaces, selection);
  if (selection.best_kind) {
    const InterfaceKind best = best_kind(selected);
    std::erase_if(selected, [best](const auto& one) { return one.interface.kind != best; });
  }
  return selected;
}

}  // namespace hawser
