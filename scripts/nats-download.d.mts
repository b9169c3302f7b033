export interface DownloadOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly log?: (line: string) => void;
  readonly baseUrl?: string;
  readonly version?: string;
  readonly archive?: string | null;
  readonly pinned?: Readonly<Record<string, string>>;
  readonly stallMs?: number;
}
export function archiveName(version: string, platform?: string, cpu?: string): string | null;
export function downloadRelease(options?: DownloadOptions): Promise<string>;
export function fetchFromDebian(options?: Pick<DownloadOptions, 'env' | 'log'>): Promise<string>;
