#pragma once

// What may be typed: the commands and their options.

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace turnout::cli {

// What the options of all commands are read into.
struct Line {
  ImportOptions import;
  std::vector<std::string> import_types;
  std::vector<std::string> import_renames;
  std::string delimiter;
  std::string key;
  std::string email;
  CheckOptions check;
  TestOptions test;
  TryOptions dry;
  std::string against;
  ExplainOptions explain;
  std::string junit;
  KnownFrom known;
  std::vector<std::string> known_fields;
  std::string known_server;
  FormatOptions format;
  ConvertOptions convert;
  GraphOptions graph;
  std::string key_file;
  ApplyOptions apply;
  std::vector<std::string> apply_map;
  PullOptions pull;
  AskOptions ask;
  EventOptions event;
  OutboxOptions outbox;
  std::string state;
  std::string name;  // of a track or contact
  std::string config;
  std::string demo_database = "sqlite";
  SimulateOptions simulate;
  RenderCommand render;
};

// Declares all commands; what is typed goes into `line`, which must outlive `app`.
void declare_commands(CLI::App& app, Line& line);

}  // namespace turnout::cli
