export interface LockEntry {
  readonly version?: string;
  readonly name?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly resolved?: string;
  readonly optional?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
export interface Lock {
  readonly packages: Readonly<Record<string, LockEntry>>;
}
export function platformOf(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'> | null;
export function faultsOf(lock: Lock): string[];
export function completeLock(lock: Lock): Lock;
