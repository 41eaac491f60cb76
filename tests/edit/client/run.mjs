// Runs the checks of session.mjs and grammar.mjs and counts them (run.sh).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as session from './session.mjs';
import * as grammar from './grammar.mjs';

const [program, root] = process.argv.slice(2);
let passed = 0;
let failed = 0;
for (const [name, check] of [...session.checks, ...grammar.checks]) {
  try {
    await check({ program, root });
    passed += 1;
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name}: ${error.stack ?? error}`);
  }
}
if (process.env.TURNOUT_RESULTS) {
  writeFileSync(join(process.env.TURNOUT_RESULTS, 'count'), `${passed} ${failed}\n`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
