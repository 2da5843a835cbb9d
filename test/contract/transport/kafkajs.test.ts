import { describeTransportConnections } from '@millrace/client/contract';
import { createKafkajsTransport } from '@millrace/transport-kafkajs';
import { scriptedEnvironment } from './scripted-environment.ts';

describeTransportConnections('the kafkajs transport', { createTransport: createKafkajsTransport }, scriptedEnvironment);
