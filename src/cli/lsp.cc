// `turnout lsp`: the streams of a language server.

#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "cli/commands.h"
#include "cli/exit_codes.h"
#include "cli/lsp_session.h"
#include "cli/screen.h"

namespace turnout::cli {
namespace {

bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(descriptor, text.data(), text.size());
    if (wrote < 0 && errno == EINTR) {
      continue;
    }
    if (wrote < 0) {
      return false;
    }
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return true;
}

bool send_messages(const std::vector<std::string>& messages) {
  std::string all;
  for (const std::string& message : messages) {
    all += framed(message);
  }
  return write_all(STDOUT_FILENO, all);
}

bool input_waits() {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  return poll(&input, 1, 0) > 0;
}

// What came, perhaps nothing; false at the end of the input.
bool read_some(EditorFrames& frames) {
  char chunk[64 * 1024];
  ssize_t got = 0;
  do {
    got = read(STDIN_FILENO, chunk, sizeof chunk);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) {
    return false;
  }
  frames.push({chunk, static_cast<std::size_t>(got)});
  return true;
}

}  // namespace

int serve_editor(const EditorOptions& options) {
  LanguageSession session(options.known, options.version);
  EditorFrames frames;
  for (;;) {
    while (const auto frame = frames.next()) {
      if (!send_messages(session.take(*frame))) {
        return fail(kExitWrong, "the editor does not read any more");
      }
      if (const auto code = session.ended()) {
        return *code;
      }
    }
    if (!input_waits() && !send_messages(session.settle())) {
      return fail(kExitWrong, "the editor does not read any more");
    }
    if (!read_some(frames)) {
      return session.shut_down() ? kExitDone : kExitWrong;
    }
  }
}

}  // namespace turnout::cli
