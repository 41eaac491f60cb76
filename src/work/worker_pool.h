#pragma once

// The threads that carry out blocks, each with its own connection to the database.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "work/block_runner.h"

namespace turnout::work {

// Thread-safe. Blocks are begun in the order submitted.
class WorkerPool {
 public:
  // Called on a worker's thread when its block is done.
  using Done = std::function<void(BlockDone)>;

  // One thread per runner.
  explicit WorkerPool(std::vector<std::unique_ptr<BlockRunner>> runners);
  // Finishes the blocks begun, drops those not begun (their Done is not called).
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void submit(BlockTask task, Done done);

 private:
  struct Job {
    BlockTask task;
    Done done;
  };
  void loop(BlockRunner& runner);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Job> jobs_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<BlockRunner>> runners_;
  std::vector<std::thread> threads_;
};

}  // namespace turnout::work
