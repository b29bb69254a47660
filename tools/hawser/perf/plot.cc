// Bandwidth by message size, drawn as SVG: both axes logarithmic, the transport's band of repeats,
// the bare sockets' ceiling dashed.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "perf/perf.h"
#include "perf/sizes.h"

namespace hawser {
namespace {

using nlohmann::json;

constexpr double kWidth = 960;
constexpr double kHeight = 560;
constexpr double kLeft = 84;
constexpr double kRight = 44;
constexpr double kTop = 114;
constexpr double kBottom = 64;
constexpr std::size_t kMaxPoints = 1000;
constexpr std::size_t kMaxLine = 120;  // characters that fit into the picture's width

struct Dot {
  double bytes = 0;
  double median = 0, min = 0, max = 0;  // GB/s
};
using Curve = std::vector<Dot>;

struct Picture {
  std::string title, machine, path, bare_name;
  Curve transport, bare;
};

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kMaxLine)) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else
      out += c;
  }
  return out;
}

// Where a value stands on an axis of which `from` to `to` are `length` long.
double place(double value, double from, double to, double length) {
  return length * (std::log(value) - std::log(from)) / (std::log(to) - std::log(from));
}

// The two axes, and what they hold.
class Axes {
 public:
  explicit Axes(const Picture& picture) {
    for (const Curve* curve : {&picture.transport, &picture.bare})
      for (const Dot& dot : *curve) include(dot);
    least_speed_ = std::pow(10, std::floor(std::log10(least_speed_)));
    most_speed_ = std::pow(10, std::ceil(std::log10(most_speed_ * 1.05)));
    if (least_bytes_ == most_bytes_) least_bytes_ /= 2, most_bytes_ *= 2;
  }

  double x(double bytes) const {
    return kLeft + place(bytes, least_bytes_, most_bytes_, kWidth - kLeft - kRight);
  }
  double y(double speed) const {
    return kHeight - kBottom - place(speed, least_speed_, most_speed_, kHeight - kTop - kBottom);
  }
  double least_speed() const { return least_speed_; }
  double most_speed() const { return most_speed_; }

 private:
  void include(const Dot& dot) {
    least_bytes_ = std::min(least_bytes_, dot.bytes);
    most_bytes_ = std::max(most_bytes_, dot.bytes);
    least_speed_ = std::min(least_speed_, dot.min);
    most_speed_ = std::max(most_speed_, dot.max);
  }

  double least_bytes_ = 1e18, most_bytes_ = 1;
  double least_speed_ = 1e18, most_speed_ = 1e-9;
};

std::string line(double x1, double y1, double x2, double y2, const char* color) {
  return fmt::format("<line x1='{:.1f}' y1='{:.1f}' x2='{:.1f}' y2='{:.1f}' stroke='{}'/>\n", x1,
                     y1, x2, y2, color);
}

std::string label(double x, double y, const char* anchor, const std::string& text,
                  const char* more = "") {
  return fmt::format("<text x='{:.1f}' y='{:.1f}' text-anchor='{}' {}>{}</text>\n", x, y, anchor,
                     more, escaped(text));
}

std::string speed_grid(const Axes& axes) {
  std::string svg;
  for (double decade = axes.least_speed(); decade < axes.most_speed() * 1.001; decade *= 10) {
    svg += label(kLeft - 8, axes.y(decade) + 4, "end", fmt::format("{:g}", decade));
    svg += line(kLeft, axes.y(decade), kWidth - kRight, axes.y(decade), "#c8c8c8");
    for (int i = 2; i < 10 && decade * i < axes.most_speed(); ++i)
      svg += line(kLeft, axes.y(decade * i), kWidth - kRight, axes.y(decade * i), "#efefef");
  }
  return svg;
}

std::string size_grid(const Axes& axes, const Curve& curve) {
  std::string svg;
  double last = -1e9;
  for (const Dot& dot : curve) {
    const double x = axes.x(dot.bytes);
    svg += line(x, kTop, x, kHeight - kBottom, "#efefef");
    if (x - last < 52) continue;  // labels must not run into each other
    svg += label(x, kHeight - kBottom + 20, "middle",
                 size_text(static_cast<std::uint64_t>(dot.bytes)));
    last = x;
  }
  return svg;
}

std::string path_through(const Axes& axes, const Curve& curve) {
  std::string path;
  for (const Dot& dot : curve)
    path += fmt::format("{}{:.1f},{:.1f} ", path.empty() ? "M" : "L", axes.x(dot.bytes),
                        axes.y(dot.median));
  return path;
}

// The band between the slowest and the fastest repeat.
std::string band(const Axes& axes, const Curve& curve, const char* color) {
  std::string points;
  for (const Dot& dot : curve)
    points += fmt::format("{:.1f},{:.1f} ", axes.x(dot.bytes), axes.y(dot.max));
  for (auto dot = curve.rbegin(); dot != curve.rend(); ++dot)
    points += fmt::format("{:.1f},{:.1f} ", axes.x(dot->bytes), axes.y(dot->min));
  return fmt::format("<polygon points='{}' fill='{}' fill-opacity='0.15'/>\n", points, color);
}

std::string draw(const Axes& axes, const Curve& curve, const char* color, const char* dashes) {
  if (curve.empty()) return "";
  std::string svg = band(axes, curve, color);
  svg += fmt::format(
      "<path d='{}' fill='none' stroke='{}' stroke-width='2.5' "
      "stroke-dasharray='{}'/>\n",
      path_through(axes, curve), color, dashes);
  for (const Dot& dot : curve)
    svg += fmt::format("<circle cx='{:.1f}' cy='{:.1f}' r='3.5' fill='{}'/>\n", axes.x(dot.bytes),
                       axes.y(dot.median), color);
  return svg;
}

std::string key(double y, const char* color, const char* dashes, const std::string& text) {
  const double x = kLeft + 16;
  return fmt::format(
             "<path d='M{:.1f},{:.1f} h36' stroke='{}' stroke-width='2.5' "
             "stroke-dasharray='{}'/>\n",
             x, y, color, dashes) +
         label(x + 44, y + 4, "start", text);
}

constexpr const char* kTransportColor = "#0b5cad";
constexpr const char* kBareColor = "#c0562a";

std::string svg_of(const Picture& picture) {
  const Axes axes(picture);
  std::string svg = fmt::format(
      "<svg xmlns='http://www.w3.org/2000/svg' width='{0}' height='{1}' viewBox='0 0 {0} {1}' "
      "font-family='DejaVu Sans, Helvetica, Arial, sans-serif' font-size='13' fill='#222'>\n"
      "<rect width='{0}' height='{1}' fill='white'/>\n",
      kWidth, kHeight);
  svg += label(kLeft, 34, "start", picture.title, "font-size='19' font-weight='bold'");
  svg += label(kLeft, 56, "start", picture.machine, "fill='#555'");
  svg += label(kLeft, 74, "start", picture.path, "fill='#555'");
  svg += speed_grid(axes) + size_grid(axes, picture.transport);
  svg += draw(axes, picture.bare, kBareColor, "7 5");
  svg += draw(axes, picture.transport, kTransportColor, "none");
  svg += key(kTop + 18, kTransportColor, "none", "transport");
  if (!picture.bare.empty()) svg += key(kTop + 40, kBareColor, "7 5", picture.bare_name);
  svg += label(kLeft, kTop - 14, "start", "GB/s: median of the repeats; band: slowest to fastest");
  svg += label((kLeft + kWidth - kRight) / 2, kHeight - 16, "middle", "message size");
  return svg + "</svg>\n";
}

// Throws what json throws where the object is not of the form that json_of() makes.
Dot dot_of(const json& point, const char* series) {
  const json& speed = point.at(series).at("gb_per_s");
  return {point.at("message_bytes").get<double>(), speed.at("median").get<double>(),
          speed.at("min").get<double>(), speed.at("max").get<double>()};
}

void add(Curve& curve, const Dot& dot) {
  const bool drawable = dot.bytes > 0 && dot.min > 0 && dot.median >= dot.min &&
                        dot.max >= dot.median && dot.max < 1e6 && dot.bytes < 1e15;
  if (drawable && curve.size() < kMaxPoints) curve.push_back(dot);
}

Picture picture_of(const json& report) {
  Picture picture;
  picture.title =
      fmt::format("hawser perf: {}{}, channels: {}", report.at("transport").get<std::string>(),
                  report.at("bidirectional").get<bool>() ? ", both ways" : "",
                  report.at("channels").get<int>());
  const std::string client = report.at("client");  // "machine; path"
  const std::size_t end = std::min(client.find("; "), client.size());
  picture.machine = client.substr(0, end);
  picture.path = client.substr(std::min(end + 2, client.size()));
  picture.bare_name = fmt::format("bare sockets ({}, {})", report.at("bare_sockets").get<int>(),
                                  report.at("bare_congestion").get<std::string>());
  for (const json& point : report.at("points")) {
    if (point.at("traffic") != "stream") continue;
    add(picture.transport, dot_of(point, "transport"));
    if (point.contains("bare")) add(picture.bare, dot_of(point, "bare"));
  }
  const auto by_size = [](const Dot& a, const Dot& b) { return a.bytes < b.bytes; };
  std::sort(picture.transport.begin(), picture.transport.end(), by_size);
  std::sort(picture.bare.begin(), picture.bare.end(), by_size);
  return picture;
}

}  // namespace

PerfPlot plot_perf(std::string_view text) {
  try {
    const Picture picture = picture_of(json::parse(text));
    if (picture.transport.empty()) return {false, "no streams in this report: nothing to draw"};
    return {true, svg_of(picture)};
  } catch (const json::exception& error) {
    return {false, fmt::format("not a report of `hawser perf --json`: {}", error.what())};
  }
}

}  // namespace hawser
