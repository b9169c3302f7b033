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
      'A genome in a slot of a device. Its two models think in parallel. A vote, or the end of a task without one, frees ' +
      'both. Several tasks can be open at once, so a model thinks while any of them waits for it.',
  },
  cluster: {
    machine: clusterMachine,
    title: 'Cluster',
    about:
      'Distributes a subtask to several of its Nodes, counts their votes weighted by trust, calls a tiebreak if they ' +
      'disagree, and ends with a consensus or without one. A first Node may arrive before the Cluster itself is formed. ' +
      'In parallel it gives gold tasks to its Nodes and runs its generations.',
  },
  superCluster: {
    machine: superClusterMachine,
    title: 'Super Cluster',
    about:
      'Routes each subtask to a Node or a Cluster, and keeps it in flight until it is settled. In parallel it measures ' +
      'the fitness of the network and sets the evolution mode.',
  },
  superLlm: {
    machine: superLlmMachine,
    title: 'Super LLM',
    about:
      'Analyses a question, plans its subtasks, waits for their answers, combines them and validates the result. It runs ' +
      'as a region of the query (below), on the stream of the query.',
  },
  verifier: {
    machine: verifierMachine,
    title: 'Verifier',
    about: 'Checks every answer without any model. It is a region of the query, too.',
  },
  query: {
    machine: queryMachine,
    title: 'Query',
    about:
      'The saga of one question: its lifecycle in parallel to the Super LLM and the Verifier. Every path leads to one ' +
      'ending.',
  },
  genesis: {
    machine: genesisMachine,
    title: 'Genesis',
    about: 'The saga of the first generation. It is complete when all its Clusters and Nodes exist.',
  },
  generation: {
    machine: generationMachine,
    title: 'Generation',
    about:
      'The saga of one generation of one Cluster: ranks the Nodes, has the worst culled, and breeds offspring of the ' +
      'best. It is complete when every culled Node is retired and every offspring lives.',
  },
  account: {
    machine: accountMachine,
    title: 'Account',
    about:
      'Closed until the welcome grant. Then its credits are available, or some of them are in escrow for open queries.',
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

Every actor of the network is an XState machine that changes only by recorded events. An arrow says
\`Event [guard] / actions\`; actions only change the actor's state. \`dellm diagram\` prints this page,
\`dellm diagram <machine>\` prints one machine, and \`--json\` its definition.`;
