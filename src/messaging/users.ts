import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { NatsUser } from './permissions.ts';
import {
  agentUser,
  agentUserName,
  CLIENT_USER,
  clientUser,
  NETWORK_USER,
  networkUser,
} from './permissions.ts';
import { writePrivateFile } from './private-file.ts';

const passwordsSchema = z.record(z.string(), z.string().min(16));

/** The file with the passwords of the broker's users. Only its owner can read it. */
export function usersFile(dataDir: string): string {
  return join(dataDir, 'nats-users.json');
}

/**
 * The broker's users with their permissions: the network, the clients, and an agent for each device. A user gets a
 * password when it is first named; `usersFile(dataDir)` keeps it.
 */
export async function loadNatsUsers(dataDir: string, devices: readonly string[]): Promise<NatsUser[]> {
  const known = await readPasswords(dataDir);
  const passwords = { ...known };
  for (const name of [NETWORK_USER, CLIENT_USER, ...devices.map(agentUserName)]) {
    passwords[name] ??= randomBytes(24).toString('base64url');
  }
  if (Object.keys(passwords).length > Object.keys(known).length) {
    await writePrivateFile(usersFile(dataDir), `${JSON.stringify(passwords, null, 2)}\n`);
  }
  const passwordOf = (name: string): string => passwords[name] ?? '';
  return [
    networkUser(passwordOf(NETWORK_USER)),
    clientUser(passwordOf(CLIENT_USER)),
    ...devices.map((device) => agentUser(device, passwordOf(agentUserName(device)))),
  ];
}

/** The password of one of the broker's users, or null if there is no such user or file. */
export async function readNatsPassword(dataDir: string, user: string): Promise<string | null> {
  return (await readPasswords(dataDir))[user] ?? null;
}

async function readPasswords(dataDir: string): Promise<Record<string, string>> {
  const path = usersFile(dataDir);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  try {
    return passwordsSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new Error(
      `${path} does not contain the passwords of the message broker. Nothing was changed. ` +
        'Delete the file and start again. This makes new passwords, which agents on other machines then need.',
      { cause },
    );
  }
}
