import type { Api, Field, Fields, ResponseInput } from '@millrace/wire';

type Values = Record<string, unknown>;

/** Lists of the response whose elements stand for elements of the request, by the names that both sides give them. */
const requestListOf: Readonly<Record<string, string>> = {
  responses: 'topics',
  partitionResponses: 'partitionData',
  results: 'resources',
  resultsByTopic: 'topics',
  resultsByPartition: 'partitions',
  coordinators: 'coordinatorKeys',
};
/** Fields of the request that the response repeats under another name. */
const requestFieldOf: Readonly<Record<string, string>> = { partitionIndex: 'partition' };

/**
 * The response that refuses a request as a whole: every error code in it is the given one, and where the response has an entry
 * for each topic, partition or key of the request, each is refused.
 */
export function errorResponse(api: Api, request: unknown, errorCode: number): ResponseInput<Api> {
  return refused(api.response, request as Values, errorCode) as ResponseInput<Api>;
}

function refused(fields: Fields, asked: Values, errorCode: number): Values {
  const response: Values = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = refusedValue(name, field, asked, errorCode);
    if (value !== undefined) response[name] = value;
  }
  return response;
}

function refusedValue(name: string, { type, options }: Field, asked: Values, errorCode: number): unknown {
  if (/errorCode$/i.test(name) && name !== 'topicConfigErrorCode') return errorCode;
  if (type.kind === 'array') {
    const elements = askedList(name, asked);
    const isStruct = type.element.type.kind === 'struct';
    return elements === undefined || !isStruct ? [] : elements.map((one) => refusedElement(type.element, one, errorCode));
  }
  if (type.kind === 'struct') return undefined;
  const repeated = asked[name] ?? asked[requestFieldOf[name] ?? ''];
  if (repeated !== undefined && typeof repeated !== 'object') return repeated;
  return options.default !== undefined || options.nullable !== undefined ? undefined : emptyOf(type.kind);
}

function askedList(name: string, asked: Values): readonly unknown[] | undefined {
  for (const candidate of [name, requestListOf[name] ?? '', 'topicData', 'groupsNames', 'partitionIndexes', 'partitions']) {
    const list = asked[candidate];
    if (Array.isArray(list)) return list;
  }
  return undefined;
}

function refusedElement(element: Field, asked: unknown, errorCode: number): Values {
  if (element.type.kind !== 'struct') return {};
  // A list of plain numbers or names becomes a list of structs: the value is what identifies it.
  const identity = { partitionIndex: asked, partition: asked, key: asked, name: asked, groupId: asked };
  const values = typeof asked === 'object' && asked !== null ? (asked as Values) : identity;
  return refused(element.type.fields, values, errorCode);
}

function emptyOf(kind: string): unknown {
  switch (kind) {
    case 'string':
      return '';
    case 'bytes':
      return Buffer.alloc(0);
    case 'boolean':
      return false;
    default:
      return -1;
  }
}
