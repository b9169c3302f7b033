import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate';

/**
 * A machine as a Mermaid `stateDiagram-v2`. An arrow says `Event [guard] / actions`.
 *
 * Mermaid cannot draw an arrow from a composite state to its own children. So such a transition is drawn from each
 * child, and events that do not change the state are drawn on a box `in any state` inside it.
 */
export function toMermaid(machine: AnyStateMachine): string {
  const { root } = machine;
  const body = root.type === 'parallel' ? stateOf(root) : contentOf(root);
  return ['stateDiagram-v2', ...indented(body)].join('\n');
}

function stateOf(node: AnyStateNode): string[] {
  const declared = `state "${node.path.length === 0 ? node.id : node.key}" as ${idOf(node)}`;
  if (childrenOf(node).length === 0) return [declared];
  return [`${declared} {`, ...indented(contentOf(node)), '}'];
}

/** The content of a composite state, or of the whole diagram. */
function contentOf(node: AnyStateNode): string[] {
  const children = childrenOf(node);
  const arrowsOf = (child: AnyStateNode): string[] =>
    transitionsOf(child).flatMap((transition) => outer(child, transition));
  if (node.type === 'parallel') {
    const regions = children.map((child) => [...stateOf(child), ...arrowsOf(child)]);
    return [...regions, anyState(node)]
      .filter((lines) => lines.length > 0)
      .flatMap((lines, i) => (i > 0 ? ['--', ...lines] : lines));
  }
  return [
    ...children.flatMap(stateOf),
    ...node.initial.target.map((target) => `[*] --> ${idOf(target)}`),
    ...transitionsOf(node).flatMap((transition) => inner(node, transition)),
    ...children.flatMap(arrowsOf),
    ...anyState(node),
  ];
}

/** Arrows for transitions of a composite state to its own children. */
function inner(node: AnyStateNode, transition: AnyTransitionDefinition): string[] {
  const targets = transition.target ?? [];
  return targets
    .filter((target) => target.path.length > node.path.length && isWithin(target, node))
    .flatMap((target) => childrenOf(node).map((child) => arrow(idOf(child), idOf(target), transition)));
}

/** Events that a composite state takes without a change of state. */
function anyState(node: AnyStateNode): string[] {
  const staying = transitionsOf(node).filter(({ target }) => target === undefined);
  if (staying.length === 0) return [];
  const box = `${idOf(node)}_any`;
  return [`state "in any state" as ${box}`, ...staying.map((transition) => arrow(box, box, transition))];
}

/** Arrows of a state's transitions, except those to its own children. */
function outer(node: AnyStateNode, transition: AnyTransitionDefinition): string[] {
  const from = idOf(node);
  if (transition.target === undefined) {
    return childrenOf(node).length === 0 ? [arrow(from, from, transition)] : [];
  }
  return transition.target
    .filter((target) => !isWithin(target, node) || childrenOf(node).length === 0)
    .map((target) => arrow(from, idOf(target), transition));
}

function arrow(from: string, to: string, { eventType, guard, actions }: AnyTransitionDefinition): string {
  const when = guard === undefined ? '' : ` [${nameOf(guard)}]`;
  const what = actions.length === 0 ? '' : ` / ${actions.map(nameOf).join(', ')}`;
  return `${from} --> ${to} : ${eventType}${when}${what}`;
}

function childrenOf(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states);
}

function transitionsOf(node: AnyStateNode): AnyTransitionDefinition[] {
  return [...node.transitions.values()].flat();
}

function isWithin(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return ancestor.path.every((key, i) => node.path[i] === key);
}

/** An id that is unique in the diagram and contains no Mermaid syntax. */
function idOf(node: AnyStateNode): string {
  return [node.machine.id, ...node.path].join('_').replace(/[^A-Za-z0-9_]/g, '_');
}

/** Machines refer to guards and actions by name. An inline one has no name. */
function nameOf(implementation: unknown): string {
  if (typeof implementation === 'string') return implementation;
  if (typeof implementation === 'object' && implementation !== null && 'type' in implementation) {
    return String(implementation.type);
  }
  return 'unnamed';
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
