#include "work/worker_pool.h"

namespace turnout::work {

WorkerPool::WorkerPool(std::vector<std::unique_ptr<BlockRunner>> runners)
    : runners_(std::move(runners)) {
  threads_.reserve(runners_.size());
  for (const auto& runner : runners_) {
    threads_.emplace_back([this, &one = *runner] { loop(one); });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) {
    thread.join();
  }
}

void WorkerPool::submit(BlockTask task, Done done) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back({std::move(task), std::move(done)});
  }
  wake_.notify_one();
}

void WorkerPool::loop(BlockRunner& runner) {
  while (true) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) {
        return;
      }
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job.done(runner.run(job.task));
  }
}

}  // namespace turnout::work
