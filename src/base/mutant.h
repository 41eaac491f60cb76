#pragma once

// Faults planted on purpose, to show that the tests find each (`make mutants`, tests/mutants). Only
// a build with TURNOUT_MUTANTS has them, one at a time, by the environment variable TURNOUT_MUTANT;
// in every other build planted() is false while compiling, and nothing of them is in the program.

namespace turnout::base {

// Each by the name that it has in the environment variable, too.
#define TURNOUT_MUTANT_NAMES(X)                                                            \
  /* who is there, who owns what (group) */                                                \
  X(OwnerByNameOnly)       /* an owner's incarnation is not compared */                    \
  X(SequenceNotChecked)    /* an advertisement that was overtaken counts */                \
  X(CounterLoweredTwice)   /* a claim's counter goes down by two a cycle */                \
  X(ArbitrationAsymmetric) /* a claimant counts its tracks now, not as of its claim */     \
  X(StampIgnored)          /* silence alone makes a peer unavailable */                    \
  X(StampReadingTooOld)    /* a row is taken long after its owner's stamp was read */      \
  X(GoneWithoutLifeLock)   /* the end of a connection is taken for the end of a process */ \
  X(ProofNotAwaited)       /* a peer in doubt writes again before a stamp has succeeded */ \
  X(LateTimerTrusted)      /* a peer that was not run for a while trusts its picture */    \
  X(OlderFenceLearned)     /* what is heard last about the ledger counts as newest */      \
  X(UnfitGoesOn)           /* a peer whose database fails goes on owning */                \
  X(ElectionOutOfOrder)    /* every peer tries to become master at once */                 \
  X(CededWhileBusy)        /* a track is ceded while blocks of it are out */               \
  X(SpreadForEver)         /* tracks are spread though the numbers are even */             \
  /* blocks and slots (group) */                                                           \
  X(CreditOfEarlierSession) /* a credit counts for a numbering that is over */             \
  X(SilentPeerServed)       /* blocks go to a peer not heard for a cycle */                \
  X(OtherLifesReport)       /* a report to an earlier life of the owner counts */          \
  X(SlotNotReturned)        /* a finished block keeps its slot */                          \
  X(SerialTakenTwice)       /* a block message that comes twice is done twice */           \
  X(ReturnedBlockDropped)   /* a block given back is not handed out again */               \
  X(PaceNotForgotten)       /* what blocks took long ago says when they are late */        \
  X(LostPeersBlocksKept)    /* blocks of a peer that is gone are waited for */             \
  /* the database (store) */                                                               \
  X(FenceNotCompared)      /* a commit does not look at the ledger */                      \
  X(MoveNumberNotCompared) /* a commit takes a contact that has moved */                   \
  X(DueTimeNotCompared)    /* a commit overlooks that a contact was woken */               \
  X(TimerLeftBehind)       /* a position's old timer stays */                              \
  X(HeardNotCompared)      /* of two blocks that heard different events both count */      \
  X(EventRecordedAgain)    /* an event that is sent again is another */                    \
  X(PlaceNotTold)          /* a move is not told to tracks that ask for it */              \
  X(HeldWaitsAgain)        /* what was in hand before a fail-over is tried again */        \
  X(ActionsOfUnmoved)      /* outbox rows for contacts that did not move */                \
  X(WriterLockNotHeld)     /* two processes write at once */                               \
  X(LifeLockAlwaysFree)    /* every peer's process seems to be over */                     \
  X(TakeNotCompared)       /* a row of the ledger is taken whatever its epoch */           \
  X(FeedGoesAhead)         /* the feed passes numbers that a crash gives out again */      \
  X(StampValueAgain)       /* a stamp may have a value again after a crash */              \
  /* owners (work) */                                                                      \
  X(LooksNotNoted)     /* the next owner does not learn what was still to be looked at */  \
  X(EventOvertakes)    /* what comes is taken before what a lost feed told of */           \
  X(FeedPassesFailure) /* the feed goes on though a statement has failed */                \
  X(RefreshGivenUp)    /* a book that could not be brought up to date stays old */         \
  X(DueNotWoken)       /* a change passes by a contact that is due or in a block */

enum class Mutant {
  kNone,
#define TURNOUT_MUTANT_ENUMERATOR(name) k##name,
  TURNOUT_MUTANT_NAMES(TURNOUT_MUTANT_ENUMERATOR)
#undef TURNOUT_MUTANT_ENUMERATOR
};

#ifdef TURNOUT_MUTANTS
// Whether this fault is the one planted in this process. Thread-safe.
bool planted(Mutant mutant);
#else
constexpr bool planted(Mutant) { return false; }
#endif

}  // namespace turnout::base
