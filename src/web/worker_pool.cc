#include "web/worker_pool.h"

#include <utility>

#include "base/check.h"
#include "web/api.h"

namespace turnout::web {

WorkerPool::WorkerPool(store::Store& store, int threads, std::size_t max_waiting)
    : store_(store), max_waiting_(max_waiting) {
  CHECK(threads >= 1 && threads <= 16);
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

WorkerPool::~WorkerPool() { stop(); }

bool WorkerPool::submit(Work work, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || waiting_.size() >= max_waiting_) {
      return false;
    }
    waiting_.push_back({std::move(work), std::move(done)});
  }
  changed_.notify_one();
  return true;
}

void WorkerPool::stop() {
  std::deque<Job> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(waiting_);
  }
  changed_.notify_all();
  for (const Job& job : dropped) {
    job.done(error_response(503, "this peer is stopping", "", "ask another peer"));
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) {
      thread.join();
    }
  }
}

void WorkerPool::run() {
  std::unique_ptr<store::Session> session;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) {
      return;
    }
    const Job job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    if (session == nullptr) {
      auto opened = store_.open_session();
      if (opened) {
        session = std::move(opened.value());
      } else {
        job.done(error_response(opened.error()));
      }
    }
    if (session != nullptr) {
      job.done(job.work(*session));
    }
    lock.lock();
  }
}

}  // namespace turnout::web
