import { createKafkajsTransport } from '@millrace/transport-kafkajs';
import { describeTransportWithKafka } from './transport-suites.ts';

describeTransportWithKafka('the kafkajs transport', { createTransport: createKafkajsTransport });
