import { describeTransportConnections } from '@millrace/client/contract';
import { createSocketTransport } from '@millrace/client/socket';
import { scriptedEnvironment } from './scripted-environment.ts';

describeTransportConnections('the socket transport', { createTransport: createSocketTransport }, scriptedEnvironment);
