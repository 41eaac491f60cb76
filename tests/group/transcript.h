#pragma once

// Plays a scenario written as text against a World in which nothing is random, and writes down what
// the peers do. A file holds stanzas: lines of commands, a line "----", the lines expected, and an
// empty line. Lines from '#' on are comments.
//
//   group peers=a,b,c [cycle=1s] [tracks=N] [contacts=N] [slots=2/1]    a new world; first of all
//   start a b · kill a · pause a · resume a · leave a                   processes
//   cut a b · cut-one a b · heal                                        the network: both ways, one
//   way, whole again database a down · database a up                                     as the
//   process sees it value CONTACT N                                                     raises a
//   contact's value watch owners claims stamps blocks credit ledger                     what to
//   write down beside notices run 1500ms lets time pass peers a · ledger · tracks a tables

#include <string>

namespace turnout::group {

// The outputs of each stanza of `text`, in the same format. Throws std::runtime_error on a command
// that is not known.
std::string play_transcript(const std::string& text);

}  // namespace turnout::group
