import { readFileSync } from 'node:fs';
import { kitTable, type KitResult } from './kit-table.ts';

const results = process.argv.slice(2).flatMap((path) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as KitResult),
);
console.log(kitTable(results));
