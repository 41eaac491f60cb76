#pragma once

namespace turnout::base {

// Several lambdas as one function object, for std::visit: `std::visit(Overloaded{…, …}, variant)`.
template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};

}  // namespace turnout::base
