import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, platform, totalmem } from 'node:os';

/** The founding document's classes of devices, by their RAM: 4, 8, 16 and 32 GB. */
export const TIERS = ['ultra-low', 'low', 'mid', 'high'] as const;
export type Tier = (typeof TIERS)[number];

export const TIER_RAM_BYTES: Readonly<Record<Tier, number>> = {
  'ultra-low': 4e9,
  low: 8e9,
  mid: 16e9,
  high: 32e9,
};

/** Share of a device's RAM that the two models of a pair may take. The device needs the rest for other things. */
const SHARE_FOR_MODELS = 2 / 3;
/** A machine sold with 8 GB reports less, because firmware and graphics use a part. */
const REPORTED_SHARE = 0.85;

export interface Device {
  /** Null if it has too little RAM for any public pair. The miniature models still run on it. */
  readonly tier: Tier | null;
  /** RAM that this process may use: the machine's RAM, or the container's limit if that is lower. */
  readonly ramBytes: number;
  readonly cores: number;
  readonly cpu: string;
  readonly arch: string;
  readonly platform: string;
  /** Vendor of the loaded driver. Null if none was found, although there may still be a GPU. */
  readonly gpu: 'nvidia' | null;
}

/** Detects the machine that this process runs on. Reads a few small files and starts nothing. */
export function detectDevice(): Device {
  const limit = containerLimit();
  const ramBytes = Math.min(totalmem(), limit ?? Number.POSITIVE_INFINITY);
  return {
    tier: tierOf(ramBytes),
    ramBytes,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    arch: arch(),
    platform: platform(),
    gpu: readIfThere('/proc/driver/nvidia/version') ? 'nvidia' : null,
  };
}

/** The highest tier that this much RAM belongs to, as the operating system reports it. */
export function tierOf(ramBytes: number): Tier | null {
  return TIERS.findLast((tier) => ramBytes >= TIER_RAM_BYTES[tier] * REPORTED_SHARE) ?? null;
}

/** Whether a device of this tier can hold both models in memory and still has enough RAM for everything else. */
export function pairFits(tier: Tier, pair: readonly [{ ramBytes: number }, { ramBytes: number }]): boolean {
  return pair[0].ramBytes + pair[1].ramBytes <= TIER_RAM_BYTES[tier] * SHARE_FOR_MODELS;
}

function containerLimit(): number | null {
  const text = readIfThere('/sys/fs/cgroup/memory.max');
  const limit = Number(text);
  return text && Number.isFinite(limit) && limit > 0 ? limit : null;
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
