/**
 * True when the pattern matches the whole name of the topic, as Kafka's pattern subscriptions do: `in.*` reads `input`, but
 * not `main`.
 */
export function matchesTopic(pattern: RegExp, topic: string): boolean {
  const match = new RegExp(`^(?:${pattern.source})$`, pattern.flags.replace(/[gy]/g, ''));
  return match.test(topic);
}

/** True for patterns that match the same topics: same text, same flags. */
export function samePattern(a: RegExp, b: RegExp): boolean {
  return a.source === b.source && a.flags === b.flags;
}
