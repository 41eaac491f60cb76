// The picture of `turnout simulate`: three plots, one above the other. Colours follow the reader's
// light or dark scheme; the ground is painted, so that the picture stands on any page.

#include <algorithm>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/simulate.h"

namespace turnout::cli {
namespace {

using base::Duration;

constexpr double kPageWidth = 960;
constexpr double kPlotLeft = 80;
constexpr double kPlotRight = 936;
constexpr double kPlotHeight = 150;
constexpr double kFirstTop = 104;
constexpr double kPlotStep = 240;  // from one plot's top to the next one's

constexpr const char* kStyle = R"(<style>
.ground{fill:#ffffff}.text{fill:#1d2730}.dim{fill:#5b6b7a}.grid{stroke:#dde3e8}.axis{stroke:#5b6b7a}
.line{fill:none;stroke:#2f6db3;stroke-width:2;stroke-linejoin:round}.band{fill:#2f6db3;fill-opacity:.22}
.fault{stroke:#c2571a;stroke-width:1.5;stroke-dasharray:5 4}.mark{fill:#c2571a}
.title{font-size:15px;font-weight:600}.head{font-size:18px;font-weight:600}
@media (prefers-color-scheme:dark){
.ground{fill:#14191e}.text{fill:#e6ebef}.dim{fill:#9aa8b5}.grid{stroke:#2b343c}.axis{stroke:#9aa8b5}
.line{stroke:#6ea8e6}.band{fill:#6ea8e6}.fault{stroke:#f0924c}.mark{fill:#f0924c}}
</style>
)";

double in_seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

// From values to places on the page.
class Scale {
 public:
  Scale(double low, double high, double from, double to, bool logarithmic)
      : low_(low), high_(high), from_(from), to_(to), log_(logarithmic) {}

  double at(double value) const {
    const double share = log_ ? std::log(std::max(value, low_) / low_) / std::log(high_ / low_)
                              : (value - low_) / (high_ - low_);
    return from_ + std::clamp(share, 0.0, 1.0) * (to_ - from_);
  }
  double low() const { return low_; }

  // Where lines and numbers go: powers of ten, or some five round numbers.
  std::vector<double> ticks() const {
    std::vector<double> all;
    if (log_) {
      const bool few = high_ <= low_ * 150;  // powers alone would leave the page empty
      for (double power = low_; power <= high_ * 1.001; power *= 10) {
        for (const double factor : {1.0, 2.0, 5.0}) {
          if ((factor == 1 || few) && power * factor <= high_ * 1.001) {
            all.push_back(power * factor);
          }
        }
      }
      return all;
    }
    const double rough = (high_ - low_) / 5;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    const double step = rough / power > 5   ? 10 * power
                        : rough / power > 2 ? 5 * power
                        : rough / power > 1 ? 2 * power
                                            : power;
    for (double tick = std::ceil(low_ / step) * step; tick <= high_ * 1.001; tick += step) {
      all.push_back(tick);
    }
    return all;
  }

 private:
  double low_;
  double high_;
  double from_;
  double to_;
  bool log_;
};

double power_below(double value) { return std::pow(10, std::floor(std::log10(value))); }
double power_above(double value) { return std::pow(10, std::ceil(std::log10(value))); }

// "1 ms", "10 s": for a scale of powers of ten.
std::string power_text(double at) {
  return at < 0.9995 ? fmt::format("{:g} ms", at * 1'000) : fmt::format("{:g} s", at);
}

// "12", "1,200", "3.5 M".
std::string number_text(double number) {
  if (number >= 1e6) {
    return fmt::format("{:g} M", std::round(number / 1e4) / 100);
  }
  return number >= 1'000 ? base::with_thousands(std::llround(number)) : fmt::format("{:g}", number);
}

class Picture {
 public:
  void text(double x, double y, const char* classes, const char* anchor, const std::string& what) {
    out_ +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\" text-anchor=\"{}\">{}</text>\n",
                    x, y, classes, anchor, what);
  }
  void line(double x1, double y1, double x2, double y2, const char* classes) {
    out_ += fmt::format("<path d=\"M{:.1f} {:.1f}L{:.1f} {:.1f}\" class=\"{}\"/>\n", x1, y1, x2, y2,
                        classes);
  }
  void path(const std::string& data, const char* classes) {
    out_ += fmt::format("<path d=\"{}\" class=\"{}\"/>\n", data, classes);
  }
  void dot(double x, double y) {
    out_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" class=\"mark\"/>\n", x, y);
  }
  const std::string& content() const { return out_; }

 private:
  std::string out_;
};

// A plot's title, grid and numbers.
template <class XText, class YText>
void draw_frame(Picture& picture, double top, const std::string& title, const std::string& note,
                const Scale& x, const Scale& y, XText x_text, YText y_text) {
  picture.text(kPlotLeft, top - 14, "text title", "start", title);
  picture.text(kPlotRight, top - 14, "dim", "end", note);
  for (const double tick : y.ticks()) {
    picture.line(kPlotLeft, y.at(tick), kPlotRight, y.at(tick), "grid");
    picture.text(kPlotLeft - 8, y.at(tick) + 4, "dim", "end", y_text(tick));
  }
  for (const double tick : x.ticks()) {
    picture.line(x.at(tick), top, x.at(tick), top + kPlotHeight, "grid");
    picture.text(x.at(tick), top + kPlotHeight + 20, "dim", "middle", x_text(tick));
  }
  picture.line(kPlotLeft, top + kPlotHeight, kPlotRight, top + kPlotHeight, "axis");
}

std::string after_text(const char* what, const std::optional<Duration>& when) {
  return when ? fmt::format("{} after {}", what, duration_text(*when))
              : fmt::format("{} never", what);
}

// Tracks without an owner, over the logarithm of time: some are taken over in milliseconds, others
// in cycles.
void draw_ownerless(Picture& picture, double top, const SimulationPlan& plan,
                    const SimulationResult& result) {
  const bool recovers = result.recovery.has_value();
  const std::vector<OwnerlessStep>& steps =
      recovers ? result.recovery->steps : result.forming.steps;
  const Duration ended = result.samples.empty() ? plan.cycle : result.samples.back().at;
  const double last =
      in_seconds(std::max(steps.back().at, recovers ? ended - result.recovery->at : Duration(0)));
  const double first = steps.size() > 1 ? in_seconds(steps[1].at) : 0.001;
  const double low = power_below(std::max(first / 2, 1e-4));
  const double high = std::max(power_above(std::max(last, in_seconds(plan.cycle))), low * 10);
  const int most = std::max_element(steps.begin(), steps.end(), [](const auto& a, const auto& b) {
                     return a.tracks < b.tracks;
                   })->tracks;
  const Scale x(low, high, kPlotLeft, kPlotRight, true);
  const Scale y(0, std::max(1, most) * 1.05, top + kPlotHeight, top, false);
  std::string note;
  if (recovers) {
    note = fmt::format("{}, {}, {}", after_text("half owned", result.recovery->half),
                       after_text("99 %", result.recovery->most),
                       after_text("all", result.recovery->all));
  } else {
    note = after_text("all owned", result.forming.owned);
  }
  draw_frame(picture, top,
             recovers ? fmt::format("Tracks to be owned anew: {}", describe_misfortune(plan))
                      : std::string("Tracks without an owner, since the start"),
             note, x, y, power_text, number_text);
  std::string data = fmt::format("M{:.1f} {:.1f}", x.at(low), y.at(steps.front().tracks));
  double drawn_x = x.at(low);
  double drawn_y = y.at(steps.front().tracks);
  for (const OwnerlessStep& step : steps) {
    const double to_x = x.at(in_seconds(step.at));
    const double to_y = y.at(step.tracks);
    // Thousands of steps are no more than the page has places.
    if (to_x - drawn_x > 0.5 || std::abs(to_y - drawn_y) > 0.5 || &step == &steps.back()) {
      data += fmt::format("H{:.1f}V{:.1f}", to_x, to_y);
      drawn_x = to_x;
      drawn_y = to_y;
    }
  }
  picture.path(data + fmt::format("H{:.1f}", x.at(std::max(last, low))), "line");
  const auto mark = [&](const std::optional<Duration>& when) {
    if (when && when->count() > 0) {
      // Of several at that time, the last.
      const auto next = std::find_if(steps.begin(), steps.end(),
                                     [&](const OwnerlessStep& step) { return step.at > *when; });
      picture.dot(x.at(in_seconds(*when)), y.at(std::prev(next)->tracks));
    }
  };
  if (recovers) {
    mark(result.recovery->half);
    mark(result.recovery->most);
    mark(result.recovery->all);
  }
}

void draw_fault(Picture& picture, double top, const Scale& x, const SimulationResult& result) {
  if (result.recovery) {
    const double at = x.at(in_seconds(result.recovery->at));
    picture.line(at, top, at, top + kPlotHeight, "fault");
  }
}

// Tracks owned by a peer: the band from the least to the most, and the median.
void draw_spread(Picture& picture, double top, const Scale& x, const SimulationResult& result) {
  int most = 1;
  for (const SimulationSample& sample : result.samples) {
    most = std::max(most, sample.spread.max);
  }
  const Scale y(0, most * 1.05, top + kPlotHeight, top, false);
  draw_frame(
      picture, top, "Tracks that a peer owns: least, median, most",
      fmt::format("at the end {} to {}", result.end.min, result.end.max), x, y,
      [](double at) { return fmt::format("{:g} s", at); },
      [](double value) { return value == std::floor(value) ? number_text(value) : ""; });
  std::string upper;
  std::string lower;
  std::string median;
  for (const SimulationSample& sample : result.samples) {
    const double to_x = x.at(in_seconds(sample.at));
    upper +=
        fmt::format("{}{:.1f} {:.1f}", upper.empty() ? "M" : "L", to_x, y.at(sample.spread.max));
    lower.insert(0, fmt::format("L{:.1f} {:.1f}", to_x, y.at(sample.spread.min)));
    median += fmt::format("{}{:.1f} {:.1f}", median.empty() ? "M" : "L", to_x,
                          y.at(sample.spread.median));
  }
  picture.path(upper + lower + "Z", "band");
  picture.path(median, "line");
  draw_fault(picture, top, x, result);
}

void draw_traffic(Picture& picture, double top, const Scale& x, const SimulationResult& result) {
  // The mean of a cycle, in which each peer speaks once.
  constexpr std::size_t kSamples = 4;
  std::vector<double> bytes;
  double sum = 0;
  for (std::size_t i = 0; i < result.samples.size(); ++i) {
    sum += result.samples[i].bytes_per_second;
    sum -= i >= kSamples ? result.samples[i - kSamples].bytes_per_second : 0;
    bytes.push_back(sum / static_cast<double>(std::min(i + 1, kSamples)));
  }
  const double most = bytes.empty() ? 1 : std::max(1.0, *std::ranges::max_element(bytes));
  const double idle = result.idle.traffic.bytes_per_second;
  // A burst many times what is usual would flatten everything else.
  const bool logarithmic = idle > 0 && most > 20 * idle;
  const Scale y =
      logarithmic ? Scale(power_below(idle / 2), power_above(most), top + kPlotHeight, top, true)
                  : Scale(0, most * 1.05, top + kPlotHeight, top, false);
  draw_frame(
      picture, top, "Bytes that a peer sends per second, mean of a cycle",
      fmt::format("idle {}", number_text(std::round(idle))), x, y,
      [](double at) { return fmt::format("{:g} s", at); }, number_text);
  std::string data;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    data += fmt::format("{}{:.1f} {:.1f}", data.empty() ? "M" : "L",
                        x.at(in_seconds(result.samples[i].at)), y.at(std::max(bytes[i], y.low())));
  }
  picture.path(data, "line");
  draw_fault(picture, top, x, result);
}

}  // namespace

std::string simulation_svg(const SimulationPlan& plan, const SimulationResult& result) {
  constexpr double kHeight = kFirstTop + 2 * kPlotStep + kPlotHeight + 52;
  Picture picture;
  picture.text(24, 36, "text head", "start", "turnout simulate");
  picture.text(24, 58, "dim", "start", describe(plan));
  const double end = result.samples.empty() ? 1 : in_seconds(result.samples.back().at);
  const Scale time(0, end, kPlotLeft, kPlotRight, false);
  double top = kFirstTop;
  draw_ownerless(picture, top, plan, result);
  draw_spread(picture, top += kPlotStep, time, result);
  draw_traffic(picture, top += kPlotStep, time, result);
  if (result.recovery) {
    picture.text(time.at(in_seconds(result.recovery->at)), top + kPlotHeight + 40, "mark", "middle",
                 describe_misfortune(plan));
  }
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:g} {1:g}\" "
             "width=\"{0:g}\" "
             "height=\"{1:g}\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n"
             "<title>{2}</title>\n",
             kPageWidth, kHeight, describe(plan)) +
         kStyle +
         fmt::format("<rect class=\"ground\" width=\"{:g}\" height=\"{:g}\"/>\n", kPageWidth,
                     kHeight) +
         picture.content() + "</svg>\n";
}

}  // namespace turnout::cli
