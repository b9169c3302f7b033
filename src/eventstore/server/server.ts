import { randomUUID } from 'node:crypto';
import gossipService from '@eventstore/db-client/generated/gossip_grpc_pb.js';
import gossip from '@eventstore/db-client/generated/gossip_pb.js';
import featuresService from '@eventstore/db-client/generated/serverfeatures_grpc_pb.js';
import features from '@eventstore/db-client/generated/serverfeatures_pb.js';
import shared from '@eventstore/db-client/generated/shared_pb.js';
import streamsService from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { handleUnaryCall } from '@grpc/grpc-js';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import type { ReadCall, ReadMessage } from './read-service.ts';
import { serveRead } from './read-service.ts';
import type { Storage } from './storage.ts';
import { serveAppend, serveBatchAppend, serveDelete, serveTombstone } from './write-service.ts';

/** The EventStoreDB version whose behaviour this server follows and reports to clients. */
const serverVersion = '23.10.8';

/** Loopback only, because there is no TLS and no password. */
const host = '127.0.0.1';

/**
 * The client sends frames of up to 3 MiB, and single events of any size. Appends that are too large get a
 * specific answer.
 */
const maxMessageBytes = 17 * 1024 * 1024;

export interface RunningServer {
  readonly port: number;
  /** Ends all calls at once. Everything acknowledged is on disk. */
  readonly stop: () => void;
}

/** Listens on the loopback address. `port` 0 takes any free port. Rejects if the port is in use. */
export async function startServer(storage: Storage, port: number): Promise<RunningServer> {
  const server = new Server({ 'grpc.max_receive_message_length': maxMessageBytes });
  let boundPort = port;

  server.addService(readsEncodedEvents(), {
    read: (call: ReadCall) => void serveRead(storage, call),
    append: (call: Parameters<typeof serveAppend>[1], answer: Parameters<typeof serveAppend>[2]) =>
      serveAppend(storage, call, answer),
    batchAppend: (call: Parameters<typeof serveBatchAppend>[1]) => serveBatchAppend(storage, call),
    delete: (call: Parameters<typeof serveDelete>[1], answer: Parameters<typeof serveDelete>[2]) =>
      void serveDelete(storage, call, answer),
    tombstone: (call: Parameters<typeof serveTombstone>[1], answer: Parameters<typeof serveTombstone>[2]) =>
      void serveTombstone(storage, call, answer),
  });
  const getSupportedMethods: handleUnaryCall<shared.Empty, features.SupportedMethods> = (_call, answer) => {
    answer(null, supportedMethods());
  };
  server.addService(featuresService.ServerFeaturesService, { getSupportedMethods });
  const read: handleUnaryCall<shared.Empty, gossip.ClusterInfo> = (_call, answer) => {
    answer(null, clusterOfOne(boundPort));
  };
  server.addService(gossipService.GossipService, { read });

  boundPort = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(new Error(portTaken(port, error), { cause: error }));
    });
  });
  return { port: boundPort, stop: () => server.forceShutdown() };
}

function portTaken(port: number, error: Error): string {
  return (
    `The event store cannot listen on port ${port} of ${host}; it is probably in use (${error.message}). ` +
    'Nothing was changed. Choose another port with --port, or 0 for any free port.'
  );
}

/** The streams service. Its reads also accept encoded events. */
function readsEncodedEvents() {
  const { StreamsService } = streamsService;
  const responseSerialize = (message: ReadMessage): Buffer =>
    Buffer.isBuffer(message) ? message : StreamsService.read.responseSerialize(message);
  return { ...StreamsService, read: { ...StreamsService.read, responseSerialize } };
}

/**
 * The methods that clients may call. Clients compare names in lower case, and refuse methods that are not
 * listed.
 */
function supportedMethods(): features.SupportedMethods {
  const services = [streamsService.StreamsService, gossipService.GossipService];
  const methods = services
    .flatMap((service) => Object.values(service))
    .map(({ path }) => {
      const [, serviceName = '', methodName = ''] = path.toLowerCase().split('/');
      return new features.SupportedMethod().setServiceName(serviceName).setMethodName(methodName);
    });
  return new features.SupportedMethods().setMethodsList(methods).setEventStoreServerVersion(serverVersion);
}

/** A cluster with one node, its leader, for clients that use discovery. */
function clusterOfOne(port: number): gossip.ClusterInfo {
  const member = new gossip.MemberInfo()
    .setInstanceId(new shared.UUID().setString(randomUUID()))
    .setTimeStamp(`${Date.now()}0000`)
    .setState(gossip.MemberInfo.VNodeState.LEADER)
    .setIsAlive(true)
    .setHttpEndPoint(new gossip.EndPoint().setAddress(host).setPort(port));
  return new gossip.ClusterInfo().setMembersList([member]);
}
