import type { Tree } from '@nx/devkit';
import { addVerb, refuseVerb, valuesOf, verbIn } from './verb.js';
import { appNamed, featureNamed, next } from './workspace.js';
import { format, write } from './write.js';

export interface UseCaseOptions {
  readonly app: string;
  readonly feature: string;
  readonly name: string;
  readonly past?: string;
}

/** Writes a verb of a feature: the decision in its domain with a spec, and the use case that loads, decides and saves. */
export default async function usecase(tree: Tree, options: UseCaseOptions): Promise<() => void> {
  const app = appNamed(tree, options.app);
  const feature = featureNamed(tree, app, options.feature);
  const verb = verbIn(tree, feature, options.name, options.past);
  refuseVerb(tree, feature, verb);
  write(tree, 'usecase', valuesOf(app, feature, verb));
  addVerb(tree, app, feature, verb);
  await format(tree);
  const { noun, usecase: name, past, domainFile } = verb;
  return next(
    `What it really decides: ${name.camel} in ${domainFile}, its spec first.`,
    `A way in: a method of the controller, \`@Post(':id/${name.kebab.split('-')[0]}') @HttpCode(200) @Idempotent()\`, with one call.`,
    `Who must hear of it: npx nx g @atelier/generators:event ${app.name.kebab} ${noun.kebab} ${past}`,
  );
}
