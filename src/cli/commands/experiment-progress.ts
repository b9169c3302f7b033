import type { ExperimentEngine } from '../../experiments/engines.ts';
import type { ExperimentProgress } from '../../experiments/experiment.ts';

/** On a terminal one line that changes. Otherwise a line every ten seconds, for logs. */
export function progressTo(
  stream: NodeJS.WriteStream,
  { simulated }: Pick<ExperimentEngine, 'simulated'>,
): (progress: ExperimentProgress) => void {
  const startedAt = performance.now();
  let shownAt = Number.NEGATIVE_INFINITY;
  return ({ arm, seed, generation, done, doneBefore, total, record }) => {
    const now = performance.now();
    const isLast = done === total;
    if (!isLast && now - shownAt < (stream.isTTY ? 200 : 10_000)) return;
    shownAt = now;
    const left = ((now - startedAt) / Math.max(1, done - doneBefore)) * (total - done);
    const heldOut = record.heldOut;
    const accuracy = heldOut === null ? '' : `, held out ${Math.round((100 * heldOut.right) / heldOut.of)} %`;
    const which = `${simulated ? 'simulated, ' : ''}${arm}, seed ${seed}, generation ${generation}`;
    const text = `${done}/${total}  ${which}: fitness ${record.fitness.mean.toFixed(2)}${accuracy}; ${duration(left)} left`;
    stream.write(stream.isTTY ? `\r\u001b[K${text}${isLast ? '\n' : ''}` : `${text}\n`);
  };
}

function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}
