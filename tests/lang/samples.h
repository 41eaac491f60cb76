#pragma once

// What the tests of this room share: a catalogue and files.

#include <filesystem>
#include <string>

#include "track/catalogue.h"

namespace turnout::lang {

// Fields of all types, templates, webhooks, databases and tracks, as the sample tracks name them.
track::Catalogue sample_catalogue();

std::string read_file(const std::filesystem::path& path);

}  // namespace turnout::lang
