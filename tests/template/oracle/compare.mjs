// Renders every case of cases.json with liquidjs and with ours, and compares. differences.json says
// which cases may differ and why; one listed there that no longer differs is a failure too.
//
//   node compare.mjs PROGRAM        PROGRAM: template_oracle of the build
//
// Prints what is wrong and ends with `N passed, M failed`.

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dirname, join } from 'node:path';

import { Liquid } from 'liquidjs';

// `now` of all cases; main.cc has the same.
const kNow = Date.UTC(2026, 11, 1, 9, 30, 15, 250);
Date.now = () => kNow;
process.env.TZ = 'UTC';

const here = dirname(fileURLToPath(import.meta.url));
const read = (name) => JSON.parse(readFileSync(join(here, name), 'utf8'));

// What liquidjs has no name for is given to it as a function: the escapes of JSON and of headers.
const textOf = (value) =>
  value === null || value === undefined
    ? ''
    : Array.isArray(value)
      ? value.map(textOf).join('')
      : String(value);
const escapes = {
  text: undefined,
  html: 'escape',
  json: (value) => JSON.stringify(textOf(value)).slice(1, -1),
  // eslint-disable-next-line no-control-regex
  header: (value) => textOf(value).replace(/[\u0000-\u001f\u007f]+(?!$)/g, ' ').replace(/[\u0000-\u001f\u007f]+$/, ''),
};

function theirs(test, data) {
  const engine = new Liquid({
    locale: 'en-US',
    strictFilters: true, // an unknown filter is a mistake, as it is in ours
    timezoneOffset: test.zone ?? 'UTC',
    outputEscape: escapes[test.mode ?? 'text'],
  });
  try {
    // Some releases of the library behind Intl write a narrow blank before AM and PM.
    const text = engine.parseAndRenderSync(test.template, structuredClone(data));
    return { text: text.replaceAll('\u202f', ' ') };
  } catch (error) {
    return { error: error.message };
  }
}

function ours(program) {
  const run = spawnSync(program, [join(here, 'cases.json')], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (run.status !== 0) {
    console.error(`oracle: ${program} failed: ${run.error ?? run.stderr}`);
    process.exit(1);
  }
  return JSON.parse(run.stdout);
}

// Two refusals are alike whatever their words.
const same = (a, b) => ('error' in a ? 'error' in b : a.text === b.text);

const { data, cases } = read('cases.json');
const reasons = read('differences.json');
const results = ours(process.argv[2]);
const names = new Set(cases.map((test) => test.name));
const listed = new Map();
const problems = [];
for (const { reason, cases: these } of reasons) {
  for (const name of these) {
    if (!names.has(name)) problems.push(`differences.json: there is no case "${name}"`);
    if (listed.has(name)) problems.push(`differences.json: "${name}" stands twice`);
    listed.set(name, reason);
  }
}
if (names.size !== cases.length) problems.push('cases.json: a name stands twice');
let equal = 0;
cases.forEach((test, index) => {
  const a = theirs(test, typeof test.data === 'string' ? data[test.data] : test.data);
  const b = results[index];
  const alike = same(a, b);
  equal += alike ? 1 : 0;
  if (alike === listed.has(test.name)) {
    const what = alike ? 'is listed as a difference, but there is none' : 'differs';
    problems.push(
      `${test.name}: ${what}\n  template ${JSON.stringify(test.template)}\n` +
        `  liquidjs ${JSON.stringify(a)}\n  ours     ${JSON.stringify(b)}`,
    );
  }
});
for (const problem of problems) console.log(problem);
console.log(`oracle: ${cases.length} cases: ${equal} equal, ${cases.length - equal} differ, ${listed.size} of them listed with reasons`);
const passed = cases.length - Math.min(problems.length, cases.length);
if (process.env.TURNOUT_RESULTS) {
  writeFileSync(join(process.env.TURNOUT_RESULTS, 'count'), `${passed} ${problems.length}\n`);
}
console.log(`${passed} passed, ${problems.length} failed`);
process.exit(problems.length === 0 ? 0 : 1);
