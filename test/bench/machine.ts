import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { percentile } from './statistics.ts';

const FLUSHES = 200;
const BLOCK = Buffer.alloc(4096, 1);

/** Times of writing 4 KiB at a file's end and flushing it, in milliseconds: what the disk asks of every append. */
export function measureFsync(folder: string): { readonly p50: number; readonly p99: number } {
  const file = join(folder, 'fsync-probe');
  const descriptor = openSync(file, 'w');
  const times: number[] = [];
  for (let flush = 0; flush < FLUSHES; flush += 1) {
    const began = performance.now();
    writeSync(descriptor, BLOCK);
    fdatasyncSync(descriptor);
    times.push(performance.now() - began);
  }
  closeSync(descriptor);
  rmSync(file);
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

/** One line about where the figures are from, in Markdown. */
export function describeMachine(scale: number): string {
  const gib = Math.round(totalmem() / 1024 ** 3);
  const [load = 0] = loadavg();
  const model = cpus()[0]?.model.trim() ?? 'unknown CPU';
  const { platform, arch, version } = process;
  return (
    `${availableParallelism()} cores (${model}), ${gib} GiB, ${platform} ${arch}, Node ${version}, ` +
    `load ${load.toFixed(1)} at the start, scale ${scale}, ${new Date().toISOString().slice(0, 10)}.`
  );
}
