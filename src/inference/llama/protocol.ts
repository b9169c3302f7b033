import type { InferenceFailure, InferenceRequest, InferenceResult } from '../port.ts';

/** The worker's only argument, as JSON. */
export interface WorkerOptions {
  readonly gpu: boolean;
  readonly cores: number;
  readonly maxModels: number;
  readonly memoryBytes: number;
}

export type ToWorker =
  | {
      readonly type: 'infer';
      readonly id: number;
      readonly path: string;
      readonly request: InferenceRequest;
    }
  | { readonly type: 'abort'; readonly id: number };

/** Every `infer` is answered once, by `done`, `failed` or `aborted`. */
export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'loading' | 'loaded'; readonly path: string }
  | { readonly type: 'done'; readonly id: number; readonly result: InferenceResult }
  | {
      readonly type: 'failed';
      readonly id: number;
      readonly reason: InferenceFailure;
      readonly message: string;
    }
  | { readonly type: 'aborted'; readonly id: number }
  | { readonly type: 'log'; readonly message: string };
