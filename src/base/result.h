#pragma once

// Result<T> carries either a value or an Error: what the world breaks (a database that is gone, a
// file that is not there). What a bug breaks is CHECKed; what a user wrote wrong in a track is a
// lang::Diagnostic.

#include <boost/outcome/basic_result.hpp>
#include <boost/outcome/policy/terminate.hpp>
#include <boost/outcome/try.hpp>
#include <string>
#include <utility>

namespace turnout::base {

// What kind of failure it is, as far as a caller acts on it differently.
enum class ErrorCode {
  kInvalid,      // the input is wrong; the message says where and what to do
  kNotFound,     // what was named does not exist
  kConflict,     // somebody else was first: fenced, taken, already there
  kUnavailable,  // server, database or network cannot be reached now; trying again may help
  kExhausted,    // a limit was reached
  kInternal,     // a library failed in a way that we do not know
};

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one sentence for a person: where, what, remedy
};

template <class T>
using Result =
    BOOST_OUTCOME_V2_NAMESPACE::basic_result<T, Error,
                                             BOOST_OUTCOME_V2_NAMESPACE::policy::terminate>;

// `return fail(ErrorCode::kInvalid, "…")` from a function that returns a Result.
inline auto fail(ErrorCode code, std::string message) {
  return BOOST_OUTCOME_V2_NAMESPACE::failure(Error{code, std::move(message)});
}

inline auto ok() { return BOOST_OUTCOME_V2_NAMESPACE::success(); }

}  // namespace turnout::base

// TRY(auto x, f()) unwraps or returns the error; TRYV(f()) does so for Result<void>.
#define TRY(...) BOOST_OUTCOME_TRY(__VA_ARGS__)
#define TRYV(...) BOOST_OUTCOME_TRYV(__VA_ARGS__)
