/** Configuration of a topic, in Kafka's words. */
type Configs = Readonly<{ [name: string]: string }>;

/**
 * What is wrong with the configuration that an internal topic has on the broker: settings that would lose records which it must keep.
 * Whatever else differs is the operator's affair.
 *
 * Source: Kafka Streams `InternalTopicManager.validate`.
 *
 * @param wanted as the topic would be created
 * @param found as it is
 * @returns one line for each difference, empty when it can be used
 */
export function configProblems(wanted: Configs, found: ReadonlyMap<string, string>): string[] {
  return [...policyProblems(wanted, found), ...retentionProblems(wanted, found), ...timestampProblems(wanted, found)];
}

function policyProblems(wanted: Configs, found: ReadonlyMap<string, string>): string[] {
  const [need, has] = [policiesIn(wanted['cleanup.policy']), policiesIn(found.get('cleanup.policy'))];
  if (need.size === 0 || has.size === 0) return [];
  const mustNotDelete = !need.has('delete') && has.has('delete');
  const mustNotCompact = !need.has('compact') && has.has('compact');
  if (!mustNotDelete && !mustNotCompact) return [];
  return [`cleanup.policy is ${found.get('cleanup.policy')}, it must be ${wanted['cleanup.policy']}`];
}

/** Time and size after which records are deleted; they count only where something is deleted. */
function retentionProblems(wanted: Configs, found: ReadonlyMap<string, string>): string[] {
  if (!policiesIn(wanted['cleanup.policy']).has('delete') || !policiesIn(found.get('cleanup.policy')).has('delete')) return [];
  const problems: string[] = [];
  const [need, has] = [wanted['retention.ms'], found.get('retention.ms')];
  if (need !== undefined && has !== undefined && limitOf(has) < limitOf(need)) {
    problems.push(`retention.ms is ${has}, it must be ${need}${need === '-1' ? '' : ' or more'}`);
  }
  const bytes = found.get('retention.bytes');
  if (wanted['retention.bytes'] === undefined && bytes !== undefined && bytes !== '-1') {
    problems.push(`retention.bytes is ${bytes}, it must be -1`);
  }
  return problems;
}

function timestampProblems(wanted: Configs, found: ReadonlyMap<string, string>): string[] {
  const [need, has] = [wanted['message.timestamp.type'], found.get('message.timestamp.type')];
  return need === undefined || has === undefined || need === has ? [] : [`message.timestamp.type is ${has}, it must be ${need}`];
}

function policiesIn(text: string | undefined): ReadonlySet<string> {
  return new Set(
    (text ?? '')
      .split(',')
      .map((policy) => policy.trim())
      .filter((policy) => policy !== ''),
  );
}

/** −1 is no limit. */
function limitOf(text: string): number {
  return text === '-1' ? Infinity : Number(text);
}
