import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  commandSubject,
  deadSubject,
  escapeToken,
  eventSubject,
  isId,
  isInbox,
  PARTITIONS,
  parseCommandSubject,
  partitionOf,
  stableHash,
  workSubject,
} from './subjects.ts';

const ids = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);

describe('subjects', () => {
  it('keep partitions as they are for ever, because stored commands lie in them', () => {
    expect(stableHash('')).toBe(2872998923);
    expect(['alice', 'math-1', 'genesis', '0'].map(partitionOf)).toEqual([30, 8, 29, 33]);
  });

  it('spread ids evenly over all partitions', () => {
    const counts = new Array<number>(PARTITIONS).fill(0);
    for (let n = 0; n < 6_400; n += 1) {
      const partition = partitionOf(`node-${n}`);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(60);
    expect(Math.max(...counts)).toBeLessThan(145);
  });

  it('read back the commands that they name', () => {
    fc.assert(
      fc.property(ids, ids, fc.option(ids), (kind, id, device) => {
        const subject = commandSubject({ kind, id }, device ?? undefined);
        expect(parseCommandSubject(subject)).toEqual({ kind, id, device, partition: partitionOf(id) });
      }),
    );
  });

  it('refuse a command in another partition than its own, with parts missing, or with more than there is', () => {
    const subject = commandSubject({ kind: 'node', id: 'a' }, 'laptop');
    const elsewhere = (partitionOf('a') + 1) % PARTITIONS;
    for (const wrong of [
      subject.replace(`.${partitionOf('a')}.`, `.${elsewhere}.`),
      `${subject}.more`,
      subject.replace('.laptop', ''),
      subject.replace('.from.', '.by.'),
      'dellm.cmd.1.node',
      'dellm.work.laptop',
      '',
    ]) {
      expect(parseCommandSubject(wrong)).toBeNull();
    }
  });

  it.each(['', 'a.b', 'a b', '*', '>', 'é', 'x'.repeat(65), 'a\n'])('take %j for no id', (text) => {
    expect(isId(text)).toBe(false);
    expect(() => commandSubject({ kind: 'node', id: text })).toThrow(/cannot be an id/);
    expect(() => workSubject(text)).toThrow(/cannot be an id/);
  });

  it('give every stream and event type a valid and distinct subject', () => {
    const subjects = new Map<string, string>();
    fc.assert(
      fc.property(fc.string(), fc.string(), (stream, type) => {
        const subject = eventSubject(stream, type);
        const tokens = subject.split('.');
        expect(tokens).toHaveLength(5);
        for (const token of tokens) expect(token).toMatch(/^[A-Za-z0-9_=-]+$/);
        const key = JSON.stringify([stream.includes('-') ? stream : `${stream}-`, type]);
        expect(subjects.get(subject) ?? key).toBe(key);
        subjects.set(subject, key);
      }),
    );
    expect(eventSubject('generation-cluster1-7', 'GenerationClosed')).toBe(
      'dellm.evt.generation.cluster1-7.GenerationClosed',
    );
    expect(deadSubject({ kind: 'no.de', id: 'ä' })).toBe('dellm.dead.no=2Ede.=C3=A4');
    expect(escapeToken('=')).toBe('=3D');
  });

  it('tell an inbox from a subject that somebody else acts upon', () => {
    expect(isInbox('_INBOX.abc.1')).toBe(true);
    expect(isInbox('_INBOX_agent-laptop.abc')).toBe(true);
    for (const no of [
      undefined,
      '',
      '_INBOX',
      'dellm.cmd.1.node.a',
      '_INBOXES.a',
      '$JS.API.STREAM.DELETE.x',
    ]) {
      expect(isInbox(no)).toBe(false);
    }
  });
});
