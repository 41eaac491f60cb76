#pragma once

namespace turnout::cli {

// What the program's exit status says. Stable.
inline constexpr int kExitDone = 0;
inline constexpr int kExitWrong = 1;        // the input is wrong; standard error says where
inline constexpr int kExitUsage = 2;        // the command line is wrong
inline constexpr int kExitUnreachable = 3;  // the server or the database could not be reached

}  // namespace turnout::cli
