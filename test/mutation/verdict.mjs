/** Where every mutant must be noticed or explained: what decides, what folds, and what follows. */
const STRICT = /\/(?:decide|machine|react)\.ts$/;

/** Share of the other mutants that must be noticed, of those that are not explained. */
const LEAST_SHARE = 0.85;

/** Not noticed, or not even run by a spec. What errs or never ends has been noticed. */
const SURVIVED = new Set(['Survived', 'NoCoverage']);

/**
 * The change of a mutant as whole lines of code before and after it, on one line each and without indentation. `after` is
 * what an explanation names, so that it holds wherever the line moves to.
 */
export function changeOf({ location: { start, end }, replacement }, source) {
  const lines = source.split('\n');
  const [first, last] = [lines[start.line - 1] ?? '', lines[end.line - 1] ?? ''];
  const before = lines.slice(start.line - 1, end.line).join('\n');
  const after = first.slice(0, start.column - 1) + replacement + last.slice(end.column - 1);
  return { before: oneLine(before), after: oneLine(after) };
}

/**
 * Sorts the mutants of some files: those that died, those that survived with an explanation and without one; `stale` are
 * explanations of what is no survivor any more. A mutant has `file`, `line`, `mutator`, `status`, `before` and `after`;
 * `explanations` gives by file and changed line why nobody can notice it.
 */
export function sorted(mutants, explanations) {
  const real = mutants.filter(({ status }) => status !== 'Ignored');
  const lived = real.filter(({ status }) => SURVIVED.has(status));
  const isExplained = ({ file, after }) => explanations[file]?.[after] !== undefined;
  const files = new Set(mutants.map(({ file }) => file));
  const known = new Set(lived.map(({ file, after }) => `${file}\n${after}`));
  return {
    died: real.filter(({ status }) => !SURVIVED.has(status)),
    explained: lived.filter(isExplained),
    survivors: lived.filter((mutant) => !isExplained(mutant)),
    stale: Object.entries(explanations).flatMap(([file, lines]) =>
      Object.keys(lines)
        .filter((after) => files.has(file) && !known.has(`${file}\n${after}`))
        .map((after) => ({ file, after })),
    ),
  };
}

/** Sentences about what is too little; none where all is well. */
export function shortcomings({ died, survivors, stale }) {
  const faults = [];
  const strict = survivors.filter(({ file }) => STRICT.test(file)).length;
  if (strict > 0) faults.push(`${count(strict, 'change')} to decide, machine or react would go unnoticed`);
  const share = shareOf(died, survivors);
  if (share !== null && share < LEAST_SHARE) {
    faults.push(
      `elsewhere ${percent(share)} of the changes are noticed, and ${percent(LEAST_SHARE)} should be`,
    );
  }
  if (stale.length > 0)
    faults.push(`${count(stale.length, 'explanation')} of what is no survivor (any more)`);
  return faults;
}

/** Of the mutants outside decide, machine and react the share that died; null where there are none. */
export function shareOf(died, survivors) {
  const [dead, alive] = [died, survivors].map((all) => all.filter(({ file }) => !STRICT.test(file)).length);
  return dead + alive === 0 ? null : dead / (dead + alive);
}

export function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

function oneLine(code) {
  return code.replace(/\s+/g, ' ').trim();
}
