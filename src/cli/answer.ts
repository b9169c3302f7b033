import type { AskOutput } from '../gateway/schemas.ts';
import type { Steps } from '../network/client.ts';
import { percent, printLines } from './output.ts';
import { printableLine } from './printable.ts';
import { printTrace } from './trace.ts';

/** Prints the answer for a person. */
export function printAnswer(answer: AskOutput, trace: Steps | null): void {
  const lines = trace ? [...printTrace(trace), ''] : [];
  if (answer.outcome === 'answered') {
    lines.push(answer.answer ?? '', '');
    lines.push(`${percent(answer.confidence)} sure · ${answer.credits} credits · query ${answer.queryId}`);
  } else {
    lines.push(answer.answer ?? 'No answer came in time.', '');
    if (answer.reason) lines.push(printableLine(answer.reason));
    if (answer.candidate)
      lines.push(`Best guess, ${percent(answer.confidence)} sure: ${printableLine(answer.candidate)}`);
    lines.push(`nothing charged · query ${answer.queryId}`);
  }
  printLines(lines);
}
