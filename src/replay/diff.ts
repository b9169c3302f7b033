import { canonicalJson } from '../events/envelope.ts';
import type { Rows } from './memory-model.ts';

/** How the rows of one projection changed between two moments, by key. */
export interface RowsDiff {
  readonly added: readonly Entry[];
  readonly removed: readonly Entry[];
  readonly changed: readonly ChangedEntry[];
}

export interface Entry {
  readonly key: string;
  readonly row: unknown;
}

export interface ChangedEntry {
  readonly key: string;
  readonly fields: readonly FieldChange[];
}

/** `field` is a path such as `genome.samplingParams.temperature`. A missing value is undefined. */
export interface FieldChange {
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

export function diffRows(before: Rows, after: Rows): RowsDiff {
  const added: Entry[] = [];
  const removed: Entry[] = [];
  const changed: ChangedEntry[] = [];
  for (const key of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    if (!before.has(key)) added.push({ key, row: after.get(key) });
    else if (!after.has(key)) removed.push({ key, row: before.get(key) });
    else {
      const fields = diffFields(before.get(key), after.get(key));
      if (fields.length > 0) changed.push({ key, fields });
    }
  }
  return { added, removed, changed };
}

/** The differences between two values. Objects are compared member by member, anything else as a whole. */
export function diffFields(from: unknown, to: unknown, path = ''): readonly FieldChange[] {
  if (from === to) return [];
  if (isRecord(from) && isRecord(to)) {
    const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].sort();
    return names.flatMap((name) => diffFields(from[name], to[name], path === '' ? name : `${path}.${name}`));
  }
  return same(from, to) ? [] : [{ field: path, from, to }];
}

function same(one: unknown, other: unknown): boolean {
  if (typeof one !== 'object' || typeof other !== 'object') return false;
  return canonicalJson(one) === canonicalJson(other);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
