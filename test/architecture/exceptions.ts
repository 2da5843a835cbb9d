/** What a piece of code may reach although it does not come through a port. */
export type Ambient = 'clock' | 'timers' | 'random' | 'environment' | 'console';

export interface AmbientException {
  /** A file, or a folder when it ends with `/`; `*` stands for one path segment. */
  readonly path: string;
  readonly allows: readonly Ambient[];
  readonly reason: string;
}

/** The adapters: the only places that may touch the machine's clock, timers, randomness, environment and console. */
export const ambientExceptions: readonly AmbientException[] = [
  {
    path: 'packages/core/src/ports/',
    allows: ['clock', 'timers', 'random', 'console'],
    reason: 'the system implementations of the ports',
  },
  {
    path: 'packages/cli/src/',
    allows: ['environment', 'console', 'timers', 'clock'],
    reason: 'a program: it reads its environment and prints',
  },
  { path: 'examples/*/', allows: ['environment', 'console', 'timers', 'clock'], reason: 'programs for readers' },
  { path: 'bench/', allows: ['environment', 'console', 'timers', 'clock', 'random'], reason: 'programs that measure' },
];

/**
 * Functions over the limit, by `path#name`, with the length they may not exceed. A ratchet: entries shrink and go, and
 * one that is no longer needed fails the test.
 */
export const longFunctions: Readonly<Record<string, number>> = {};

/** Files over the limit, by path: tables that read best in one piece. Same ratchet. */
export const longFiles: Readonly<Record<string, number>> = {
  // Streams, tables and groups lead to one another in their types: apart they would be an import cycle.
  'packages/dsl/src/streams.ts': 822,
};

/** Third parties that only one package may import, in at most so many of its files (tests not counted). */
export const thirdPartyHomes: Readonly<Record<string, { readonly folder: string; readonly filesMax: number }>> = {
  kafkajs: { folder: 'packages/transport-kafkajs', filesMax: 1 },
  'classic-level': { folder: 'packages/state-leveldb', filesMax: 3 },
};
