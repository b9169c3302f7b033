/**
 * Mutants that nobody can notice, and why: by file, then by the changed line as the report shows it. An explanation that
 * fits no survivor makes the run fail, so none outlives its reason.
 */
export const EQUIVALENT = {
  'src/actors/super-llm/machine.ts': {
    'export const superLlmMachine = setup({}).createMachine({': 'The types are for the compiler alone.',
  },
  'src/actors/verifier/machine.ts': {
    'export const verifierMachine = setup({}).createMachine({': 'The types are for the compiler alone.',
  },
};
