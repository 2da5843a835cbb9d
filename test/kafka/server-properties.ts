/** Ports of one broker; all on 127.0.0.1. The last three exist only on a secure broker. */
export interface BrokerPorts {
  readonly plaintext: number;
  readonly controller: number;
  readonly ssl?: number;
  readonly saslPlaintext?: number;
  readonly saslSsl?: number;
}

export interface BrokerUser {
  readonly username: string;
  readonly password: string;
}

export interface KeyStore {
  readonly path: string;
  readonly password: string;
}

export interface ServerSettings {
  readonly ports: BrokerPorts;
  readonly dataDir: string;
  readonly keyStore?: KeyStore;
  readonly users: readonly BrokerUser[];
  /** Extra broker settings; they override ours. */
  readonly extra: Readonly<Record<string, string>>;
}

const oneNode = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.listener.names': 'CONTROLLER',
  'inter.broker.listener.name': 'PLAINTEXT',
  'num.partitions': '1',
  'auto.create.topics.enable': 'false',
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '1',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '1',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'share.coordinator.state.topic.num.partitions': '1',
};

/**
 * Groups form at once and lose members fast, a killed broker may register again soon, and records of any age stay. The scan for timed-out transactions keeps
 * Kafka's default: with a shorter one, a broker that was killed can lose the markers of transactions it aborts at start.
 */
const forTests = {
  'broker.session.timeout.ms': '4000',
  'broker.heartbeat.interval.ms': '500',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  'group.consumer.min.session.timeout.ms': '1000',
  'group.consumer.min.heartbeat.interval.ms': '500',
  'log.retention.ms': '-1',
};

/** The text of a `server.properties` for one KRaft node that is broker and controller. */
export function serverProperties(settings: ServerSettings): string {
  const all = {
    ...oneNode,
    ...listeners(settings.ports),
    'log.dirs': settings.dataDir,
    ...forTests,
    ...security(settings),
    ...settings.extra,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

function listeners(ports: BrokerPorts): Record<string, string> {
  const all = [
    ['PLAINTEXT', ports.plaintext],
    ['SSL', ports.ssl],
    ['SASL_PLAINTEXT', ports.saslPlaintext],
    ['SASL_SSL', ports.saslSsl],
  ] as const;
  const clients = all.flatMap(([name, port]) => (port === undefined ? [] : [`${name}://127.0.0.1:${port}`]));
  return {
    listeners: [...clients, `CONTROLLER://127.0.0.1:${ports.controller}`].join(','),
    'advertised.listeners': clients.join(','),
    'controller.quorum.voters': `1@127.0.0.1:${ports.controller}`,
    'listener.security.protocol.map': `CONTROLLER:PLAINTEXT,${all.map(([name]) => `${name}:${name}`).join(',')}`,
  };
}

function security({ keyStore, users }: ServerSettings): Record<string, string> {
  if (keyStore === undefined) return {};
  const plainUsers = users.map(({ username, password }) => `user_${username}="${password}"`).join(' ');
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required ${plainUsers};`;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const perListener = ['sasl_plaintext', 'sasl_ssl'].flatMap((name) => [
    [`listener.name.${name}.plain.sasl.jaas.config`, plain],
    [`listener.name.${name}.scram-sha-256.sasl.jaas.config`, scram],
    [`listener.name.${name}.scram-sha-512.sasl.jaas.config`, scram],
  ]);
  return {
    'ssl.keystore.type': 'PKCS12',
    'ssl.keystore.location': keyStore.path,
    'ssl.keystore.password': keyStore.password,
    'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
    ...(Object.fromEntries(perListener) as Record<string, string>),
  };
}
