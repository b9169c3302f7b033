import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Lock } from '../../scripts/complete-lock.mjs';
import { completeLock, faultsOf, platformOf } from '../../scripts/complete-lock.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

describe('the lock file', () => {
  const lock: Lock = JSON.parse(readFileSync(`${root}package-lock.json`, 'utf8'));

  it('has the optional packages of all platforms, each for its platform only, without addresses', () => {
    expect(faultsOf(lock)).toEqual([]);
  });

  it('has checksums for all packages of all platforms that the registry has', () => {
    const entries = Object.entries(lock.packages).filter(([path]) => path !== '');
    const without = entries.filter(([, entry]) => !('integrity' in entry));
    expect(without.every(([, entry]) => entry.optional === true)).toBe(true);
  });

  it('gets the platform of a package from its name', () => {
    expect(platformOf('@a/linux-x64-musl')).toEqual({ os: ['linux'], cpu: ['x64'], libc: ['musl'] });
    expect(platformOf('@node-llama-cpp/mac-arm64-metal')).toEqual({ os: ['darwin'], cpu: ['arm64'] });
    expect(platformOf('@node-llama-cpp/linux-armv7l')).toEqual({ os: ['linux'], cpu: ['arm'] });
    expect(platformOf('fsevents')).toBeNull();
  });

  it('gets missing entries, and no other changes', () => {
    const broken: Lock = {
      packages: {
        '': {},
        'node_modules/tool': {
          version: '1.2.3',
          optionalDependencies: {
            '@tool/linux-x64': '1.2.3',
            '@tool/darwin-arm64': '1.2.3',
            '@tool/gpu-linux-x64': '1.2.3',
          },
        },
        'node_modules/@tool/linux-x64': {
          version: '1.2.3',
          os: ['linux'],
          cpu: ['x64', 'arm64'],
          resolved: 'https://x',
        },
        'node_modules/@tool/gpu-linux-x64': { version: '9', name: 'other', os: ['aix'], cpu: ['ppc64'] },
      },
    };
    expect(faultsOf(broken)).toHaveLength(3);
    const complete = completeLock(broken);
    expect(faultsOf(complete)).toEqual([]);
    expect(complete.packages['node_modules/@tool/darwin-arm64']).toEqual({
      version: '1.2.3',
      optional: true,
      os: ['darwin'],
      cpu: ['arm64'],
    });
    expect(complete.packages['node_modules/@tool/linux-x64']).toEqual({
      version: '1.2.3',
      os: ['linux'],
      cpu: ['x64'],
    });
    expect(complete.packages['node_modules/@tool/gpu-linux-x64']?.name).toBe('other');
    expect(completeLock(complete)).toEqual(complete);
  });
});
