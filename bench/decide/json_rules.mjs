// The conditions of WELCOME-5 in json-rules-engine: what it costs per contact and move.
//
//   json_rules.mjs [CONTACTS]     a line of JSON: nanoseconds per contact and move, and the counts
//
// An engine for each step, made once; each contact goes through the steps as decide_bench's does, and
// nothing is done but deciding.

import { Engine } from "json-rules-engine";

const contacts = Number(process.argv[2] ?? 20000);

// The contacts' hash: arithmetic modulo 2^32, see tests/support/welcome5.h.
function hash(i, k) {
  let x = (Math.imul(i, 0x9e3779b1) + Math.imul(k, 0x85ebca77) + 0xc0ffee) >>> 0;
  x ^= x >>> 16;
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  x ^= x >>> 16;
  return x >>> 0;
}

const COUNTRIES = "DE AT CH FR NL BE LU IT ES PT PL CZ US CA MX BR JP IN AU ZA".split(" ");

function contact(i) {
  return {
    email: hash(i, 1) % 100 < 5 ? null : `user${i}@example.org`,
    opted_out: hash(i, 2) % 100 < 3,
    plan: ["trial", "pro", "free"][hash(i, 3) % 3],
    country: COUNTRIES[hash(i, 4) % 20],
    score: hash(i, 5) % 100,
  };
}

const is = (fact, value) => ({ fact, operator: "equal", value });

// Per step its rules, in order; none met: `otherwise`, on to the next step.
const steps = [
  [
    { all: [is("email", null)], then: "no address" },
    { all: [is("opted_out", true)], then: "opted out" },
  ],
  [{ all: [{ fact: "country", operator: "in", value: COUNTRIES.slice(0, 8) }], then: "local" }],
  [
    {
      all: [is("plan", "trial"), { fact: "score", operator: "greaterThanInclusive", value: 40 }],
      then: "sales",
    },
  ],
  [{ all: [{ fact: "score", operator: "lessThan", value: 10 }], then: "low score" }],
  [{ all: [is("plan", "pro")], then: "pro" }],
];
const STOPS = new Set(["no address", "opted out", "low score"]);

const engines = steps.map((rules) => {
  const engine = new Engine();
  rules.forEach(({ all, then }, number) => {
    engine.addRule({
      conditions: { all },
      event: { type: then },
      priority: rules.length - number,
      onSuccess: () => engine.stop(), // the first that is met fires
    });
  });
  return engine;
});

const people = Array.from({ length: contacts }, (_, i) => contact(i + 1));
const fired = {};
let moves = 0;
const began = process.hrtime.bigint();
for (const person of people) {
  for (const engine of engines) {
    const { events } = await engine.run(person);
    ++moves;
    if (events.length > 0) {
      const { type } = events[0];
      fired[type] = (fired[type] ?? 0) + 1;
      if (STOPS.has(type)) {
        break;
      }
    }
  }
}
const took = Number(process.hrtime.bigint() - began);
console.log(JSON.stringify({ engine: "json-rules-engine", contacts, moves, ns_per_move: took / moves, fired }));
