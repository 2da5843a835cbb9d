/** Why records are dropped: fixed texts, as each becomes the value of a metric label. */
export const dropReasons = {
  nullKey: 'null key',
  nullKeyOrValue: 'null key or value',
  notLatest: 'older than the row of the versioned table',
  nullForeignKey: 'null foreign key',
  staleResponse: 'out-of-date answer of a foreign-key join',
  expiredWindow: 'expired window',
} as const;
