import type { AnyStateMachine } from 'xstate';
import { accountMachine } from '../actors/account/machine.ts';
import { clusterMachine } from '../actors/cluster/machine.ts';
import { nodeMachine } from '../actors/node/machine.ts';
import { superClusterMachine } from '../actors/super-cluster/machine.ts';
import { superLlmMachine } from '../actors/super-llm/machine.ts';
import { verifierMachine } from '../actors/verifier/machine.ts';
import { generationMachine } from '../sagas/generation/machine.ts';
import { genesisMachine } from '../sagas/genesis/machine.ts';
import { queryMachine } from '../sagas/query/machine.ts';
import type { MachineName } from './commands/diagram.ts';
import { toMermaid } from './mermaid.ts';

export interface StateChart {
  readonly machine: AnyStateMachine;
  readonly title: string;
  /** What a reader of the diagram should know. */
  readonly about: string;
}

export const STATE_CHARTS: Readonly<Record<MachineName, StateChart>> = {
  node: {
    machine: nodeMachine,
    title: 'Node',
    about:
      'A genome in a slot of a device. Its two models think side by side; a vote, or the end of a task without one, ' +
      'frees both. Several tasks can be open at a time, so a model thinks as long as any of them waits for it.',
  },
  cluster: {
    machine: clusterMachine,
    title: 'Cluster',
    about:
      'Hands a subtask to several of its Nodes, counts their votes weighted by trust, calls a tiebreak where they ' +
      'stay apart, and ends with a consensus or without one. A seed may arrive before the Cluster itself is formed. ' +
      'Beside that it examines its Nodes by gold tasks, and its generations come and go.',
  },
  superCluster: {
    machine: superClusterMachine,
    title: 'Super Cluster',
    about:
      'Routes each subtask to a Node or a Cluster, and keeps it in flight until it is settled. Beside that it measures ' +
      'how well the network does, and sets how hard evolution presses.',
  },
  superLlm: {
    machine: superLlmMachine,
    title: 'Super LLM',
    about:
      'Analyses a question, takes it apart, waits for the parts, puts them together and has the last look. It runs as ' +
      'a region of the query (below), on the query’s own stream.',
  },
  verifier: {
    machine: verifierMachine,
    title: 'Verifier',
    about: 'Judges every answer before it goes on, without any model. It is a region of the query, too.',
  },
  query: {
    machine: queryMachine,
    title: 'Query',
    about:
      'The saga of one question: its lifecycle beside the parts of the Super LLM and the Verifier. Every road leads to ' +
      'one ending.',
  },
  genesis: {
    machine: genesisMachine,
    title: 'Genesis',
    about: 'The saga of the first generation: complete when everything that it called into being is there.',
  },
  generation: {
    machine: generationMachine,
    title: 'Generation',
    about:
      'The saga of one generation of one Cluster: judges who is fit, ends the worst, and has the best succeeded. It is ' +
      'complete when every culled Node is retired and every offspring lives.',
  },
  account: {
    machine: accountMachine,
    title: 'Account',
    about:
      'Closed until the welcome grant. Then its credits are free, or some of them are held in escrow for queries that ' +
      'are on their way.',
  },
};

/** All state charts as a page in Markdown: `docs/state-charts.md`. */
export function stateChartsPage(): string {
  const sections = Object.values(STATE_CHARTS).map(
    ({ machine, title, about }) => `## ${title}\n\n${about}\n\n\`\`\`mermaid\n${toMermaid(machine)}\n\`\`\``,
  );
  return [HEAD, ...sections].join('\n\n');
}

const HEAD = `# State charts

Every block of the network is an XState machine that changes by recorded events alone. An arrow says
\`Event [guard] / actions\`; actions only change what the block remembers. Printed by \`dellm diagram\`;
\`dellm diagram <machine>\` prints one of them, and \`--json\` its definition.`;
