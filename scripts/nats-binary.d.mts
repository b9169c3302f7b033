export const NATS_SERVER_VERSION: string;
export function cacheFolder(env?: NodeJS.ProcessEnv): string;
export function cachedNatsServer(version: string, env?: NodeJS.ProcessEnv): string;
export function findNatsServer(env?: NodeJS.ProcessEnv): string | null;
