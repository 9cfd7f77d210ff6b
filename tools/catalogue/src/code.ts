import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { root, type Contract } from './contracts.js';

/** A place in the code; `file` is relative to the root, `line` counts from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** Code that states a fact: the call, and the function that it stands in. */
export interface Producer extends Place {
  readonly type: string;
  readonly inFunction: string;
}

/** A class that reacts to facts or builds a view of them. */
export interface ConsumerClass extends Place {
  readonly name: string;
  readonly id: string;
  readonly group: string;
  readonly kind: 'reaction' | 'projection';
  readonly types: readonly string[];
  /** The `view_…` collections that it writes. */
  readonly views: readonly string[];
}

export interface Usage {
  readonly producers: readonly Producer[];
  readonly consumers: readonly ConsumerClass[];
}

const sources = 'apps/*/src/**/*.ts';
const isSpec = /\.(spec|fixture)\.ts$/;

/** Who states and who consumes the contracts, as the apps' code says it. Nothing is run. */
export function scanApps(contracts: readonly Contract[]): Usage {
  const producers: Producer[] = [];
  const consumers: ConsumerClass[] = [];
  for (const file of globSync(sources, { cwd: root }).sort()) {
    if (isSpec.test(file)) continue;
    const found = scanSource(file, readFileSync(path.join(root, file), 'utf8'), contracts);
    producers.push(...found.producers);
    consumers.push(...found.consumers);
  }
  return { producers, consumers };
}

/** The same for one file. */
export function scanSource(file: string, text: string, contracts: readonly Contract[]): Usage {
  if (!text.includes('@atelier/contracts/')) return { producers: [], consumers: [] };
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const types = importedTypes(source, contracts);
  const producers: Producer[] = [];
  const consumers: ConsumerClass[] = [];
  const placeOf = (node: ts.Node): Place => ({
    file,
    line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1,
  });
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isIdentifier(node.expression)) {
      const type = types.get(node.expression.text);
      if (type) producers.push({ type, inFunction: nameOfFunctionAround(node), ...placeOf(node) });
    }
    if (ts.isClassDeclaration(node)) {
      const consumer = consumerOf(node, source, types);
      if (consumer) consumers.push({ ...consumer, ...placeOf(node.name ?? node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return { producers, consumers };
}

/** Local name → event type, for everything that the file imports from a contract. */
function importedTypes(source: ts.SourceFile, contracts: readonly Contract[]): ReadonlyMap<string, string> {
  const types = new Map<string, string>();
  for (const statement of source.statements) {
    if (!ts.isImportDeclaration(statement) || !ts.isStringLiteral(statement.moduleSpecifier)) continue;
    const specifier = statement.moduleSpecifier.text;
    const bindings = statement.importClause?.namedBindings;
    if (!bindings || !ts.isNamedImports(bindings)) continue;
    for (const { name, propertyName } of bindings.elements) {
      const exported = (propertyName ?? name).text;
      const contract = contracts.find((c) => c.specifier === specifier && c.name === exported);
      if (contract) types.set(name.text, contract.definition.type);
    }
  }
  return types;
}

function consumerOf(
  node: ts.ClassDeclaration,
  source: ts.SourceFile,
  types: ReadonlyMap<string, string>,
): Omit<ConsumerClass, keyof Place> | undefined {
  for (const { expression } of ts.getDecorators(node) ?? []) {
    if (!ts.isCallExpression(expression) || !ts.isIdentifier(expression.expression)) continue;
    const decorator = expression.expression.text;
    const options = expression.arguments[0];
    if (decorator !== 'Consumer' && decorator !== 'Projection') continue;
    if (!options || !ts.isObjectLiteralExpression(options)) continue;
    const option = (name: string): ts.Expression | undefined =>
      options.properties.filter(ts.isPropertyAssignment).find((property) => property.name.getText() === name)
        ?.initializer;
    return {
      name: node.name?.text ?? '',
      id: textOf(option('id')),
      group: textOf(option('group')),
      kind: decorator === 'Consumer' ? 'reaction' : 'projection',
      types: typesIn(option('consumes'), source, types),
      views: decorator === 'Projection' ? viewsIn(source) : [],
    };
  }
  return undefined;
}

/** The events that an expression names, also through a constant of the same file. */
function typesIn(
  expression: ts.Expression | undefined,
  source: ts.SourceFile,
  types: ReadonlyMap<string, string>,
): string[] {
  if (!expression) return [];
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const type = types.get(node.text);
      if (type) found.add(type);
      else constant(node.text, source)?.forEachChild(visit);
    }
    node.forEachChild(visit);
  };
  visit(expression);
  return [...found];
}

const constant = (name: string, source: ts.SourceFile): ts.Expression | undefined =>
  source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .find((declaration) => declaration.name.getText() === name)?.initializer;

function viewsIn(source: ts.SourceFile): string[] {
  const found = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) && /^view_[a-z0-9_]+$/.test(node.text)) found.add(node.text);
    node.forEachChild(visit);
  };
  visit(source);
  return [...found];
}

function nameOfFunctionAround(node: ts.Node): string {
  for (let at: ts.Node | undefined = node.parent; at; at = at.parent) {
    if (ts.isFunctionDeclaration(at) || ts.isMethodDeclaration(at) || ts.isVariableDeclaration(at)) {
      if (at.name) return at.name.getText();
    }
  }
  return '';
}

const textOf = (node: ts.Expression | undefined): string =>
  node && ts.isStringLiteralLike(node) ? node.text : '';
