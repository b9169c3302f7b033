import { UNKNOWN_TASK } from '../../answers/task-types.ts';
import type { TaskType } from '../../events/values.ts';

interface Rule {
  readonly type: TaskType;
  readonly pattern: RegExp;
}

const LANGUAGE = String.raw`(?:python|javascript|js|typescript|java|rust|golang|ruby|c\+\+|c#|sql|bash|kotlin|php)`;
const CODE_NOUN = `(?:function|code|program|script|method|snippet|class|one-liner|lambda|regex|query|algorithm)`;
const BUILTIN = `(?:len|max|min|sum|sorted|reversed|int|str|list|set|tuple|dict|range|print|round|type|bool|ord|chr)`;
const TEXT_NOUN = `(?:sentence|story|poem|line|haiku|limerick|tale|paragraph|rhyme|song|lyrics|slogan|tagline|joke|verse|caption|letter|essay|copy|blurb|dialogue|fable|riddle)s?`;
const TEXT_VERB = `(?:write|compose|make up|invent|create|tell|begin|start|give|generate|draft|continue|finish)`;
const NUMBER_WORD = `(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand)`;
const NUMBER = String.raw`(?:\d[\d.,]*|${NUMBER_WORD}(?:[- ]${NUMBER_WORD})?)`;
const OPERATOR_WORD = `(?:times|plus|minus|multiplied (?:by|with)|divided by|over|added to|less|to the power of)`;
const BIGGER = `(?:greater|larger|bigger|higher|more|less|smaller|lower|fewer)`;

/**
 * The first matching rule gives the type, so specific rules come first. The text is in lower case, on one line,
 * with single spaces.
 */
const RULES: readonly Rule[] = [
  // Writing: the kind of text follows closely after the verb ("write a short story"), or the topic closely
  // after the kind.
  rule('creative.sentence', `\\b${TEXT_VERB}(?: [\\w'-]+){0,3}? ${TEXT_NOUN}\\b`),

  rule(
    'code.debug',
    `\\b(?:debug|fix|correct|repair|bugs?|traceback|wrong with|(?:doesn't|does not|won't) work|fails?|crash(?:es)?)\\b.*(?:\\b${CODE_NOUN}\\b|\\b${LANGUAGE}|\`|\\bdef |=>|\\(\\))`,
  ),
  rule(
    'code.debug',
    `(?:\\b${CODE_NOUN}\\b|\\b${LANGUAGE}\\b|\\bdef ).*\\b(?:debug|bugs?|wrong|doesn't work|does not work|fails?|crash(?:es)?|traceback)\\b`,
  ),
  rule(
    'code.evaluate',
    `\\b(?:what|which)\\b.*(?:\\w+\\(|\\[|['"]|\\d ?(?:%|//|\\*\\*) ?\\d).*\\b(?:return|print|output|evaluate to|give|produce)s?\\b`,
  ),
  rule(
    'code.evaluate',
    `\\b(?:evaluate|output of|result of|value of|what is|${LANGUAGE}:).*\\b${BUILTIN}\\(`,
  ),
  rule('code.evaluate', `^${BUILTIN}\\(|^['"\\[].*[\\])]\\W*$`),
  rule(
    'code.evaluate',
    `^(?:evaluate|run|execute|${LANGUAGE}:).*(?:['"\\]]\\[|['"\\]]\\.|\\d ?(?:%|//|\\*\\*) ?\\d)`,
  ),
  rule('code.evaluate', `['"\\]](?:\\[-?\\d*:?|\\.\\w+\\()`),
  rule('code.evaluate', `\\d ?(?:% ?|// ?|\\*\\* ?)\\d`),
  rule(
    'code.evaluate',
    `\\bwhat (?:does|do|will|would)\\b.*\\b(?:code|snippet|program|function)\\b.*\\b(?:return|print|output)s?\\b`,
  ),
  rule(
    'code.write',
    `\\b(?:write|create|implement|give|make|generate|show|need|want|develop|build|define)\\b(?: [\\w'+#-]+){0,5}? ${CODE_NOUN}s?\\b`,
  ),
  rule('code.write', `\\b${LANGUAGE} ${CODE_NOUN}s?\\b`),
  rule('code.write', `\\bhow (?:do|can|would|should|to)\\b.*\\b(?:in|with|using) ${LANGUAGE}(?!\\w)`),
  rule('code.write', `\\b(?:write|implement|code)\\b.*\\bin ${LANGUAGE}(?!\\w)`),

  // A story with numbers that ends in "how many" is arithmetic, whatever else it contains.
  rule('math.arithmetic', `\\b\\d.*\\bhow (?:many|much)\\b|\\bhow (?:many|much)\\b.*\\b\\d.*\\b\\d`),

  rule('logic.deduction', `\\bif\\b.+\\bthen\\b.*\\b(?:is|are|does|do|can|must|follows?)\\b`),
  rule(
    'logic.deduction',
    `\\b(?:all|no|every|some|each)\\b [\\w'-]+ (?:is|are)\\b.*\\b(?:is|are|does|do|can)\\b`,
  ),
  rule('logic.deduction', `\\b\\w+er than\\b.*\\bwho\\b|\\bwho is (?:the )?\\w+est\\b.*\\bthan\\b`),
  rule('logic.deduction', `\\b(?:implies|therefore|syllogism|it follows)\\b`),

  rule('logic.parity', `\\b(?:even or odd|odd or even|parity of|divisible by (?:2|two))\\b`),
  rule('logic.parity', `\\b\\d+(?: is)?(?: an?)? (?:even|odd)\\b`),
  rule('logic.parity', `\\b(?:is|are|tell|check|whether)\\b.*\\b\\d+\\b.*\\b(?:even|odd)\\b`),

  rule(
    'logic.sequence',
    `\\b(?:what|which)(?: number| term| one)? (?:comes|goes|follows|is)(?: the)? (?:next|after)\\b`,
  ),
  rule(
    'logic.sequence',
    `\\bnext (?:number|term|element|value|in\\b)|\\b(?:continue|complete|extend)\\b.*\\b\\d+, ?-?\\d+`,
  ),
  rule('logic.sequence', `\\b(?:sequence|series|pattern)\\b.*\\d+, ?-?\\d+, ?-?\\d+`),
  rule('logic.sequence', `^-?\\d+(?:, ?-?\\d+){2,},? ?(?:\\?|\\.{2,3}|_)`),

  rule('logic.comparison', `\\b\\d[\\d.,]* (?:is )?${BIGGER} than ${NUMBER}`),
  rule(
    'logic.comparison',
    `\\b(?:is|are)\\b.*\\d[\\d.,]*(?: (?:equal to|the same as|equals)|[ ]?(?:[<>≤≥]=?|==)) ?-?\\d`,
  ),
  rule(
    'logic.comparison',
    `\\bwhich\\b.*\\b(?:${BIGGER}|greatest|largest|biggest|smallest|least)\\b.*\\d.*\\b(?:or|and)\\b.*\\d`,
  ),
  rule(
    'logic.comparison',
    `\\bcompare\\b.*\\d.*\\b(?:and|with|to)\\b.*\\d|^-?\\d[\\d.]* ?[<>]=? ?-?\\d[\\d.]*\\W*$`,
  ),

  rule(
    'logic.boolean',
    `\\b(?:true|false)\\b\\W*\\b(?:and|or|xor|nand|nor|implies)\\b|\\b(?:and|or|xor|not)\\b[ (]*(?:true|false)\\b`,
  ),

  rule('math.arithmetic', `\\d\\)? ?[×*·⋅∙÷^+] ?[-−]?\\(?\\d`),
  rule('math.arithmetic', `\\d ?x ?\\d|\\d\\)? [-−–/] [-−]?\\(?\\d`),
  rule(
    'math.arithmetic',
    `^(?:(?:what|how much) (?:is|are)|what's|calculate|compute|evaluate|solve|work out)? ?(?:[-−]?\\d[\\d.]*|[()]) ?[-−–/] ?[\\d.()+*/ −–-]*[\\d)] ?=? ?\\W*$`,
  ),
  rule('math.arithmetic', `${NUMBER} ${OPERATOR_WORD} ${NUMBER}`),
  rule(
    'math.arithmetic',
    `\\b(?:multiply|divide) ${NUMBER} (?:by|and|with) ${NUMBER}|\\bmultiply ${NUMBER},? ${NUMBER}`,
  ),
  rule(
    'math.arithmetic',
    `\\b(?:add|subtract|take|deduct) ${NUMBER}(?: away)?,? (?:and|to|from|with) ${NUMBER}`,
  ),
  rule(
    'math.arithmetic',
    `\\b(?:sum|product|difference|quotient|remainder|average|mean)\\b (?:of|between|when)\\b.*\\d`,
  ),
  rule(
    'math.arithmetic',
    `\\b(?:square root|cube root|square|cube|half|double|twice|triple|sqrt|factorial)\\b(?: of)? ?\\(?${NUMBER}`,
  ),
  rule('math.arithmetic', `${NUMBER} (?:squared|cubed)\\b|\\d ?(?:%|percent) of\\b|\\d!\\W*$`),
  rule('math.arithmetic', `${NUMBER} and ${NUMBER}(?: \\w+)? (?:added|multiplied|summed|together)\\b`),

  rule(
    'knowledge.country',
    `\\b(?:which|what) country\\b.*\\bcapital\\b|\\bcapital (?:city )?of (?:which|what) country\\b`,
  ),
  rule('knowledge.country', `\\bcountry\\b.*\\b(?:whose|with the|has the|its)\\b.*\\bcapital\\b`),
  rule(
    'knowledge.country',
    `\\bis the capital (?:city )?of (?:which|what)\\b|\\bof (?:which|what) (?:country|nation) is\\b`,
  ),
  rule('knowledge.country', `\\b(?:which|what) country (?:is|does|has)\\b.*\\b(?:in|belong|city)\\b`),

  rule('knowledge.capital', `\\bcapital(?: city)? (?:of|for|in) (?!gains|markets?|goods)[\\p{L}0]`),
  rule('knowledge.capital', `\\bcapital city\\b|[\\p{L}]['’]s? capital\\b(?! letters?| gains?| markets?)`),
  rule(
    'knowledge.capital',
    `^[\\p{L} .'-]+[:,] capital\\W*$|^[\\p{L} ]+ capital\\W*$(?<!venture capital\\W*|working capital\\W*)`,
  ),

  rule(
    'creative.sentence',
    `\\b(?:describe|imagine)\\b.*\\b(?:sentences?|words|lines?)\\b|\\btell me (?:something|anything) (?:about|of)\\b`,
  ),
  rule('creative.sentence', `^(?:an? |one )?(?:[\\w'-]+ )?${TEXT_NOUN} (?:about|on|of)\\b`),
];

/** In characters. The rules read only the beginning and the end of a long text, so that their cost is limited. */
const HEAD = 1_000;
const TAIL = 300;

/**
 * The task type of a single request; `general.unknown` if no rule matches. The placeholder of an earlier answer
 * (`{s1}`) counts as a number.
 */
export function classify(text: string): TaskType {
  const sample = text.length > HEAD + TAIL ? `${text.slice(0, HEAD)} ${text.slice(-TAIL)}` : text;
  const line = sample
    .normalize('NFKC')
    .toLowerCase()
    .replace(/\{s\d\}/g, '0')
    .replace(/\s+/g, ' ')
    .trim();
  return RULES.find(({ pattern }) => pattern.test(line))?.type ?? UNKNOWN_TASK.type;
}

function rule(type: TaskType, source: string): Rule {
  return { type, pattern: new RegExp(source, 'u') };
}
