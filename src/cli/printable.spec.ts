import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { withoutPassword } from '../network/address.ts';
import { printAnswer } from './answer.ts';
import { stderrLog } from './log.ts';
import { facts, printJson, table } from './output.ts';
import { printable, printableJson, printableLine } from './printable.ts';
import { printTrace } from './trace.ts';

const HOSTILE = 'a\u001b[2J\u0007\u009b31m\u202eb\r\nc\td\re\u007f';
const CONTROLS = /[^\P{Cc}\n]|[\u202a-\u202e\u2066-\u2069]/u;
const ONE_LINE = /\p{Cc}|[\u2028-\u202e\u2066-\u2069]/u;

/** What a function writes. */
function written(stream: NodeJS.WriteStream, run: () => void): string {
  const texts: string[] = [];
  const write = vi.spyOn(stream, 'write').mockImplementation((text) => texts.push(String(text)) > 0);
  run();
  write.mockRestore();
  return texts.join('');
}

describe('foreign text', () => {
  it('keeps its lines and tabs, and loses other controls', () => {
    expect(printable(HOSTILE)).toBe('a\ufffd[2J\ufffd\ufffd31m\ufffdb\nc\td\ufffde\ufffd');
  });

  it('stays in one line where a line is expected', () => {
    expect(printableLine(HOSTILE)).toBe('a\ufffd[2J\ufffd\ufffd31m\ufffdb c d e\ufffd');
  });

  it('is shown as it is where there is nothing to hide', () => {
    for (const text of ['15 × 23 = 345', 'Zürich, 東京, עברית', '👩‍👧']) {
      expect([printable(text), printableLine(text)]).toEqual([text, text]);
    }
  });

  it('is the same value in JSON, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = printableJson({ text: text + HOSTILE });
        expect(json).not.toMatch(ONE_LINE);
        expect(JSON.parse(json)).toEqual({ text: text + HOSTILE });
      }),
    );
  });

  it('does nothing to the terminal in an answer, a candidate and a reason', () => {
    const common = { queryId: 'q', confidence: 0.5, credits: 0 };
    const shown = written(process.stdout, () => {
      printAnswer({ ...common, outcome: 'answered', answer: HOSTILE }, null);
      printAnswer(
        { ...common, outcome: 'unknown', answer: 'I don’t know.', reason: HOSTILE, candidate: HOSTILE },
        null,
      );
    });
    expect(shown.replaceAll('\t', '')).not.toMatch(CONTROLS);
    expect(shown.split('\n').filter((line) => line.startsWith('Best guess'))).toHaveLength(1);
  });

  it('takes one line of a trace, a table, a fact and a log', () => {
    const data = { question: HOSTILE, reason: HOSTILE };
    const step = { revision: 0, position: 0, data };
    const trace = printTrace([
      { ...step, type: 'QueryAsked', stream: 'query-q' },
      { ...step, type: 'TaskFailed', stream: 'node-n' },
      { ...step, type: 'ConsensusFailed', stream: 'cluster-c' },
    ]);
    expect(trace).toHaveLength(3);
    const rows = table([HOSTILE], [{ title: 'text', of: (text) => text }]);
    const log = written(process.stderr, () =>
      stderrLog({ verbose: false })('warn', HOSTILE, { text: HOSTILE }),
    );
    for (const line of [...trace, ...rows, ...facts([['name', HOSTILE]]), log.trimEnd()]) {
      expect(line).not.toMatch(ONE_LINE);
    }
    expect(log.endsWith('\n')).toBe(true);
  });

  it('is one line of JSON when printed so', () => {
    expect(written(process.stdout, () => printJson({ answer: HOSTILE })).trimEnd()).not.toMatch(ONE_LINE);
  });
});

describe('an address', () => {
  it.each([
    ['nats://network:secret@broker:4222', 'nats://broker:4222'],
    ['nats://a:secret@one:1,nats://b:secret@two:2', 'nats://one:1,nats://two:2'],
    ['network:sec,ret@broker', 'broker'],
    ['esdb+discover://admin:sec@ret@db:2113/?tls=true', 'esdb+discover://db:2113/?tls=true'],
    ['esdb://127.0.0.1:2113?tls=false', 'esdb://127.0.0.1:2113?tls=false'],
  ])('%s is shown as %s', (url, shown) => {
    expect(withoutPassword(url)).toBe(shown);
  });
});
