import '@atelier/stack/typescript';

/** Nx loads a plugin without the loader that all other commands here start with; so it is registered first. */
const load = (name) => async (tree, options) => (await import(`./src/${name}.ts`)).default(tree, options);

export const feature = load('feature');
export const usecase = load('usecase');
export const event = load('event');
export const consumer = load('consumer');
export const projection = load('projection');
export const migration = load('migration');
