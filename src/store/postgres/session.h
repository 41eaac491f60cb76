#pragma once

// A Session on PostgreSQL: the paths that run with every block, in PostgreSQL's own way; the rest
// is sql::SqlSession.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "store/postgres/connection.h"
#include "store/sql/session.h"

namespace turnout::store::postgres {

class PgSession final : public sql::SqlSession {
 public:
  explicit PgSession(std::unique_ptr<PgConnection> connection);

  // gather() and gather_these() bind nine parameters of their own.
  ConditionStyle condition_style() const override { return {true, kFirstConditionParameter}; }

  base::Result<ImportResult> import_contacts(const ContactBatch& batch) override;
  base::Result<std::vector<DueItem>> due(base::TrackId track, const DueCursor& from,
                                         base::Instant until, int limit) override;
  base::Result<base::Instant> next_due(base::TrackId track) override;
  base::Result<GatherResult> gather(const Fence& fence, const Entrance& entrance,
                                    const std::string& where,
                                    const std::vector<track::Value>& values, base::ContactId after,
                                    int chunk) override;
  base::Result<GatherResult> gather_these(const Fence& fence, const Entrance& entrance,
                                          const std::string& where,
                                          const std::vector<track::Value>& values,
                                          const std::vector<base::ContactId>& contacts) override;
  base::Result<track::ContactBlock> load_contacts(base::ContactId after, int limit,
                                                  const Reads& reads) override;
  base::Result<track::ContactBlock> load_these(const std::vector<base::ContactId>& contacts,
                                               const Reads& reads) override;
  base::Result<FeedBatch> changes(const FeedCursor& from, int limit) override;
  base::Result<std::vector<PositionRow>> positions(
      base::TrackId track, const std::vector<base::ContactId>& contacts) override;
  base::Result<std::int64_t> wake(const Fence& fence, const std::vector<Wake>& wakes) override;
  base::Result<void> load(base::TrackId track, const std::vector<BlockItem>& items,
                          const Reads& reads, track::ContactBlock& out) override;
  base::Result<CommitResult> commit(const Commit& commit) override;

  // For tests: the connection, to break it or to look at it.
  PgConnection& postgres() { return connection_; }

 private:
  static constexpr int kFirstConditionParameter = 10;

  // Both give the rows that are left: unknown keys, and keys inserted by somebody else meanwhile.
  base::Result<std::vector<std::size_t>> update_known(const ContactBatch& batch,
                                                      const std::vector<std::size_t>& rows,
                                                      ImportResult& result);
  base::Result<std::vector<std::size_t>> insert_fresh(const ContactBatch& batch,
                                                      const std::vector<std::size_t>& rows,
                                                      ImportResult& result);
  base::Result<CommitResult> commit_rows(const Commit& commit, std::span<const std::uint32_t> rows);
  base::Result<void> recognise(const Commit& commit, std::span<const std::uint32_t> rows,
                               CommitResult& result);
  // Runs a statement that may be repeated as a whole: a deadlock's victim again at once, a broken
  // connection on a new one.
  base::Result<Answer> run_again(const std::string& text, const Params& params,
                                 bool* repeated = nullptr);

  PgConnection& connection_;
};

}  // namespace turnout::store::postgres
