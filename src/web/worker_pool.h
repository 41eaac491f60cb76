#pragma once

// The threads that answer requests which ask the database.

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "store/store.h"
#include "web/http.h"

namespace turnout::web {

// Thread-safe. Each thread opens a session of its own when it first needs one and keeps it.
class WorkerPool {
 public:
  using Work = std::function<Response(store::Session& session)>;
  using Done = std::function<void(Response response)>;

  // `store` outlives the pool.
  WorkerPool(store::Store& store, int threads, std::size_t max_waiting);
  ~WorkerPool();  // finishes work begun; what waits is answered 503
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // False when too much waits. `done` is called once, in one of the pool's threads.
  bool submit(Work work, Done done);
  void stop();

 private:
  struct Job {
    Work work;
    Done done;
  };
  void run();

  store::Store& store_;
  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace turnout::web
