import { defineConfig } from 'vitest/config';

/** Tests run against the sources of every workspace package: nothing has to be built first. */
const conditions = ['@millrace/source'];

/** One project per kind of test; `npm test` runs all that need neither a broker nor a network. */
function project(name: string, include: readonly string[], options: Record<string, unknown> = {}) {
  return { extends: true as const, test: { name, include: [...include], ...options } };
}

/** Integration tests that say nothing about the development broker beyond what they say beside a real Kafka. */
const embeddedExcluded = [
  // Compare it with Kafka, or run foreign programs on a development broker of their own.
  'test/integration/broker/{differential,java-tools,kafka-streams,kcat}.test.ts',
  // What one program wrote the other one continues: the bytes are theirs, and Kafka Streams needs Java.
  'test/integration/interop/**',
  // Start and stop a Kafka, the latter with credentials and an authorizer.
  'test/integration/local-broker.test.ts',
  'test/integration/runtime/revoked-access.test.ts',
  // About the disk, whatever the broker is, and slow.
  'test/integration/runtime/{state-faults,read-only-state}.test.ts',
  // Needs the group protocol of KIP-1071, which the development broker does not know.
  'test/integration/runtime/streams-protocol.test.ts',
  // Brings a development broker of its own as well.
  'test/integration/example/orders-payments.test.ts',
];

/** Five times what the longest of them take on a quiet machine: processes and brokers start and restart in them. */
const integrationPatience = { testTimeout: 180_000, hookTimeout: 120_000, expect: { poll: { timeout: 30_000 } } };

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    passWithNoTests: false,
    allowOnly: false,
    // No test leaves anything behind in a module: sharing the loaded modules saves two thirds of the time.
    isolate: false,
    // Limits are there to end what hangs, not to measure: a busy machine may stand still for seconds at any time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    // Also on a machine with two cores the tests that wait for a disk should not hold up the others.
    maxWorkers: '100%',
    exclude: ['**/node_modules/**', '**/dist/**', '**/.*/**'],
    projects: [
      project('unit', [
        'packages/*/src/**/*.test.ts',
        'examples/*/**/*.test.ts',
        'bench/**/*.test.ts',
        'test/kafka/**/*.test.ts',
        'test/oracle/**/*.test.ts',
        'test/faults/driver/**/*.test.ts',
        'test/faults/soak/**/*.test.ts',
      ]),
      project('contract', ['test/contract/**/*.test.ts', 'test/broker/**/*.test.ts']),
      project('conformance', ['test/conformance/**/*.test.ts']),
      project('simulation', ['test/simulation/**/*.test.ts']),
      project('architecture', ['test/architecture/**/*.test.ts']),
      project('integration', ['test/integration/**/*.test.ts'], {
        globalSetup: ['test/integration/kafka-set-up.ts'],
        exclude: ['test/integration/embedded/**'],
        fileParallelism: false,
        isolate: true,
        ...integrationPatience,
      }),
      project('embedded', ['test/integration/**/*.test.ts'], {
        globalSetup: ['test/integration/embedded-set-up.ts'],
        exclude: embeddedExcluded,
        maxWorkers: 2,
        isolate: true,
        ...integrationPatience,
      }),
      project('faults', ['test/faults/*.test.ts'], {
        globalSetup: ['test/faults/rig/broker-set-up.ts'],
        fileParallelism: false,
        // The longest takes 45 s where nothing else runs: several processes start, and sessions run out.
        testTimeout: 300_000,
        hookTimeout: 60_000,
      }),
    ],
  },
});
