export interface Mutant {
  readonly file: string;
  readonly line: number;
  readonly mutator: string;
  readonly status: string;
  readonly before: string;
  readonly after: string;
}

export type Explanations = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Sorted {
  readonly died: readonly Mutant[];
  readonly explained: readonly Mutant[];
  readonly survivors: readonly Mutant[];
  readonly stale: readonly { readonly file: string; readonly after: string }[];
}

interface Place {
  readonly line: number;
  readonly column: number;
}

export function changeOf(
  mutant: { readonly location: { readonly start: Place; readonly end: Place }; readonly replacement: string },
  source: string,
): { readonly before: string; readonly after: string };
export function sorted(mutants: readonly Mutant[], explanations: Explanations): Sorted;
export function shortcomings(sorted: Omit<Sorted, 'explained'>): readonly string[];
export function shareOf(died: readonly Mutant[], survivors: readonly Mutant[]): number | null;
export function percent(share: number): string;
