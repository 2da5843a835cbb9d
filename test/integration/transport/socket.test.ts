import { createSocketTransport } from '@millrace/client/socket';
import { describeTransportWithKafka } from './transport-suites.ts';

describeTransportWithKafka('the socket transport', { createTransport: createSocketTransport });
