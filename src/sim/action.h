#pragma once

// Something to be done later, once: as std::move_only_function of C++23 is. It has room for what
// the simulation's events carry, so that most are stored without an allocation.

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace turnout::sim {

class Action {
 public:
  Action() = default;
  template <class F>
    requires(!std::is_same_v<std::decay_t<F>, Action>)
  Action(F&& function) {  // NOLINT: what can be called is an action
    using Function = std::decay_t<F>;
    if constexpr (fits<Function>()) {
      ::new (static_cast<void*>(room_)) Function(std::forward<F>(function));
      kind_ = &kStoredHere<Function>;
    } else {
      ::new (static_cast<void*>(room_)) Function*(new Function(std::forward<F>(function)));
      kind_ = &kStoredElsewhere<Function>;
    }
  }
  Action(Action&& other) noexcept { take(other); }
  Action& operator=(Action&& other) noexcept {
    if (this != &other) {
      drop();
      take(other);
    }
    return *this;
  }
  Action(const Action&) = delete;
  Action& operator=(const Action&) = delete;
  ~Action() { drop(); }

  // Not if it is empty.
  void operator()() { kind_->call(room_); }

 private:
  static constexpr std::size_t kRoom = 112;  // bytes

  struct Kind {
    void (*call)(std::byte* room);
    void (*move)(std::byte* from, std::byte* to);  // leaves nothing to be destroyed
    void (*destroy)(std::byte* room);
  };

  template <class Function>
  static constexpr bool fits() {
    return sizeof(Function) <= kRoom && alignof(Function) <= alignof(std::max_align_t) &&
           std::is_nothrow_move_constructible_v<Function>;
  }
  template <class Function>
  static Function& at(std::byte* room) {
    return *std::launder(reinterpret_cast<Function*>(room));
  }

  template <class Function>
  static constexpr Kind kStoredHere = {[](std::byte* room) { at<Function>(room)(); },
                                       [](std::byte* from, std::byte* to) {
                                         ::new (static_cast<void*>(to))
                                             Function(std::move(at<Function>(from)));
                                         at<Function>(from).~Function();
                                       },
                                       [](std::byte* room) { at<Function>(room).~Function(); }};
  template <class Function>
  static constexpr Kind kStoredElsewhere = {[](std::byte* room) { (*at<Function*>(room))(); },
                                            [](std::byte* from, std::byte* to) {
                                              ::new (static_cast<void*>(to))
                                                  Function*(at<Function*>(from));
                                            },
                                            [](std::byte* room) { delete at<Function*>(room); }};

  void take(Action& other) {
    kind_ = std::exchange(other.kind_, nullptr);
    if (kind_ != nullptr) {
      kind_->move(other.room_, room_);
    }
  }
  void drop() {
    if (const Kind* const kind = std::exchange(kind_, nullptr)) {
      kind->destroy(room_);
    }
  }

  const Kind* kind_ = nullptr;
  alignas(std::max_align_t) std::byte room_[kRoom];
};

}  // namespace turnout::sim
