/** Writes a record every few milliseconds, from a thread of its own, until it is told to stop. */
import { workerData } from 'node:worker_threads';
import { NO_HEADERS, systemClock, systemRandom, silentLogger } from '@millrace/core';
import { createKafkaClient } from '@millrace/client';
import { createSocketTransport } from '@millrace/client/socket';

const { brokers, topic, everyMs } = workerData as { brokers: string[]; topic: string; everyMs: number };
const ports = { clock: systemClock, random: systemRandom, logger: silentLogger };
const client = createKafkaClient({ ...ports, clientId: 'ticker', transport: createSocketTransport({ ...ports, brokers }) });
const producer = client.createProducer({ lingerMs: 0 });
const handle = await producer.topic(topic);
const value = Buffer.from('tick');
setInterval(() => producer.append(handle, 0, Date.now(), value, 0, 4, value, 0, 4, NO_HEADERS), everyMs);
