import { parseArgs } from 'node:util';
import { systemClock } from '@millrace/core';
import { Report } from './report.ts';
import { runInDriver } from './run-in-driver.ts';
import { runOnKafka } from './run-on-kafka.ts';

/** Long enough to follow on a terminal: the hour takes a few seconds. */
const TERMINAL_PAUSE_MS = 12;

const { values } = parseArgs({
  options: { brokers: { type: 'string' }, keep: { type: 'boolean', default: false } },
});
const brokers = values.brokers ?? process.env.KAFKA_BROKERS ?? '';
const isTerminal = process.stdout.isTTY === true;
const report = new Report((line) => console.log(line), isTerminal && !process.env.NO_COLOR);

const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
process.once('SIGTERM', () => stop.abort());

const isRight =
  brokers === ''
    ? await runInDriver(report, async () => {
        if (isTerminal) await systemClock.sleep(TERMINAL_PAUSE_MS, stop.signal);
      })
    : await runOnKafka(report, { brokers: brokers.split(','), keep: values.keep, signal: stop.signal });
process.exitCode = isRight ? 0 : 1;
