export const NATS_SERVER_VERSION: string;
export const BINARY: string;
export function cacheFolder(env?: NodeJS.ProcessEnv): string;
export function releasePath(env?: NodeJS.ProcessEnv): string;
export function debianPath(env?: NodeJS.ProcessEnv): string;
export function findNatsServer(env?: NodeJS.ProcessEnv, usualFolders?: readonly string[]): string | null;
