import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createKafkaClient, type KafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';
import { systemClock, systemRandom } from '@millrace/core';
import { start, StreamsBuilder, type StreamsApplication, type Topology } from 'millrace';
import { closingArrivals } from './closing.ts';
import { expectedOutcome } from './expected.ts';
import { Feed } from './feed.ts';
import { generateArrivals, lastTimestamp, type Arrival } from './generator.ts';
import type { Report } from './report.ts';
import { Results } from './results.ts';
import { buildTopology, topicsOf, type Topics } from './topology.ts';

const ORDERS = 120;
const PARTITIONS = 3;
/** The hour of orders goes by in some twelve seconds: this much event time every 100 ms. */
const STEP_MS = 30_000;
const STEP_PAUSE_MS = 80;
const RESULTS_WAIT_MS = 30_000;

export interface KafkaRunOptions {
  readonly brokers: readonly string[];
  /** Leaves topics behind instead of deleting them. */
  readonly keep: boolean;
  readonly signal: AbortSignal;
}

/**
 * Runs the topology against a Kafka, exactly once, with topics of its own; a second small application reads the results.
 *
 * @returns whether everything came out right
 */
export async function runOnKafka(report: Report, options: KafkaRunOptions): Promise<boolean> {
  const { brokers, keep, signal } = options;
  const applicationId = `orders-payments-${systemRandom.uuid().slice(0, 8)}`;
  const topics = topicsOf(`${applicationId}.`);
  const client = connect(brokers, applicationId);
  const stateDir = await mkdtemp(join(tmpdir(), 'millrace-example-'));
  try {
    await createTopics(client, topics);
    report.note(`application ${applicationId}, exactly once, ${brokers.join(', ')}`);
    return await runApplications(report, { applicationId, brokers, stateDir, topics, client, signal });
  } finally {
    if (!keep) await deleteTopics(client, applicationId);
    await client.close();
    await rm(stateDir, { recursive: true, force: true });
  }
}

interface Run {
  readonly applicationId: string;
  readonly brokers: readonly string[];
  readonly stateDir: string;
  readonly topics: Topics;
  readonly client: KafkaClient;
  readonly signal: AbortSignal;
}

async function runApplications(report: Report, run: Run): Promise<boolean> {
  const { applicationId, topics, client, signal } = run;
  const arrivals = generateArrivals(ORDERS, systemClock.nowMs() - 3_600_000);
  const results = new Results(expectedOutcome(arrivals));
  await using application = await startApplication(run, applicationId, buildTopology(topics));
  await using reader = await startApplication(run, `${applicationId}-results`, resultsTopology(topics, results, report));
  await Promise.all([application.running(), reader.running()]);
  report.title(`${ORDERS} orders in an hour, each to be paid within ten minutes; the hour takes some twelve seconds`);
  const feed = new Feed(client, topics);
  try {
    await sendInSteps(feed, arrivals, signal);
    await closeWindows(feed, lastTimestamp(arrivals), results, signal);
  } finally {
    await feed.close();
  }
  report.title('what each customer has paid');
  report.totals(results.totals());
  return report.verdict(ORDERS, arrivals.length - ORDERS, results);
}

function connect(brokers: readonly string[], clientId: string): KafkaClient {
  return createKafkaClient({ transport: createSocketTransport({ brokers, clientId }) });
}

function startApplication({ brokers, stateDir }: Run, applicationId: string, topology: Topology): Promise<StreamsApplication> {
  return start(topology, {
    applicationId,
    brokers,
    stateDir,
    guarantee: 'exactly_once_v2',
    // Orders and payments arrive in separate requests: waiting a moment for the other side keeps them in the order of time.
    maxTaskIdleMs: 1000,
    emitIntervalMs: 100,
  });
}

/** Reads what the other application writes, once it is committed. */
function resultsTopology(topics: Topics, results: Results, report: Report): Topology {
  const builder = new StreamsBuilder();
  const now = (): number => systemClock.nowMs();
  builder.stream(topics.paidOrders).foreach((order) => results.addPaid(order) && report.paid(now(), order));
  builder.stream(topics.unpaidOrders).foreach((order) => results.addUnpaid(order) && report.unpaid(now(), order));
  builder.stream(topics.customerTotals).foreach((total) => results.addTotal(total));
  return builder.build();
}

/** Time goes by in small steps, and both topics go along: neither side of the join may run far ahead of the other. */
async function sendInSteps(feed: Feed, arrivals: readonly Arrival[], signal: AbortSignal): Promise<void> {
  let stepEnd = (arrivals[0]?.timestamp ?? 0) + STEP_MS;
  let step: Arrival[] = [];
  for (const arrival of arrivals) {
    if (arrival.timestamp > stepEnd) {
      await feed.send(step);
      await systemClock.sleep(STEP_PAUSE_MS, signal);
      step = [];
      stepEnd = arrival.timestamp + STEP_MS;
    }
    step.push(arrival);
  }
  await feed.send(step);
}

/** Moves event time on in every partition until the last windows have closed and their results have come. */
async function closeWindows(feed: Feed, lastTimestamp: number, results: Results, signal: AbortSignal): Promise<void> {
  const deadline = systemClock.nowMs() + RESULTS_WAIT_MS;
  for (let round = 0; !results.complete && systemClock.nowMs() < deadline; round++) {
    for (let partition = 0; partition < PARTITIONS; partition++) {
      await feed.send(closingArrivals(lastTimestamp, partition, round), partition);
    }
    await systemClock.sleep(300, signal);
  }
}

async function createTopics(client: KafkaClient, topics: Topics): Promise<void> {
  const all = Object.values(topics).map(({ name }) => ({ name, partitions: PARTITIONS, replicationFactor: -1, configs: {} }));
  await client.admin.createTopics(all);
}

/** Everything of this run: what it was given and what the application made for itself. */
async function deleteTopics(client: KafkaClient, applicationId: string): Promise<void> {
  const names = (await client.admin.listTopics()).map(({ name }) => name).filter((name) => name.startsWith(applicationId));
  await client.admin.deleteTopics(names);
}
