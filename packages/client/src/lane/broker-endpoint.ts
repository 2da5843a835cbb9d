import { SettingsError } from '@millrace/core';

/** Where a broker listens. */
export interface BrokerEndpoint {
  /** Name or address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with brackets round an IPv6 address: what logs and errors show. */
export function formatEndpoint({ host, port }: BrokerEndpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Reads a bootstrap list such as `['kafka-1:9092', '[::1]:9092']`.
 *
 * @throws SettingsError naming every entry that is not `host:port`
 */
export function parseEndpoints(brokers: readonly string[]): BrokerEndpoint[] {
  const endpoints = brokers.map(parseEndpoint);
  const wrong = brokers.filter((_, i) => endpoints[i] === undefined);
  if (brokers.length === 0 || wrong.length > 0) {
    const what =
      wrong.length === 0 ? 'is empty' : `has entries that are not host:port: ${wrong.map((one) => `"${one}"`).join(', ')}`;
    throw new SettingsError('INVALID_BROKERS', `the list "brokers" ${what}; write it like ["kafka-1:9092", "[::1]:9092"]`);
  }
  return endpoints.filter((one) => one !== undefined);
}

/** Reads `host:port`; `undefined` when it is not that. */
export function parseEndpoint(text: string): BrokerEndpoint | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+(?:%\w+)?)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text.trim());
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port < 1 || port > 65_535 ? undefined : { host, port };
}
