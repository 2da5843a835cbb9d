import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { type LogFields, type Logger, silentLogger } from '@millrace/core';
import { expect, it } from 'vitest';
import { createKafkajsTransport } from './kafkajs-transport.ts';

it('keeps what kafkajs calls errors on the debug level', async () => {
  const lines: { level: string; message: string; fields: LogFields | undefined }[] = [];
  const log = (level: string) => (message: string, fields?: LogFields) => void lines.push({ level, message, fields });
  const logger: Logger = { ...silentLogger, debug: log('debug'), warn: log('warn'), error: log('error') };
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const transport = createKafkajsTransport({ brokers: [`127.0.0.1:${port}`], logger });
  await expect(transport.features('any')).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  await transport.close();
  expect(lines.filter((line) => line.message.startsWith('kafkajs: ')).map((line) => line.level)).toContain('debug');
  expect(lines.filter((line) => line.level === 'error')).toEqual([]);
  expect(lines.filter((line) => line.level === 'warn').map((line) => line.message)).toEqual(['broker connection failed']);
});
