#pragma once

// A child process of a test: its output is read line by line, and it ends with the test.

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

namespace turnout::testing {

class Child {
 public:
  explicit Child(std::vector<std::string> arguments) {
    int pipes[2] = {-1, -1};
    if (pipe2(pipes, O_CLOEXEC) != 0) {
      return;
    }
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(pipes[1], STDOUT_FILENO);
      std::vector<char*> argv;
      for (std::string& argument : arguments) {
        argv.push_back(argument.data());
      }
      argv.push_back(nullptr);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(pipes[1]);
    out_ = fdopen(pipes[0], "r");
  }
  ~Child() {
    stop(SIGKILL);
    if (out_ != nullptr) {
      std::fclose(out_);
    }
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Waits for the next line; "" at the end of the output.
  std::string line() {
    std::string text;
    int c = 0;
    while (out_ != nullptr && (c = std::fgetc(out_)) != EOF && c != '\n') {
      text.push_back(static_cast<char>(c));
    }
    return text;
  }
  // All that is left of the output.
  std::string rest() {
    std::string text;
    int c = 0;
    while (out_ != nullptr && (c = std::fgetc(out_)) != EOF) {
      text.push_back(static_cast<char>(c));
    }
    return text;
  }
  // The exit status, or 128 + signal.
  int wait() {
    int status = 0;
    if (pid_ > 0) {
      waitpid(pid_, &status, 0);
      pid_ = -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void stop(int signal) {
    if (pid_ > 0) {
      kill(pid_, signal);
      wait();
    }
  }

 private:
  pid_t pid_ = -1;
  std::FILE* out_ = nullptr;
};

}  // namespace turnout::testing
