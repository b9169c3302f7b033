import { describe, expect, it } from 'vitest';
import { SCHEMA_VERSION } from './envelope.ts';
import { UnknownSchemaVersionError, upcast } from './upcasters.ts';

const GENOME = { modelA: 'a', modelB: 'b', specialization: 'mathematical' };

function written(type: string, data: object, schemaVersion = 1) {
  return { type, data, metadata: { schemaVersion } };
}

describe('upcasting', () => {
  it('leaves events of this release unchanged', () => {
    const data = { node: 'n', saga: { kind: 'generation', id: 'maths-1' } };
    expect(upcast(written('NodeBorn', data, SCHEMA_VERSION))).toBe(data);
  });

  it('converts a stream with mixed shapes, event by event', () => {
    const stream = [
      written('NodeBorn', { node: 'n', saga: 'main' }),
      written('TaskAccepted', { taskId: 't' }),
      written('PerformanceRecorded', { taskId: 't', correct: true }),
      written('PerformanceRecorded', { taskId: 'u', correct: true, computeMs: 12 }, 2),
    ];
    expect(stream.map(upcast)).toEqual([
      { node: 'n', saga: { kind: 'genesis', id: 'main' }, mutations: [] },
      { taskId: 't' },
      { taskId: 't', correct: true, computeMs: null },
      { taskId: 'u', correct: true, computeMs: 12 },
    ]);
  });

  it('gives the Nodes of a seed their old names', () => {
    const seed = { cluster: 'maths', name: 'Maths', species: 'm', genome: GENOME, nodes: 2 };
    const begun = { network: 'main', superCluster: 'main', device: 'd', owner: 'o', seeds: [seed] };
    expect(upcast(written('GenesisBegun', begun))).toEqual({
      network: 'main',
      superCluster: 'main',
      evolution: null,
      seeds: [
        {
          cluster: 'maths',
          name: 'Maths',
          specialization: 'mathematical',
          nodes: [
            { node: 'maths-01', species: 'm', genome: GENOME, device: 'd', owner: 'o' },
            { node: 'maths-02', species: 'm', genome: GENOME, device: 'd', owner: 'o' },
          ],
        },
      ],
    });
  });

  it('does not change its input', () => {
    const event = written('NodeBorn', Object.freeze({ node: 'n', saga: 'main' }));
    upcast(event);
    expect(event.data).toEqual({ node: 'n', saga: 'main' });
  });

  it('refuses events of a later release, and says so', () => {
    const later = written('NodeBorn', {}, SCHEMA_VERSION + 1);
    expect(() => upcast(later)).toThrow(UnknownSchemaVersionError);
    expect(() => upcast(later)).toThrow(`schema version ${SCHEMA_VERSION + 1}`);
  });
});
