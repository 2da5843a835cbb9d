// Adds up vitest's JSON reports into one closing line; fails on a failed test, a skipped one, or a suite without any.
// Only conformance vectors may be skipped (their runner names the operators that do not exist yet), and tests that say in
// their name which right they need, on a machine that does not grant it.
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

const total = { passed: 0, failed: 0, skipped: 0 };
const problems = [];
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  if (report.numPassedTests === 0) problems.push(`${basename(path)}: no test ran`);
  for (const { name, assertionResults } of report.testResults) {
    const skipped = assertionResults.filter(({ status }) => status !== 'passed' && status !== 'failed');
    total.skipped += skipped.length;
    if (name.includes('/test/conformance/')) continue;
    const refused = skipped.filter(({ fullName }) => !fullName.includes('(needs the right to '));
    problems.push(...refused.map(({ fullName }) => `${name}: skipped "${fullName}"`));
  }
  if (!report.success) problems.push(`${basename(path)}: the run failed`);
  total.passed += report.numPassedTests;
  total.failed += report.numFailedTests;
}
for (const problem of problems) console.error(problem);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = problems.length === 0 ? 0 : 1;
