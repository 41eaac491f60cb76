// `turnout graph`: a track as a picture.

#include "graph/graph.h"

#include <cstdio>

#include <fmt/format.h>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/files.h"
#include "cli/screen.h"
#include "graph/layout.h"
#include "graph/svg.h"
#include "lang/parser.h"

namespace turnout::cli {

int draw_graph(const GraphOptions& options) {
  const auto text = read_whole_file(options.file);
  if (!text) {
    return fail(kExitWrong, text.error().message);
  }
  const lang::Parsed parsed = lang::parse(text.value());
  for (const lang::Diagnostic& diagnostic : parsed.diagnostics) {
    fmt::print(stderr, "{}",
               lang::render(diagnostic, options.file, text.value(), colour_on_errors()));
  }
  if (!parsed.ok()) {
    return kExitWrong;
  }
  const graph::Graph graph = graph::make_graph(parsed.track);
  if (!graph::can_lay_out(graph)) {
    return fail(
        kExitWrong,
        fmt::format(
            "{}: too large for a picture, with {} nodes and {} edges; {} and {} can be drawn",
            options.file, graph.nodes.size(), graph.edges.size(), graph::kMaxNodes,
            graph::kMaxEdges));
  }
  const std::string svg = graph::to_svg(graph, graph::lay_out(graph));
  if (options.svg == "-") {
    fmt::print("{}", svg);
  } else if (const auto written = replace_file(options.svg, svg); !written) {
    return fail(kExitWrong, written.error().message);
  }
  return kExitDone;
}

}  // namespace turnout::cli
