/* Claims, challenges, the ledger's compare-and-set, the fence and pauses of a peer group, for Spin.
 *
 * The rules of docs/group.md ("Claiming a track") and src/group, as small as they go, so that Spin can visit every
 * order of events. README.md says what is covered and what is not; run.sh runs it. The rules, by which the
 * comments below refer to them:
 *   [1] a track is free when its row has no living owner              Standing, refresh_free   ownership.cc
 *   [2] a claim is advertised with a counter that each periodic
 *       advertisement lowers                                          begin_claim, lower_claims   claims.cc
 *   [3] of two claims the one with fewer tracks owned when it began
 *       wins, then the lower name; the loser withdraws, the winner
 *       goes on with the lower counter                                arbitrate, worth_claiming   claims.cc
 *   [4] at zero: compare-and-set on the epoch; refused: the row is
 *       known, and the claim begins again with counter 1              take_ripe, granted_track   claims.cc
 *   [5] a higher epoch heard ends ownership                           learn, disown   ownership.cc
 *   [6] the master assigns what stays free                            not in the model
 *   [7] of an owner that is gone the first in line takes at once      pursue   claims.cc
 *   and: unavailable is who is silent and whose stamp stood still     judged, stamp_seen   peer_table.cc
 *
 * Time: there is none. Any step may come late or never, so a peer that is slow, one whose messages are
 * lost and one that is paused are all here, whatever the cycle. What the code measures in cycles is
 * replaced by what it must rest on: suspicion may come at any moment, and a take-over needs two readings
 * of the owner's stamp between which it did not move. Only LIVE (below) knows rounds.
 *
 * Epochs: the protocol compares them for order and equality, so only differences are kept: when every
 * peer knows more than the oldest epoch of the window, the window moves up (slide). A peer may lag WINDOW
 * take-overs behind; the number of take-overs in a run has no bound.
 *
 * Parts, chosen with -D:
 *   PEERS, TRACKS     2 to 3, 1 to 2. Peer 0 has the lowest name.
 *   K                 the claim counter (2)
 *   WINDOW            how many take-overs of a track a peer may lag behind (2)
 *   CLAIMS=0          claims are left out: a peer may decide to take whatever it holds for free. That is
 *                     more than any countdown allows, so what holds here holds with every countdown.
 *   LEDGER=0          the ledger is left out: one track, always free, whose claims end at any moment and
 *                     whose counts are arbitrary. That is more than any ledger and any number of other
 *                     tracks can bring about, so an arbitration that holds here holds with them.
 *   PAUSES=0          no peer is paused by name. One that makes no step for a while, which any may, does what
 *                     a paused one does, so this loses nothing but the sight of it.
 *   COUNTERS=1        an advertisement carries the counters, and the winner goes on with the lower one. Otherwise
 *                     it carries the claims; a claim's counter may fall at any moment, so this loses nothing.
 *   WRITES=0          a write on its way has no state: one of anybody who ever took the track may arrive at any
 *                     moment. That is more than owners do.
 *   VERDICT=1         watches one challenge (see "The watched challenge")
 *   FAULTS, GONE_SEEN of the LIVE runs, see there
 *   LIVE              peers run in rounds as Member::tick does, for the liveness property
 *   MUTANT_x          a fault planted on purpose, which a property must find
 *   WITNESS_x         claims that something interesting never happens, which Spin must refute
 */

#ifndef PEERS
#define PEERS 3
#endif
#ifndef TRACKS
#define TRACKS 2
#endif
#ifndef K
#define K 2
#endif
#ifndef WINDOW
#define WINDOW 2
#endif
#ifndef CLAIMS
#define CLAIMS 1
#endif
#ifndef LEDGER
#define LEDGER 1
#endif
#ifndef VERDICT
#define VERDICT 0
#endif
#ifndef COUNTERS
#define COUNTERS 0
#endif
#ifndef WRITES
#define WRITES 1
#endif
#ifndef PAUSES
#define PAUSES 1
#endif
#ifndef FAULTS
#define FAULTS 1 /* pauses and deaths in a LIVE run; elsewhere they have no bound */
#endif

#define PT(p, t) ((p) * TRACKS + (t))
#define PQ(p, q) ((p) * PEERS + (q))
#define PQT(p, q, t) (((p) * PEERS + (q)) * TRACKS + (t))

/* --- the ledger (src/group/ledger.h; docs/group.md, first paragraph) ---------------------------------- */

#define EPOCHS (WINDOW + 1)
#define OWNER(t, e) owner_of[(t) * EPOCHS + (e)]

byte epoch[TRACKS];             /* of each row, within the window */
byte owner_of[TRACKS * EPOCHS]; /* who took which epoch: 0 nobody, else peer + 1. The row's owner is
                                   OWNER(t, epoch[t]); older entries are what lagging peers believe. */

/* --- a peer (src/group/member_impl.h) ----------------------------------------------------------------- */

#define MEMBER 0
#define PAUSED 1 /* SIGSTOP: makes no step, but what it has asked of the database may still happen */
#define DEAD 2
byte life[PEERS];
#if defined(LIVE)
bit doubt[PEERS]; /* stopped_ (fitness.cc): writes and takes nothing before a stamp and a reading of the ledger.
                     Elsewhere nobody doubts itself: that lets a peer do more, and safety must hold all the same. */
#define DOUBTS(p) doubt[p]
#else
#define DOUBTS(p) false
#endif

byte known[PEERS * TRACKS]; /* Track::row (ownership.cc): the newest epoch that it knows of */
#define BELIEVED(p, t) OWNER(t, known[PT(p, t)])
#define OWNS(p, t) (BELIEVED(p, t) == (p) + 1)

/* How p judges q (PeerState, peer_table.cc; docs/group.md, "unavailable"). That q is gone needs no state: a peer
 * that is dead may be found so at any moment. Only the owners that p believes in are judged: others' state is
 * looked at by nothing, and they may be judged as well after p hears that they own something. */
#define LIVING 0
#define SUSPECT 1 /* silent, and its stamp has moved since it was read */
#define STILL 2   /* silent, its stamp read once, and not moved since: a second reading finds it unavailable */
byte state[PEERS * PEERS];
bit quiet[PEERS * PEERS]; /* only for G12: q has not stamped since p first read its stamp in this silence */

/* A claim (claims.cc): 0 none, else its counter + 1; and the count of owned tracks when it began. */
#if CLAIMS
byte claim[PEERS * TRACKS];
byte count[PEERS * TRACKS];
#define CLAIMS_ON(p, t) (claim[PT(p, t)] != 0)
#else
#define CLAIMS_ON(p, t) false
#endif

/* A compare-and-set under way (Take, ledger.h), with the epoch it expects. */
#define IDLE 0
#define ASKED 1 /* may happen at any moment, whatever becomes of the peer */
byte taking[PEERS * TRACKS];
byte expected[PEERS * TRACKS];

/* The advertisement in flight from p to q (message.h). One not yet sent is replaced by the next, and every
 * change of a claim is advertised at once, so what is sent next is what is so then: it needs no state.
 * Sending over one in flight is the loss of that one; never delivering it, too. Late and reordered ones are
 * dropped by sequence (receive_advertisement), so order within a pair needs no state either. */
#if CLAIMS
bit flying[PEERS * PEERS];
byte said[PEERS * PEERS * TRACKS];       /* its claims, as `claim`; without COUNTERS whether there is one */
byte said_count[PEERS * PEERS * TRACKS]; /* and `count` */
#endif

/* One write on its way to the database: any owner's, begun at any moment. A violation of G2 is a violation
 * by one write, and writes change nothing that the protocol looks at, so one at a time is enough. */
#if WRITES
byte writer; /* 0 none, else peer + 1; on track 0, for here tracks are alike */
byte write_epoch;
#endif

byte faults;
hidden byte i, j, k; /* scratch within a step, no part of the state */

/* --- the watched challenge -----------------------------------------------------------------------------
 * Of two peers (chosen at the start) at most one claim each on track 0 is watched (chosen when it begins);
 * the mark travels with it. `says` is the verdict that a peer came to when it heard the other's watched
 * claim while its own was open: both must have come to the same one, so one keeps and one withdraws. */
#define KEEPS 1
#define WITHDRAWS 2
#if VERDICT
byte left, right;
bit watched[PEERS]; /* its open claim on track 0 is the watched one */
bit used[PEERS];
bit said_watched[PEERS * PEERS];
byte says[PEERS];
#define UNWATCH(p, t) if :: t == 0 -> watched[p] = 0 :: else fi
#else
#define UNWATCH(p, t) skip
#endif

#if defined(LIVE)
byte foreign[PEERS * PEERS * TRACKS]; /* foreign_claims_: q's claim as p last heard it: 0 none, else count + 1 */
#endif

/* --- free tracks: [1], Standing (ownership.cc) --------------------------------------------------------- */

#ifndef GONE_SEEN
#define GONE_SEEN 1
#endif
#if !GONE_SEEN
#define PROCESS_OVER(q) false
#elif defined(MUTANT_CONNECTION_ONLY) /* a connection that ended is taken for a process that ended */
#define PROCESS_OVER(q) true
#else
#define PROCESS_OVER(q) (life[q] == DEAD)
#endif
/* Of an owner that is gone: its connection ended, and its life lock could be had. */
#define VACANT(p, t) (BELIEVED(p, t) != 0 && !OWNS(p, t) && PROCESS_OVER(BELIEVED(p, t) - 1))
#if LEDGER
#define FREE(p, t) \
  (BELIEVED(p, t) == 0 || VACANT(p, t) || (!OWNS(p, t) && state[PQ(p, BELIEVED(p, t) - 1)] != LIVING))
#else
#define FREE(p, t) true
#endif

/* may_be_taken (ownership.cc): nobody's, of an owner that is gone, or of one whose stamp stands still at a
 * reading made now. The reading and the decision are one step: the code allows an eighth of a cycle. */
#if defined(MUTANT_STAMP_IGNORED)
#define MAY_BE_TAKEN(p, t) FREE(p, t)
#else
#define MAY_BE_TAKEN(p, t) \
  (BELIEVED(p, t) == 0 || VACANT(p, t) || (!OWNS(p, t) && state[PQ(p, BELIEVED(p, t) - 1)] == STILL))
#endif

#if TRACKS == 1
#define BELIEVES(p, q) (BELIEVED(p, 0) == (q) + 1)
#else
#define BELIEVES(p, q) (BELIEVED(p, 0) == (q) + 1 || BELIEVED(p, 1) == (q) + 1)
#endif
#define ACTIVE(p) (life[p] == MEMBER)
#define MAY_TAKE(p) (ACTIVE(p) && !DOUBTS(p)) /* may_take (claims.cc); a master is taken to be present */

/* owned_with_claims (claims.cc) without track t itself */
#define BUSY(p, t) (OWNS(p, t) || CLAIMS_ON(p, t) || taking[PT(p, t)] != IDLE)
#if TRACKS == 1
#define COUNT(p, t) 0
#else
#define COUNT(p, t) (BUSY(p, 1 - (t)) -> 1 : 0)
#endif

/* --- knowledge (learn, ownership.cc) ------------------------------------------------------------------- */

inline withdraw(p, t) {
#if CLAIMS
  claim[PT(p, t)] = 0;
  count[PT(p, t)] = 0;
  UNWATCH(p, t)
#else
  skip
#endif
}

/* Moves the window of track t up while everybody who still lives, and everything under way, is above its
 * oldest epoch. */
#define ABOVE(p, t) \
  ((life[p] == DEAD || known[PT(p, t)] > 0) && (taking[PT(p, t)] == IDLE || expected[PT(p, t)] > 0))
#if PEERS == 2
#define ALL_ABOVE(t) (ABOVE(0, t) && ABOVE(1, t))
#else
#define ALL_ABOVE(t) (ABOVE(0, t) && ABOVE(1, t) && ABOVE(2, t))
#endif
#if WRITES
#define NO_WRITE_AT_BOTTOM(t) (writer == 0 || t != 0 || write_epoch > 0)
#else
#define NO_WRITE_AT_BOTTOM(t) true
#endif
inline slide(t) {
  do
  :: epoch[t] > 0 && ALL_ABOVE(t) && NO_WRITE_AT_BOTTOM(t) ->
     epoch[t]--;
     for (k : 0 .. EPOCHS - 2) { OWNER(t, k) = OWNER(t, k + 1) }
     OWNER(t, EPOCHS - 1) = 0;
     for (k : 0 .. PEERS - 1) {
       if :: life[k] != DEAD -> known[PT(k, t)]-- :: else fi;
       if :: taking[PT(k, t)] != IDLE -> expected[PT(k, t)]-- :: else fi
     }
#if WRITES
     if :: writer != 0 && t == 0 -> write_epoch-- :: else fi
#endif
  :: else -> break
  od;
  k = 0 /* a d_step must not end with a loop */
}

inline know(p, t, e) { /* [5]: a higher epoch heard ends ownership and claims */
  if
  :: e > known[PT(p, t)] ->
     known[PT(p, t)] = e;
     if :: CLAIMS_ON(p, t) && !FREE(p, t) -> withdraw(p, t) :: else fi;
#if !defined(LIVE)
     for (k : 0 .. PEERS - 1) { /* forgets the judgement of who owns nothing */
       if :: !BELIEVES(p, k) -> state[PQ(p, k)] = LIVING; quiet[PQ(p, k)] = 0 :: else fi
     }
     k = 0
#endif
  :: else
  fi
}

/* --- claims: [2], [3] ---------------------------------------------------------------------------------- */

#if CLAIMS
#if COUNTERS
#define ON_AIR(c) (c)
#else
#define ON_AIR(c) ((c) != 0)
#endif

inline begin_claim(p, t, counter) {
  claim[PT(p, t)] = counter + 1;
  count[PT(p, t)] = COUNT(p, t)
}

inline advertise_to(p, q) {
  flying[PQ(p, q)] = 1;
  for (j : 0 .. TRACKS - 1) {
    said[PQT(p, q, j)] = ON_AIR(claim[PT(p, j)]);
    said_count[PQT(p, q, j)] = count[PT(p, j)]
  }
#if VERDICT
  said_watched[PQ(p, q)] = watched[p];
#endif
  j = 0
}

inline clear_flight(from, to) {
  flying[PQ(from, to)] = 0;
  for (j : 0 .. TRACKS - 1) {
    said[PQT(from, to, j)] = 0;
    said_count[PQT(from, to, j)] = 0
  }
#if VERDICT
  said_watched[PQ(from, to)] = 0;
#endif
  j = 0
}

/* arbitrate (claims.cc): q's claim beats p's by fewer tracks owned when each began, then by name. */
#if defined(MUTANT_COUNT_NOW) /* p's own count as it is now, not as it was when the claim began */
#define MINE(p, t) COUNT(p, t)
#else
#define MINE(p, t) count[PT(p, t)]
#endif
#define THEIRS(p, q, t) said_count[PQT(q, p, t)]
#if defined(MUTANT_TIE_KEPT) /* of two equals both go on */
#define BEATEN(p, q, t) (THEIRS(p, q, t) < MINE(p, t))
#elif defined(MUTANT_TIE_WITHDRAWN) /* of two equals both give way */
#define BEATEN(p, q, t) (THEIRS(p, q, t) <= MINE(p, t))
#elif defined(MUTANT_NAME_FIRST) /* one side looks at the name only: the lowest peer never gives way */
#define BEATEN(p, q, t) (p != 0 && (THEIRS(p, q, t) < MINE(p, t) || (THEIRS(p, q, t) == MINE(p, t) && q < p)))
#else
#define BEATEN(p, q, t) (THEIRS(p, q, t) < MINE(p, t) || (THEIRS(p, q, t) == MINE(p, t) && q < p))
#endif

inline verdict(p, q, t, word) {
#if VERDICT
  if
  :: t == 0 && watched[p] && said_watched[PQ(q, p)] ->
     assert(says[p] == 0 || says[p] == word);
     says[p] = word;
     assert(says[q] == 0 || says[q] != word); /* the arbitration's property */
#if defined(WITNESS_BOTH_VERDICTS)
     assert(says[q] == 0);
#endif
  :: else
  fi
#else
  skip
#endif
}

inline arbitrate(p, q, t) {
  if
  :: claim[PT(p, t)] != 0 && said[PQT(q, p, t)] != 0 ->
     if
     :: BEATEN(p, q, t) ->
        verdict(p, q, t, WITHDRAWS);
        withdraw(p, t)
     :: else ->
        verdict(p, q, t, KEEPS);
#if COUNTERS
        if /* the winner goes on with the lower counter */
        :: said[PQT(q, p, t)] < claim[PT(p, t)] -> claim[PT(p, t)] = said[PQT(q, p, t)]
        :: else
        fi
#else
        skip
#endif
     fi
  :: else
  fi
}

#endif /* CLAIMS */

/* An advertisement arrives (receive_advertisement, peer_table.cc): q lives, so its tracks are not free and
 * claims on them end; then the claims that it carries are arbitrated. */
inline hear(p, q) {
  state[PQ(p, q)] = LIVING;
  quiet[PQ(p, q)] = 0;
  for (i : 0 .. TRACKS - 1) {
#if defined(LIVE)
    if /* its owned list: what it owns, as of now */
    :: OWNS(q, i) -> know(p, i, known[PT(q, i)])
    :: else
    fi;
    foreign[PQT(p, q, i)] = (said[PQT(q, p, i)] != 0 -> said_count[PQT(q, p, i)] + 1 : 0);
#endif
    if :: CLAIMS_ON(p, i) && !FREE(p, i) -> withdraw(p, i) :: else fi;
#if CLAIMS
    arbitrate(p, q, i)
#endif
  }
  i = 0
}

/* --- taking a track: [4], [7] -------------------------------------------------------------------------- */

/* G12: what is taken over belongs to a process that is over, or the owner's stamp has stood still from the
 * first of the taker's readings to the last. */
#define G12(p, t) \
  (BELIEVED(p, t) == 0 || life[BELIEVED(p, t) - 1] == DEAD || \
   quiet[PQ(p, BELIEVED(p, t) - 1)])

inline take(p, t) {
  assert(G12(p, t));
  taking[PT(p, t)] = ASKED;
  expected[PT(p, t)] = known[PT(p, t)];
  withdraw(p, t)
}

#if defined(MUTANT_CAS_UNCOMPARED)
#define MATCHES(p, t) true
#else
#define MATCHES(p, t) (expected[PT(p, t)] == epoch[t])
#endif
#if defined(MUTANT_EPOCH_NOT_RAISED)
#define RAISED(p, t) expected[PT(p, t)]
#else
#define RAISED(p, t) (expected[PT(p, t)] + 1)
#endif

/* The compare-and-set itself, in the database. The answer to a success is a row learnt, at once or later, as
 * any other; a refusal stays a refusal, so that it happens when it is heard of. */
inline compare_and_set(p, t) {
#if defined(WITNESS_TAKEN_WHILE_STAMPING)
  assert(OWNER(t, epoch[t]) == 0 || life[OWNER(t, epoch[t]) - 1] == DEAD || quiet[PQ(p, OWNER(t, epoch[t]) - 1)]);
#endif
#if defined(WITNESS_TAKEN_FROM_PAUSED)
  assert(OWNER(t, epoch[t]) == 0 || life[OWNER(t, epoch[t]) - 1] != PAUSED);
#endif
  assert(RAISED(p, t) > epoch[t]);         /* G1: the epoch only rises */
  assert(OWNER(t, RAISED(p, t)) == 0);     /* G1: and has one owner */
  epoch[t] = RAISED(p, t);
  OWNER(t, epoch[t]) = p + 1;
  taking[PT(p, t)] = IDLE;
  expected[PT(p, t)] = 0;
#if defined(LIVE)
  if :: ACTIVE(p) -> know(p, t, epoch[t]) :: else fi;
#endif
  slide(t)
}

inline refused(p, t) { /* granted_track, of a failure: the row is known now; [4]: again with counter 1 */
#if defined(WITNESS_REFUSED_TAKE)
  assert(false);
#endif
#if !defined(MUTANT_REFUSAL_FORGOTTEN)
  know(p, t, epoch[t]);
#endif
  taking[PT(p, t)] = IDLE;
  expected[PT(p, t)] = 0;
#if CLAIMS
  if
  :: FREE(p, t) && MAY_TAKE(p) && !CLAIMS_ON(p, t) -> begin_claim(p, t, (K < 1 -> K : 1))
  :: else
  fi;
#endif
  slide(t)
}

/* --- stamps -------------------------------------------------------------------------------------------- */

inline stamp(q) { /* q raises its stamp: whoever reads it next sees that it moved (stamp_seen, peer_table.cc) */
  for (i : 0 .. PEERS - 1) {
#if !defined(MUTANT_OLD_READING) /* the reader does not look again */
    if :: state[PQ(i, q)] == STILL -> state[PQ(i, q)] = (CLAIMS -> SUSPECT : LIVING) :: else fi;
#endif
    quiet[PQ(i, q)] = 0
  }
  i = 0
}

inline read_ledger(p) {
  for (i : 0 .. TRACKS - 1) {
    know(p, i, epoch[i])
  }
  for (i : 0 .. TRACKS - 1) { slide(i) }
  i = 0
}

/* --- writes: the fence --------------------------------------------------------------------------------- */

#if defined(MUTANT_COMMIT_UNFENCED)
#define MAY_WRITE(p) true
#define FENCE_HOLDS(e) true
#elif defined(MUTANT_CHECK_THEN_WRITE) /* the epoch is compared when the peer decides, not in the commit */
#define MAY_WRITE(p) (known[PT(p, 0)] == epoch[0])
#define FENCE_HOLDS(e) true
#else
#define MAY_WRITE(p) true
#define FENCE_HOLDS(e) ((e) == epoch[0])
#endif

#if WRITES
inline begin_write(p) {
  writer = p + 1;
  write_epoch = known[PT(p, 0)]
}

inline end_write() {
  writer = 0;
  write_epoch = 0;
  slide(0)
}
#endif

/* --- faults -------------------------------------------------------------------------------------------- */

inline die(p) { /* what it knew no longer counts; what it has asked of the database may still happen */
  life[p] = DEAD;
#if defined(LIVE)
  doubt[p] = 0;
#endif
  for (i : 0 .. PEERS - 1) {
    state[PQ(p, i)] = LIVING;
    quiet[PQ(p, i)] = 0
  }
  for (i : 0 .. TRACKS - 1) {
    known[PT(p, i)] = 0;
    withdraw(p, i)
  }
#if CLAIMS
  for (i : 0 .. PEERS - 1) { clear_flight(i, p) }
#endif
  for (i : 0 .. TRACKS - 1) { slide(i) }
  i = 0
}

#define NEXT(p, n) (((p) + (n)) % PEERS)

#if !defined(LIVE)
/* ======================================================================================================
 * Safety: every peer does whatever the rules allow it, in any order, at any time.
 */

/* [2]: lowered once per periodic advertisement, which is sent by a step of its own or lost. Each claim by a step
 * of its own, which is more than a peer does. */
#define LOWERED(p, t) :: d_step { ACTIVE(p) && claim[PT(p, t)] > 1 -> claim[PT(p, t)]-- }

#if VERDICT
#define MAY_WATCH(p, t) (t == 0 && (p == left || p == right) && !used[p])
#else
#define MAY_WATCH(p, t) false
#endif
#if VERDICT
#define WATCH(p) watched[p] = 1; used[p] = 1
#else
#define WATCH(p) skip
#endif

/* Between two peers. Without a ledger an advertisement without a claim does nothing. */
#define TELLS(p) (LEDGER || CLAIMS_ON(p, 0))
#if CLAIMS
#define HEARD(p, q) \
  :: d_step { ACTIVE(p) && flying[PQ(q, p)] -> hear(p, q); clear_flight(q, p) }
#define ADVERTISED(p, q) \
  :: d_step { ACTIVE(p) && life[q] != DEAD && TELLS(p) -> advertise_to(p, q) }
#else /* any message of the other, at any time */
#define HEARD(p, q) \
  :: d_step { ACTIVE(p) && state[PQ(p, q)] != LIVING -> hear(p, q) }
#define ADVERTISED(p, q)
#endif
#if LEDGER /* silence, and with it the first reading of the stamp */
#define JUDGED(p, q) \
  :: d_step { ACTIVE(p) && BELIEVES(p, q) && state[PQ(p, q)] != STILL -> \
              state[PQ(p, q)] = STILL; quiet[PQ(p, q)] = 1 }
#else
#define JUDGED(p, q)
#endif
#define WITH(p, q) HEARD(p, q) ADVERTISED(p, q) JUDGED(p, q)

/* On one track. */
#if CLAIMS && LEDGER
#define CLAIMED(p, t) \
  :: d_step { MAY_TAKE(p) && FREE(p, t) && claim[PT(p, t)] == 0 && taking[PT(p, t)] == IDLE -> \
              begin_claim(p, t, K) } \
  :: d_step { MAY_TAKE(p) && claim[PT(p, t)] == 0 && taking[PT(p, t)] == IDLE && FREE(p, t) && \
              MAY_WATCH(p, t) -> begin_claim(p, t, K); WATCH(p) } \
  LOWERED(p, t)
#define MAY_DECIDE(p, t) (VACANT(p, t) || (claim[PT(p, t)] == 1 && MAY_BE_TAKEN(p, t)))
#elif CLAIMS
#define CLAIM_STEP(p, t, n) \
  :: d_step { claim[PT(p, t)] == 0 -> claim[PT(p, t)] = K + 1; count[PT(p, t)] = n } \
  :: d_step { claim[PT(p, t)] == 0 && MAY_WATCH(p, t) -> \
              claim[PT(p, t)] = K + 1; count[PT(p, t)] = n; WATCH(p) }
#define CLAIMED(p, t) \
  CLAIM_STEP(p, t, 0) CLAIM_STEP(p, t, 1) CLAIM_STEP(p, t, 2) LOWERED(p, t) \
  :: d_step { claim[PT(p, t)] != 0 -> withdraw(p, t) }
#else
#define CLAIMED(p, t)
#define MAY_DECIDE(p, t) MAY_BE_TAKEN(p, t)
#endif
#if LEDGER
#define TAKEN(p, t) \
  :: d_step { MAY_TAKE(p) && taking[PT(p, t)] == IDLE && MAY_DECIDE(p, t) -> take(p, t) } \
  :: d_step { ACTIVE(p) && taking[PT(p, t)] == ASKED && !MATCHES(p, t) -> refused(p, t) }
/* A row heard from its owner, read, or come by with a refused commit (learn, row_seen: ownership.cc). */
#define LEARNT(p, t) \
  :: d_step { ACTIVE(p) && known[PT(p, t)] < epoch[t] -> know(p, t, known[PT(p, t)] + 1); slide(t) }
#else
#define TAKEN(p, t)
#define LEARNT(p, t)
#endif
#if LEDGER && WRITES
#define WRITTEN(p) \
  :: d_step { writer == 0 && MAY_TAKE(p) && OWNS(p, 0) && MAY_WRITE(p) -> begin_write(p) }
#else
#define WRITTEN(p)
#endif
#define ON(p, t) CLAIMED(p, t) TAKEN(p, t) LEARNT(p, t)

proctype Peer(byte p) {
end:
  do
  WITH(p, NEXT(p, 1))
#if PEERS > 2
  WITH(p, NEXT(p, 2))
#endif
  ON(p, 0)
#if TRACKS > 1
  ON(p, 1)
#endif
  WRITTEN(p)
  od
}

#if LEDGER
/* What has been asked of the database and happens now, whether the peer that asked runs, is paused or dead:
 * each step is one statement. */
#define ASKED_OF(p, t) \
  :: d_step { taking[PT(p, t)] == ASKED && MATCHES(p, t) && epoch[t] < WINDOW -> \
              compare_and_set(p, t) } \
  :: d_step { taking[PT(p, t)] == ASKED && !MATCHES(p, t) && life[p] == DEAD -> \
              taking[PT(p, t)] = IDLE; expected[PT(p, t)] = 0; slide(t) }
#if TRACKS == 1
#define ASKED_BY(p) ASKED_OF(p, 0)
#else
#define ASKED_BY(p) ASKED_OF(p, 0) ASKED_OF(p, 1)
#endif

/* A stamp may come after its writer was paused, too. Only one that somebody waits for makes a difference. */
#if PEERS == 2
#define READ(q) (quiet[PQ(0, q)] || quiet[PQ(1, q)])
#else
#define READ(q) (quiet[PQ(0, q)] || quiet[PQ(1, q)] || quiet[PQ(2, q)])
#endif
#define COMMITTED(who, e) \
  assert((e) == epoch[0]);                /* G2 */ \
  assert(OWNER(0, epoch[0]) == (who));    /* G2: and it is the owner's */
#define ARRIVES(e) \
  :: d_step { (e) <= epoch[0] && OWNER(0, e) != 0 && FENCE_HOLDS(e) -> COMMITTED(OWNER(0, e), e) skip }
#define STAMPED(q) :: d_step { READ(q) -> stamp(q) }

proctype Database() {
end:
  do
  ASKED_BY(0)
  ASKED_BY(1)
#if PEERS > 2
  ASKED_BY(2)
#endif
#if WRITES
  :: d_step { writer != 0 && FENCE_HOLDS(write_epoch) -> /* the write is committed */
              COMMITTED(writer, write_epoch)
#if defined(WITNESS_COMMIT_AFTER_DEATH)
              assert(life[writer - 1] != DEAD);
#endif
              end_write() }
  :: d_step { writer != 0 && !FENCE_HOLDS(write_epoch) -> /* the write is refused */
#if defined(WITNESS_REFUSED_COMMIT)
              assert(false);
#endif
              end_write() }
#else
  ARRIVES(0)
  ARRIVES(1)
#endif
  STAMPED(0)
  STAMPED(1)
#if PEERS > 2
  STAMPED(2)
#endif
  od
}

#if PAUSES
#define PAUSED_OR_NOT(p) \
  :: d_step { life[p] == MEMBER -> life[p] = PAUSED } \
  :: d_step { life[p] == PAUSED -> life[p] = MEMBER }
#else
#define PAUSED_OR_NOT(p)
#endif
#define FAULT(p) PAUSED_OR_NOT(p) :: d_step { life[p] != DEAD -> die(p) }

proctype Nemesis() {
end:
  do
  FAULT(0)
  FAULT(1)
#if PEERS > 2
  FAULT(2)
#endif
  od
}
#endif /* LEDGER */

init {
  atomic {
#if VERDICT
    if
    :: left = 0; right = 1
#if PEERS > 2
    :: left = 0; right = 2
    :: left = 1; right = 2
#endif
    fi;
#endif
    run Peer(0);
    run Peer(1);
#if PEERS > 2
    run Peer(2);
#endif
#if LEDGER
    run Database();
    run Nemesis();
#endif
  }
}
#else /* LIVE
 * ======================================================================================================
 * Liveness: every peer runs in rounds as Member::Impl::periodic and settle do (member.cc), each in its own
 * time. FAULTS of them are paused or killed, then nothing fails any more; suspicion is right, and nothing is
 * lost but what a newer advertisement replaces. GONE_SEEN=0: deaths are noticed by silence only.
 */

/* judge_silence, read_stamps_of_silent and set_state (peer_table.cc): the claims of a peer that is unavailable
 * or gone lapse. */
#if defined(MUTANT_CLAIMS_NEVER_LAPSE)
#define LAPSE(p, q, t) skip
#else
#define LAPSE(p, q, t) foreign[PQT(p, q, t)] = 0
#endif
inline judge(p, q) {
  if
  :: life[q] != MEMBER && (PROCESS_OVER(q) || state[PQ(p, q)] == STILL) ->
     LAPSE(p, q, 0);
#if TRACKS > 1
     LAPSE(p, q, 1);
#endif
     state[PQ(p, q)] = STILL
  :: life[q] != MEMBER && state[PQ(p, q)] != STILL ->
     state[PQ(p, q)] = STILL;
     quiet[PQ(p, q)] = 1
  :: else
  fi;
  if
  :: flying[PQ(q, p)] -> hear(p, q); clear_flight(q, p)
  :: else
  fi
}

#define LIVES(p, q) (state[PQ(p, q)] == LIVING)
#if PEERS == 2
#define MEMBERS(p) (1 + LIVES(p, NEXT(p, 1)))
#define CHALLENGES(p, q, t) (foreign[PQT(p, q, t)] == 0 || COUNT(p, t) < foreign[PQT(p, q, t)] - 1)
#define WORTH_CLAIMING(p, t) CHALLENGES(p, NEXT(p, 1), t)
/* first_in_line: for track t the order is t, t + 1 ... */
#define FIRST(p, t) (p == (t) % PEERS || !LIVES(p, NEXT(p, 1)))
#else
#define MEMBERS(p) (1 + LIVES(p, NEXT(p, 1)) + LIVES(p, NEXT(p, 2)))
#define CHALLENGES(p, q, t) (foreign[PQT(p, q, t)] == 0 || COUNT(p, t) < foreign[PQT(p, q, t)] - 1)
#define WORTH_CLAIMING(p, t) (CHALLENGES(p, NEXT(p, 1), t) && CHALLENGES(p, NEXT(p, 2), t))
#define FIRST(p, t) \
  (p == (t) % PEERS || (p == NEXT(t, 1) && !LIVES(p, (t) % PEERS)) || \
   (p == NEXT(t, 2) && !LIVES(p, (t) % PEERS) && !LIVES(p, NEXT(t, 1))))
#endif
#define OPEN(p, t) ((claim[PT(p, t)] != 0 || taking[PT(p, t)] != IDLE) -> 1 : 0)
#if TRACKS == 1
#define FREE_TRACKS(p) (FREE(p, 0) -> 1 : 0)
#define ALL_OPEN(p) OPEN(p, 0)
#else
#define FREE_TRACKS(p) ((FREE(p, 0) -> 1 : 0) + (FREE(p, 1) -> 1 : 0))
#define ALL_OPEN(p) (OPEN(p, 0) + OPEN(p, 1))
#endif
#define LIMIT(p) ((FREE_TRACKS(p) + MEMBERS(p) - 1) / MEMBERS(p))

inline pursue(p, t) { /* pursue and take_ripe (claims.cc) */
  if
  :: taking[PT(p, t)] == ASKED && !MATCHES(p, t) -> refused(p, t)
  :: else
  fi;
  if
  :: claim[PT(p, t)] > 1 -> claim[PT(p, t)]--
  :: else
  fi;
  if
  :: taking[PT(p, t)] == IDLE && FIRST(p, t) && VACANT(p, t) -> take(p, t)
  :: taking[PT(p, t)] == IDLE && !(FIRST(p, t) && VACANT(p, t)) && FREE(p, t) && claim[PT(p, t)] == 0 &&
     ALL_OPEN(p) < LIMIT(p) && WORTH_CLAIMING(p, t) -> begin_claim(p, t, K)
  :: else
  fi;
  if
  :: claim[PT(p, t)] == 1 && taking[PT(p, t)] == IDLE && MAY_BE_TAKEN(p, t) -> take(p, t)
  :: else
  fi
}

/* An owner that has lost its track writes, is refused, and learns the row (row_seen, ownership.cc). */
#if defined(MUTANT_REFUSED_WRITE_UNHEARD)
#define WRITES_SOMETHING(p, t) skip
#else
#define WRITES_SOMETHING(p, t) if :: OWNS(p, t) && !doubt[p] -> know(p, t, epoch[t]) :: else fi
#endif

proctype Peer(byte p) {
end:
  do
  :: d_step {
       ACTIVE(p) ->
       stamp(p);
       if
       :: doubt[p] -> doubt[p] = 0; read_ledger(p) /* resume_if_cleared */
       :: else
       fi;
       WRITES_SOMETHING(p, 0);
#if TRACKS > 1
       WRITES_SOMETHING(p, 1);
#endif
       judge(p, NEXT(p, 1));
#if PEERS > 2
       judge(p, NEXT(p, 2));
#endif
       pursue(p, p % TRACKS); /* its own first */
#if TRACKS > 1
       pursue(p, 1 - p % TRACKS);
#endif
       advertise_to(p, NEXT(p, 1));
#if PEERS > 2
       advertise_to(p, NEXT(p, 2));
#endif
     }
  od
}

#define ASKED_OF(p, t) \
  :: d_step { taking[PT(p, t)] == ASKED && MATCHES(p, t) -> \
              assert(epoch[t] < WINDOW); /* the window never hinders a take */ \
              compare_and_set(p, t) } \
  :: d_step { taking[PT(p, t)] == ASKED && !MATCHES(p, t) && life[p] == DEAD -> \
              taking[PT(p, t)] = IDLE; expected[PT(p, t)] = 0; slide(t) }
#if TRACKS == 1
#define ASKED_BY(p) ASKED_OF(p, 0)
#else
#define ASKED_BY(p) ASKED_OF(p, 0) ASKED_OF(p, 1)
#endif

proctype Database() {
end:
  do
  ASKED_BY(0)
  ASKED_BY(1)
#if PEERS > 2
  ASKED_BY(2)
#endif
  od
}

#if PEERS == 2
#define ANOTHER_RUNS(p) ACTIVE(NEXT(p, 1))
#else
#define ANOTHER_RUNS(p) (ACTIVE(NEXT(p, 1)) || ACTIVE(NEXT(p, 2)))
#endif
#define FAULT(p) \
  :: d_step { faults < FAULTS && life[p] == MEMBER && ANOTHER_RUNS(p) -> life[p] = PAUSED; faults++ } \
  :: d_step { faults < FAULTS && life[p] != DEAD && ANOTHER_RUNS(p) -> die(p); faults++ } \
  :: d_step { life[p] == PAUSED -> life[p] = MEMBER; doubt[p] = 1 } /* enter (member.cc) */

proctype Nemesis() {
  do
  FAULT(0)
  FAULT(1)
#if PEERS > 2
  FAULT(2)
#endif
  :: break
  od
}

init {
  atomic {
    run Peer(0);
    run Peer(1);
#if PEERS > 2
    run Peer(2);
#endif
    run Database();
    run Nemesis()
  }
}

#define OWNED(t) (OWNER(t, epoch[t]) != 0 && life[OWNER(t, epoch[t]) - 1] == MEMBER)
#if TRACKS == 1
ltl owned { <>[] OWNED(0) }
#else
ltl owned { <>[] (OWNED(0) && OWNED(1)) }
#endif
#endif
