import { taskTypeInfo } from '../../answers/task-types.ts';
import type { Complexity, Stakes } from '../../events/values.ts';
import { takeApart } from './decomposition.ts';
import type { Analysis } from './planner.ts';

interface Risk {
  readonly kind: string;
  readonly pattern: RegExp;
}

/** Topics in which a wrong answer can do harm. */
const RISKS: readonly Risk[] = [
  {
    kind: 'medical',
    pattern:
      /\b(?:dos(?:e|es|age)|overdos\w+|medications?|medicines?|prescri\w+|diagnos\w+|symptoms?|chest pain|surgery|poison\w*|allerg\w+|pregnan\w+|suicid\w+|insulin|ibuprofen|paracetamol|aspirin|antibiotics?|side effects?)\b/i,
  },
  {
    kind: 'legal',
    pattern:
      /\b(?:lawsuits?|legal(?:ly)?|illegal|attorney|lawyer|custody|criminal charges?|deport\w+|plead|liab(?:le|ility)|sue|sued|evict\w+|subpoena|statute)\b/i,
  },
  {
    kind: 'financial',
    pattern:
      /\b(?:invest(?:ing|ments?)?|mortgages?|life savings|retirement|pension|bankrupt\w*|loans?|tax(?:es)? returns?|stocks?|cryptocurrenc\w+|insurance claim)\b/i,
  },
];

/**
 * What the user wants, and the complexity and stakes of the question. Never throws. Linear in the length of the
 * question.
 */
export function analyse(question: string): Analysis {
  const { strategy, parts } = takeApart(question);
  const taskTypes = [...new Set(parts.map((part) => part.taskType))];
  const risks = RISKS.filter(({ pattern }) => pattern.test(question)).map(({ kind }) => kind);
  const stakes: Stakes = risks.length > 0 ? 'high' : 'normal';
  const complexity = complexityOf(taskTypes, parts.length, stakes);
  return {
    intent: taskTypes.map((type) => taskTypeInfo(type).intent).join(', then '),
    complexity,
    taskTypes,
    stakes,
    reasons: [
      parts.length > 1
        ? `${parts.length} requests in one question, taken apart as ${strategy}`
        : 'one request, nothing to take apart',
      ...taskTypes.map((type) =>
        type === 'general.unknown' ? 'no rule knows this kind of question' : `reads like ${type}`,
      ),
      ...risks.map((kind) => `a wrong answer could do ${kind} harm`),
    ],
  };
}

function complexityOf(taskTypes: readonly string[], parts: number, stakes: Stakes): Complexity {
  if (parts > 1) return 'complex';
  const medium = taskTypes.some((type) => taskTypeInfo(type).complexity === 'medium');
  return medium || stakes === 'high' ? 'medium' : 'simple';
}
