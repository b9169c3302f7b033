import { UNITS_PER_CREDIT } from '../actors/account/credits.ts';
import type { QueryOutput } from '../projections/query-trace.ts';
import { type Fields, fieldsOf } from './fields.ts';
import { percent } from './output.ts';
import { printableLine } from './printable.ts';

const MAX_REASON = 100;

type Step = QueryOutput['query']['steps'][number];

/** A line and the lines below it. */
interface Branch {
  text: string;
  readonly children: Branch[];
}

/**
 * A query's way through the network as a tree: the query and its subtasks; for each subtask the routing, the Nodes with
 * their models and votes, the consensus and the verdict; then the answer and its price.
 */
export function printTrace(steps: readonly Step[]): string[] {
  const tree = new TraceTree();
  for (const { type, stream, data } of steps) tree.add(type, stream, fieldsOf(data));
  return tree.lines();
}

class TraceTree {
  /** The reservation comes before its question. */
  readonly #query: Branch = { text: 'query', children: [] };
  /** Branches by natural key; later steps go below them. */
  readonly #subtasks = new Map<string, Branch>();
  readonly #tasks = new Map<string, Branch>();

  add(type: string, stream: string, it: Fields): void {
    switch (type) {
      case 'QueryAsked':
        this.#query.text = oneLine(it.text('question'));
        return;
      case 'QueryAnalysed':
        this.#tell(`analysed: ${it.text('complexity')}, to ${it.text('intent')} (${it.texts('taskTypes')})`);
        return;
      case 'QueryPlanned':
        this.#plan(it);
        return;
      case 'TaskAccepted':
        this.#task(it.text('taskId'), it.text('subtaskId'), stream.replace(/^node-/, ''));
        return;
      case 'ModelAnswered':
        this.#below(this.#tasks, it.text('taskId'), modelSaid(it));
        return;
      case 'VoteCast':
        this.#below(this.#tasks, it.text('taskId'), voted(it));
        return;
      case 'TaskFailed':
        this.#below(this.#tasks, it.text('taskId'), `failed: ${it.text('reason')}`);
        return;
      case 'PerformanceRecorded':
        this.#below(
          this.#tasks,
          it.text('taskId'),
          `judged ${it.flag('correct') ? 'right' : 'wrong'}, by ${it.text('basis')}`,
        );
        return;
      default: {
        const text = lineOf(type, stream, it);
        if (text === null) return;
        const subtask = this.#subtasks.get(it.text('subtaskId'));
        if (subtask) this.#hang(subtask, text);
        else this.#tell(text);
      }
    }
  }

  lines(): string[] {
    return [this.#query.text, ...drawn(this.#query.children, '')];
  }

  #plan(it: Fields): void {
    const subtasks = it.list('subtasks');
    const plan = this.#tell(
      `plan: ${it.text('strategy')}, ${subtasks.length} ${subtasks.length === 1 ? 'subtask' : 'subtasks'}`,
    );
    for (const subtask of subtasks) {
      const after = subtask.texts('dependsOn');
      const text = `${subtask.text('key')} (${subtask.text('taskType')}${after && `, after ${after}`}): ${subtask.text('prompt')}`;
      this.#subtasks.set(subtask.text('subtaskId'), this.#hang(plan, text));
    }
  }

  #task(taskId: string, subtaskId: string, node: string): void {
    const parent = this.#subtasks.get(subtaskId) ?? this.#query;
    this.#tasks.set(taskId, this.#hang(parent, node));
  }

  #below(branches: ReadonlyMap<string, Branch>, key: string, text: string): void {
    this.#hang(branches.get(key) ?? this.#query, text);
  }

  #tell(text: string): Branch {
    return this.#hang(this.#query, text);
  }

  #hang(parent: Branch, text: string): Branch {
    const branch: Branch = { text: oneLine(text), children: [] };
    parent.children.push(branch);
    return branch;
  }
}

/** One line for a step, or null if another step already shows it. */
function lineOf(type: string, stream: string, it: Fields): string | null {
  switch (type) {
    case 'CreditsReserved':
      return `${credits(it, 'amount')} reserved by ${stream.replace(/^credit-/, '')}`;
    case 'SubtaskDispatched':
      return it.number('attempt') === 1 ? null : `attempt ${it.number('attempt')}: ${it.text('prompt')}`;
    case 'SubtaskRouted':
      return routed(it);
    case 'RoutingFailed':
      return `not routed: ${it.text('reason')}`;
    case 'TaskDistributed':
      return `handed to ${it
        .list('shares')
        .map((share) => share.text('node'))
        .join(', ')}`;
    case 'TaskRefused':
      return `refused by ${stream.replace(/^node-/, '')}: ${it.text('reason')}`;
    case 'VoteLost':
      return `no vote by ${it.text('node')}`;
    case 'TiebreakCalled':
      return `tiebreak by ${it.text('share', 'node')}: ${it.text('reason')}`;
    case 'ConsensusReached':
      return `consensus: ${quoted(it, 'result', 'answer')}, ${percent(it.number('result', 'confidence'))} sure, ${percent(it.number('result', 'agreement'))} of the ballots`;
    case 'ConsensusFailed':
      return `no consensus: ${it.text('reason')}`;
    case 'SubtaskFailed':
      return `failed: ${clipped(it.text('reason'))} (next: ${it.text('next')})`;
    case 'VerdictReached':
      return `verdict: ${it.text('outcome')}, ${percent(it.number('confidence'))} sure${checks(it)}`;
    case 'AnswerSynthesised':
      return `synthesised, ${percent(it.number('confidence'))} sure`;
    case 'AnswerValidated':
      return it.flag('ok') ? 'validated' : `not valid: ${it.texts('reasons')}`;
    case 'QueryAnswered':
      return `answered: ${quoted(it, 'answer')} for ${credits(it, 'spent')}`;
    case 'QueryDeclined':
      return `not answered: ${it.text('reason')}`;
    case 'QueryExpired':
      return `too late: ${it.text('reason')}`;
    case 'CreditsSettled':
      return `settled: ${credits(it, 'spent')} spent, ${credits(it, 'returned')} returned`;
    case 'CreditsReleased':
      return `${credits(it, 'amount')} released: ${it.text('reason')}`;
    case 'CreditsEarned':
      return `${credits(it, 'amount')} earned for ${it.text('node')}`;
    case 'CreditsPenalised':
      return `${credits(it, 'amount')} lost for ${it.text('node')}`;
    default:
      return null;
  }
}

function routed(it: Fields): string {
  const [first] = it.list('chosen');
  const to = first ? `${first.text('kind')} ${first.text('id')}` : 'nobody';
  const replicated = it.text('replicatedFor');
  return `routed to ${to}, ${it.text('policy')}${replicated && `, replicated for a ${replicated}`}: ${it.text('why')}`;
}

function modelSaid(it: Fields): string {
  const answer = it.under('answer');
  const probability = answer.flag('measured')
    ? ` (probability ${Math.exp(answer.number('logProb')).toFixed(2)})`
    : '';
  return `${answer.text('model')}: ${quoted(answer, 'text')}${probability}`;
}

function voted(it: Fields): string {
  const vote = it.under('vote');
  if (vote.text('outcome') === 'abstained') return 'vote: abstained';
  return `vote: ${vote.text('outcome')}, ${quoted(vote, 'answer')}, ${percent(vote.number('confidence'))} sure`;
}

function checks(it: Fields): string {
  const done = it.list('checks').filter((check) => check.text('verdict') !== 'not-applicable');
  const shown = done.map((check) => `${check.text('check')} ${check.text('verdict')}`);
  return shown.length === 0 ? '' : ` (${shown.join(', ')})`;
}

/** Models and devices choose many of these texts, so each is reduced to one line. */
function oneLine(text: string): string {
  return printableLine(text.replace(/\s+/g, ' '));
}

/** Cuts a reason. The step that first gave it shows all of it. */
function clipped(text: string): string {
  return text.length <= MAX_REASON ? text : `${text.slice(0, MAX_REASON)}…`;
}

function quoted(it: Fields, ...path: readonly string[]): string {
  return JSON.stringify(it.text(...path));
}

function credits(it: Fields, ...path: readonly string[]): string {
  return `${it.number(...path) / UNITS_PER_CREDIT} credits`;
}

function drawn(branches: readonly Branch[], indent: string): string[] {
  return branches.flatMap(({ text, children }, i) => {
    const last = i === branches.length - 1;
    return [`${indent}${last ? '└─' : '├─'} ${text}`, ...drawn(children, `${indent}${last ? '   ' : '│  '}`)];
  });
}
