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

/** Share of a device's RAM that the two models of a pair may take: it has other things to do. */
const SHARE_FOR_MODELS = 2 / 3;
/** A machine sold with 8 GB reports less, as firmware and graphics keep a part. */
const REPORTED_SHARE = 0.85;

export interface Device {
  /** Null when it has too little RAM for any public pair; the miniature models run there too. */
  readonly tier: Tier | null;
  /** What this process may use: the machine's RAM, or the container's limit where that is lower. */
  readonly ramBytes: number;
  readonly cores: number;
  readonly cpu: string;
  readonly arch: string;
  readonly platform: string;
  /** Whose driver is loaded; null when none was found, which does not mean that there is no GPU. */
  readonly gpu: 'nvidia' | null;
}

/** Looks at the machine that this process runs on; reads a few small files and starts nothing. */
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

/** The highest tier that this much RAM (as an operating system reports it) belongs to. */
export function tierOf(ramBytes: number): Tier | null {
  return TIERS.findLast((tier) => ramBytes >= TIER_RAM_BYTES[tier] * REPORTED_SHARE) ?? null;
}

/** Whether two models, held in memory at once, leave a device of this tier enough RAM for everything else. */
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
