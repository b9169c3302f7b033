/**
 * The rooms whose sources are mutated. `folder` holds the sources, and the specs beside them must notice a change; `specs`
 * are others that drive them. They are few, so that a mutant is soon dealt with. A file is of the first room that holds it.
 */
export const ROOMS = [
  room('src/answers', 'src/actors/node/voting.spec.ts', 'src/actors/cluster/consensus.spec.ts'),
  room('src/evolution'),
  room('src/actors/account', 'src/sagas/*.spec.ts'),
  room('src/actors/node', 'src/sagas/*.spec.ts'),
  room('src/actors/cluster', 'src/sagas/*.spec.ts'),
  room('src/actors/super-cluster', 'src/sagas/*.spec.ts'),
  // The next two live on the stream of the query.
  room('src/actors/super-llm', 'src/sagas/query/*.spec.ts'),
  room('src/actors/verifier', 'src/sagas/query/*.spec.ts'),
  room('src/actors'),
  room('src/sagas/query', 'src/sagas/*.spec.ts'),
  room('src/sagas/generation', 'src/sagas/*.spec.ts'),
  room('src/sagas/genesis', 'src/sagas/*.spec.ts'),
  room('src/sagas'),
];

function room(folder, ...others) {
  return { folder, specs: [`${folder}/**/*.spec.ts`, ...others] };
}
