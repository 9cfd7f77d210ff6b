import type { Tree } from '@nx/devkit';
import ts from 'typescript';

/** One edit of a file of the tree: the text is parsed, a place is found, text is put there. */
interface Insertion {
  readonly at: number;
  readonly text: string;
}

export const parse = (file: string, text: string): ts.SourceFile =>
  ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS);

/** The text of a file that is there. */
export function read(tree: Tree, file: string): string {
  const text = tree.read(file, 'utf8');
  if (text === null) throw new Error(`There is no ${file}.`);
  return text;
}

function edit(tree: Tree, file: string, find: (source: ts.SourceFile) => Insertion | undefined): void {
  const text = read(tree, file);
  const insertion = find(parse(file, text));
  if (!insertion) return;
  tree.write(file, text.slice(0, insertion.at) + insertion.text + text.slice(insertion.at));
}

/** Imports a name, beside the names that come from the same module already, else in the order of the paths. */
export function addImport(tree: Tree, file: string, name: string, from: string): void {
  edit(tree, file, (source) => {
    const imports = source.statements.filter(ts.isImportDeclaration);
    const pathOf = (node: ts.ImportDeclaration) => (node.moduleSpecifier as ts.StringLiteral).text;
    const same = imports.find(
      (node) => pathOf(node) === from && node.importClause?.phaseModifier !== ts.SyntaxKind.TypeKeyword,
    );
    const names = same?.importClause?.namedBindings;
    if (names && ts.isNamedImports(names)) {
      if (names.elements.some((element) => element.name.text === name)) return undefined;
      const after = names.elements.findLast((element) => element.name.text < name);
      if (after) return { at: after.end, text: `, ${name}` };
      return { at: names.elements[0]!.getStart(source), text: `${name}, ` };
    }
    const statement = `import { ${name} } from '${from}';\n`;
    const next = imports.find((node) => rank(pathOf(node)) > rank(from));
    return next
      ? { at: next.getStart(source), text: statement }
      : { at: imports.at(-1)!.end, text: `\n${statement.trimEnd()}` };
  });
}

/** As the code base sorts its imports: node, packages, own packages, parents, siblings. */
const rank = (path: string): string =>
  (path.startsWith('node:')
    ? 0
    : path.startsWith('@atelier/')
      ? 2
      : path.startsWith('../')
        ? 3
        : path.startsWith('./')
          ? 4
          : 1) + path;

/**
 * Appends an element to the array that `property` of a decorator or call has, or to the constant that it spreads or
 * names (`controllers: [X, ...CONSUMERS]` with `constant` = CONSUMERS). A property that is missing is written.
 */
export function addToList(
  tree: Tree,
  file: string,
  callee: string,
  property: string,
  element: string,
  constant?: string,
): void {
  edit(tree, file, (source) => {
    const call = callOf(source, callee);
    const options = call?.arguments.find(ts.isObjectLiteralExpression);
    if (!options) throw new Error(`${file} has no ${callee}({ … }) to add ${element} to.`);
    const given = options.properties.find((one) => one.name?.getText(source) === property);
    const named = constant ? arrayNamed(source, constant) : undefined;
    const value = given && ts.isPropertyAssignment(given) ? given.initializer : undefined;
    const list = named ?? (value && ts.isIdentifier(value) ? arrayNamed(source, value.text) : value);
    if (!list) {
      const last = options.properties.at(-1);
      const text = `${property}: [${element}]`;
      return last
        ? { at: last.end, text: `, ${text}` }
        : { at: options.getStart(source) + 1, text: ` ${text} ` };
    }
    if (!ts.isArrayLiteralExpression(list))
      throw new Error(`${property} in ${file} is no list; add ${element} by hand.`);
    if (list.elements.some((one) => one.getText(source) === element)) return undefined;
    const last = list.elements.at(-1);
    return last ? { at: last.end, text: `, ${element}` } : { at: list.getStart(source) + 1, text: element };
  });
}

/** Appends a member to an interface or to the object that a call is given. */
export function addMember(
  tree: Tree,
  file: string,
  where: { readonly interface: string } | { readonly call: string },
  member: string,
): void {
  edit(tree, file, (source) => {
    if ('interface' in where) {
      const found = source.statements
        .filter(ts.isInterfaceDeclaration)
        .find(({ name }) => name.text === where.interface);
      if (!found) throw new Error(`${file} has no interface ${where.interface}.`);
      return { at: found.members.at(-1)?.end ?? found.end - 1, text: `\n${member}` };
    }
    const object = callOf(source, where.call)?.arguments.find(ts.isObjectLiteralExpression);
    if (!object) throw new Error(`${file} has no ${where.call}({ … }).`);
    const comma = object.properties.length > 0 ? ',\n' : '';
    return { at: object.properties.at(-1)?.end ?? object.end - 1, text: `${comma}${member}` };
  });
}

/** Puts a function behind the last exported function, so that short constants stay at the end. */
export function addFunction(tree: Tree, file: string, text: string): void {
  edit(tree, file, (source) => {
    const isExported = (node: ts.FunctionDeclaration) =>
      node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword);
    const last = source.statements.filter(ts.isFunctionDeclaration).findLast(isExported);
    return { at: last?.end ?? source.end, text: `\n\n${text.trim()}\n` };
  });
}

/** The object that a top-level constant is, as it is written. */
export function objectNamed(tree: Tree, file: string, constant: string): string | undefined {
  const source = parse(file, read(tree, file));
  const value = initializerOf(source, constant);
  return value && ts.isObjectLiteralExpression(value) ? value.getText(source) : undefined;
}

/** What a top-level constant is. */
export function initializerOf(source: ts.SourceFile, constant: string): ts.Expression | undefined {
  return source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .find(({ name }) => name.getText(source) === constant)?.initializer;
}

function arrayNamed(source: ts.SourceFile, constant: string): ts.ArrayLiteralExpression | undefined {
  const value = initializerOf(source, constant);
  return value && ts.isArrayLiteralExpression(value) ? value : undefined;
}

/** The first call of this name, be it generic or not: `aggregateSchema`, `MessagingModule.forRoot`. */
function callOf(source: ts.SourceFile, callee: string): ts.CallExpression | undefined {
  let found: ts.CallExpression | undefined;
  const visit = (node: ts.Node): void => {
    if (found) return;
    if (ts.isCallExpression(node) && node.expression.getText(source) === callee) found = node;
    else ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The imports of a new file in the order of the code base. */
export function sortImports(tree: Tree, file: string): void {
  const text = read(tree, file);
  const imports = parse(file, text).statements.filter(ts.isImportDeclaration);
  if (imports.length < 2) return;
  const pathOf = (node: ts.ImportDeclaration) => rank((node.moduleSpecifier as ts.StringLiteral).text);
  const sorted = imports.toSorted((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1)).map((node) => node.getText());
  tree.write(file, sorted.join('\n') + text.slice(imports.at(-1)!.end));
}
