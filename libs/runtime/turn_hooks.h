// SPDX-License-Identifier: Apache-2.0
// The hooks of one turn of a loop, in the order of their phase. Hooks are few and each is in it at
// most once. For implementations of Loop.
#pragma once

#include <array>
#include <utility>
#include <vector>

#include "runtime/loop.h"

namespace gantry::runtime {

class TurnHooks {
 public:
  // False: it is in already.
  bool add(TurnHook& hook) {
    if (hook.scheduled_) return false;
    hook.scheduled_ = true;
    lists_[static_cast<std::size_t>(hook.phase_)].entries.push_back(&hook);
    return true;
  }

  void remove(TurnHook& hook) {
    if (!hook.scheduled_) return;
    hook.scheduled_ = false;
    for (List& list : lists_) {
      for (TurnHook*& entry : list.entries) {
        if (entry == &hook) entry = nullptr;
      }
    }
  }

  // Runs every hook, also those that are added meanwhile.
  void run() {
    while (TurnHook* hook = take()) {
      hook->scheduled_ = false;
      hook->on_turn_end();
    }
  }

 private:
  // The next hook in order of phase, or null when none is left.
  TurnHook* take() {
    for (List& list : lists_) {
      while (list.next < list.entries.size()) {
        if (TurnHook* hook = std::exchange(list.entries[list.next++], nullptr)) return hook;
      }
      list.entries.clear();
      list.next = 0;
    }
    return nullptr;
  }

  struct List {
    std::vector<TurnHook*> entries;
    std::size_t next = 0;
  };
  std::array<List, 3> lists_;
};

}  // namespace gantry::runtime
