import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import { toMermaid } from './mermaid.ts';

const lines = (machine: Parameters<typeof toMermaid>[0]): string[] =>
  toMermaid(machine)
    .split('\n')
    .map((line) => line.trim());

describe('a machine as a Mermaid diagram', () => {
  it('has its states, where it begins, and arrows with guards and actions', () => {
    const door = createMachine({
      id: 'door',
      initial: 'closed',
      states: {
        closed: { on: { Opened: { guard: 'isUnlocked', target: 'open', actions: ['count', 'greet'] } } },
        open: { on: { Closed: 'closed', Knocked: { actions: 'greet' } } },
      },
    });
    expect(toMermaid(door)).toBe(
      [
        'stateDiagram-v2',
        '  state "closed" as door_closed',
        '  state "open" as door_open',
        '  [*] --> door_closed',
        '  door_closed --> door_open : Opened [isUnlocked] / count, greet',
        '  door_open --> door_closed : Closed',
        '  door_open --> door_open : Knocked / greet',
      ].join('\n'),
    );
  });

  it('draws what a composite state does within itself from each of its children', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'on',
      states: {
        on: {
          initial: 'idle',
          on: { Started: '.busy', Stopped: 'off' },
          states: { idle: {}, busy: {} },
        },
        off: {},
      },
    });
    expect(lines(machine)).toEqual([
      'stateDiagram-v2',
      'state "on" as m_on {',
      'state "idle" as m_on_idle',
      'state "busy" as m_on_busy',
      '[*] --> m_on_idle',
      'm_on_idle --> m_on_busy : Started',
      'm_on_busy --> m_on_busy : Started',
      '}',
      'state "off" as m_off',
      '[*] --> m_on',
      'm_on --> m_off : Stopped',
    ]);
  });

  it('parts the regions of a parallel state, and shows what it takes in any state', () => {
    const machine = createMachine({
      id: 'm',
      type: 'parallel',
      on: { Noted: { actions: 'note' }, Judged: { actions: 'judge' } },
      states: {
        left: { on: { Moved: { actions: 'move' } } },
        right: { initial: 'a', states: { a: {} } },
      },
    });
    expect(lines(machine)).toEqual([
      'stateDiagram-v2',
      'state "m" as m {',
      'state "left" as m_left',
      'm_left --> m_left : Moved / move',
      '--',
      'state "right" as m_right {',
      'state "a" as m_right_a',
      '[*] --> m_right_a',
      '}',
      '--',
      'state "in any state" as m_any',
      'm_any --> m_any : Noted / note',
      'm_any --> m_any : Judged / judge',
      '}',
    ]);
  });

  it('writes states whose names are no identifiers', () => {
    const machine = createMachine({ id: 'm', initial: 'to be', states: { 'to be': {} } });
    expect(lines(machine)).toContain('state "to be" as m_to_be');
  });
});
