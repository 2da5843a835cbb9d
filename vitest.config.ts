import { defineConfig } from 'vitest/config';

const source = { resolve: { conditions: ['@millrace/source'] }, ssr: { resolve: { conditions: ['@millrace/source'], externalConditions: ['@millrace/source'] } } };
export default defineConfig({
  ...source,
  test: { include: ['packages/*/src/**/*.test.ts'], passWithNoTests: false },
});
