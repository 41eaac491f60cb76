#include "cli/commands.h"

int main(int argc, char** argv) { return turnout::cli::run_program(argc, argv); }
