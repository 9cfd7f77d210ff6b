import path from 'node:path';
import { formatFiles, generateFiles, type Tree } from '@nx/devkit';
import ts from 'typescript';
import { read, sortImports } from './source.js';
import type { App } from './workspace.js';
import { capital, withArticle } from './words.js';

const TEMPLATES = path.resolve(import.meta.dirname, '../files');

/** Words that the templates make sentences with. */
const sentences = { capital, withArticle };

/** Writes a folder of templates; `__key__` in a path and `<%- key %>` in a file are the values. */
export function write(tree: Tree, templates: string, values: Readonly<Record<string, unknown>>): void {
  generateFiles(tree, path.join(TEMPLATES, templates), '.', { ...sentences, ...values });
}

/** Formats what changed as `npm run format` would, and what is new with its imports in order. */
export async function format(tree: Tree): Promise<void> {
  for (const { path: file, type } of tree.listChanges())
    if (type === 'CREATE' && file.endsWith('.ts')) sortImports(tree, file);
  await formatFiles(tree, { sortRootTsconfigPaths: false });
}

/**
 * What a spec of this app must set to start it: taken from a spec that does, since some settings have no default.
 * Answers the third argument with its comma, or nothing.
 */
export function environmentOf(tree: Tree, app: App): string {
  for (const folder of tree.children(app.folder)) {
    for (const file of tree
      .children(`${app.folder}/${folder}`)
      .filter((one) => one.endsWith('.int.spec.ts'))) {
      const found = literalEnvironment(read(tree, `${app.folder}/${folder}/${file}`));
      if (found !== undefined) return found;
    }
  }
  return '';
}

function literalEnvironment(text: string): string | undefined {
  const source = ts.createSourceFile('spec.ts', text, ts.ScriptTarget.Latest, true);
  let found: string | undefined;
  const visit = (node: ts.Node): void => {
    if (
      found === undefined &&
      ts.isCallExpression(node) &&
      node.expression.getText(source) === 'startService'
    ) {
      const [, , environment, ...more] = node.arguments;
      if (!environment && more.length === 0) found = '';
      else if (environment && isLiteral(environment)) found = `, ${environment.getText(source)}`;
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

const isLiteral = (node: ts.Expression): boolean =>
  ts.isObjectLiteralExpression(node) &&
  node.properties.every((one) => ts.isPropertyAssignment(one) && ts.isStringLiteral(one.initializer));
