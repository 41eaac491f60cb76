// What a process does with the blocks that it takes: it reads, decides, commits, reports.

#include <algorithm>
#include <utility>

#include "sim/host_ask.h"
#include "work/block_runner.h"
#include "work/requests.h"

namespace turnout::sim {

namespace {

group::Item to_group(const store::BlockItem& item) {
  return {item.contact, item.entry, item.move_no};
}

}  // namespace

void Host::begin(const group::Job& job) {
  const Duration lasts =
      world_.config().block_time / 2 + Duration(world_.random().below(std::max<std::int64_t>(
                                           1, world_.config().block_time.count())));
  auto work = std::make_shared<Work>();
  ask_for_work(
      [this, work, block = job.block, version = version_of(job.block->track)] {
        if (version != block->version) {
          work->book = read_book(*session_);
        }
        session_
            ->load(block->track, work::to_store(block->items),
                   {world_.database().program().fields()}, work->before)
            .value();
      },
      [this, work, job, lasts, number = ++book_asked_](bool answered) {
        if (!answered) {
          give_back(job, group::BlockOutcome::kFailed);
          return;
        }
        if (work->book) {
          take_book(*work->book, number);
        }
        if (version_of(job.block->track) != job.block->version) {
          give_back(job, group::BlockOutcome::kFailed);
          return;
        }
        world_.database().program().run(job.block->track, work->before, work->after);
        world_.after(lasts, [this, work, job, life = life_] {
          if (alive() && life == life_) {
            input([this, work, job] { commit(job, work); });
          }
        });
      });
}

void Host::commit(const group::Job& job, const std::shared_ptr<Work>& work) {
  if (!member_->may_write()) {
    give_back(job, group::BlockOutcome::kReturned);
    return;
  }
  auto result = std::make_shared<store::CommitResult>();
  ask_for_work(
      [this, result, work, block = job.block, self = self_] {
        store::Commit commit;
        commit.fence = {block->track, block->timeline, block->epoch};
        commit.version = block->version;
        commit.peer = self;
        commit.fields = &world_.database().program().fields();
        commit.before = &work->before;
        commit.after = &work->after;
        *result = must(session_->commit(commit));
      },
      [this, result, work, job, began = clock()](bool answered) {
        if (!answered) {
          give_back(job, group::BlockOutcome::kFailed);
        } else if (result->fenced) {
          refuse(job);
        } else {
          report(job, *work, *result, began);
        }
      });
}

void Host::report(const group::Job& job, const Work& work, const store::CommitResult& result,
                  Tick began) {
  group::BlockReport report;
  report.elapsed = clock() - began + world_.config().block_time;
  report.moved = result.positions;
  report.moves = result.moves;
  report.actions = result.actions;
  for (const store::BlockItem& item :
       work::left_out(work::to_store(job.block->items), work.before)) {
    report.not_where_said.push_back(to_group(item));
  }
  for (const std::uint32_t row : result.stale) {
    report.not_where_said.push_back(
        {work.before.contact[row], work.before.entry[row], work.before.move_no[row]});
  }
  const bool due_now = std::any_of(work.after.due_at.begin(), work.after.due_at.end(),
                                   [&work](Instant due) { return due <= work.before.now; });
  report.more_due = due_now || !report.not_where_said.empty();
  worker_->finished(job.number, std::move(report), clock());
}

void Host::give_back(const group::Job& job, group::BlockOutcome outcome) {
  group::BlockReport report;
  report.outcome = outcome;
  worker_->finished(job.number, std::move(report), clock());
}

void Host::refuse(const group::Job& job) {
  learn_row(job.block->track, [this, job](const std::optional<LedgerRow>& row) {
    if (row) {
      worker_->refused(job.number, row->owner, row->incarnation, row->fence.timeline,
                       row->fence.epoch, clock());
    } else {
      give_back(job, group::BlockOutcome::kFailed);
    }
  });
}

}  // namespace turnout::sim
