import { connectionOptions, identityOptions, type OptionEntry } from '../arguments/option-table.ts';

/** Every option of `millrace reset`, in the order of the help text. */
export const resetOptionTable: readonly OptionEntry[] = [
  ...connectionOptions,
  ...identityOptions,
  { flags: '--execute', description: 'do it; without this the command only says what it would do' },
  { flags: '--to-earliest', description: 'read the inputs again from their beginnings (default)' },
  { flags: '--to-latest', description: 'skip what the inputs hold' },
  { flags: '--to-offset <offset>', description: 'to this offset in every partition' },
  {
    flags: '--to-datetime <time>',
    description: 'to the first records of this time or later: 2026-01-31T12:00:00, UTC unless it says +02:00',
  },
  { flags: '--by-duration <duration>', description: 'to the first records that are not older: P7D, PT1H30M' },
  { flags: '--shift-by <records>', description: 'so many records on from what is committed; negative: back' },
  { flags: '--intermediate-topics <names>', description: 'inputs that the application writes itself: skipped to their ends' },
  { flags: '--internal-topics <names>', description: 'delete only these internal topics; also names ones of older versions' },
  { flags: '--force', description: 'remove members from the group, for workers that died a moment ago' },
  { flags: '--json', description: 'print the plan as one JSON object' },
];
