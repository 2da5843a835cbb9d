/**
 * Compares sizes over a limit with the recorded exceptions: nothing new may exceed it, nothing recorded may grow, and a
 * record that is no longer needed has to go.
 */
export function ratchet(sizes: ReadonlyMap<string, number>, limit: number, recorded: Readonly<Record<string, number>>): string[] {
  const violations: string[] = [];
  for (const [name, size] of sizes) {
    const allowed = recorded[name] ?? limit;
    if (size > allowed) violations.push(`${name} has ${size} lines; at most ${allowed}`);
  }
  for (const [name, size] of Object.entries(recorded)) {
    const now = sizes.get(name) ?? 0;
    if (now <= limit) violations.push(`${name} is recorded with ${size} lines and no longer exceeds ${limit}; remove the record`);
    else if (now < size) violations.push(`${name} shrank from ${size} to ${now} lines; lower the record`);
  }
  return violations;
}
