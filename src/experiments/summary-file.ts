import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { SUMMARY_FILE, SUMMARY_SCHEMA, Summary } from './summary.ts';

/** The summary of an experiment cannot be read. Nothing was written. */
export class UnreadableExperimentError extends Error {
  override readonly name = 'UnreadableExperimentError';
}

/** Reads the summary in the output folder of an experiment. Throws `UnreadableExperimentError`. */
export async function readSummary(folder: string): Promise<Summary> {
  const file = join(folder, SUMMARY_FILE);
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UnreadableExperimentError(
      error.code === 'ENOENT'
        ? `There is no folder ${folder}.`
        : error.code === 'ENOTDIR'
          ? `${folder} is not a folder. Give the output folder of an experiment.`
          : `${folder} cannot be read: ${error.message}.`,
      { cause: error },
    );
  });
  if (!entries.includes(SUMMARY_FILE)) {
    throw new UnreadableExperimentError(
      `${folder} has no ${SUMMARY_FILE}: it is not the folder of an experiment, or the experiment has not finished.`,
    );
  }
  const text = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UnreadableExperimentError(`${file} cannot be read: ${error.message}.`, { cause: error });
  });
  return parseSummary(file, text);
}

function parseSummary(file: string, text: string): Summary {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UnreadableExperimentError(
      `${file} is not JSON (${error instanceof Error ? error.message : String(error)}). It was cut off or edited. Run the experiment again into a new folder.`,
      { cause: error },
    );
  }
  const found = z.object({ schema: z.string() }).safeParse(value);
  if (found.success && found.data.schema !== SUMMARY_SCHEMA) {
    throw new UnreadableExperimentError(
      `${file} has the schema ${found.data.schema}, and this version reads ${SUMMARY_SCHEMA}. Use the version of dellm that wrote it, or a later one.`,
    );
  }
  const parsed = Summary.safeParse(value);
  if (!parsed.success) {
    const [first] = parsed.error.issues;
    const place = first && first.path.length > 0 ? `${first.path.map(String).join('.')}: ` : '';
    const more = parsed.error.issues.length > 1 ? ` (and ${parsed.error.issues.length - 1} more)` : '';
    throw new UnreadableExperimentError(
      `${file} is not the summary of an experiment: ${place}${first?.message ?? 'it has another form'}${more}.`,
    );
  }
  return parsed.data;
}
