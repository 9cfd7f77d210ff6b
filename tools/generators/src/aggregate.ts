import type { Tree } from '@nx/devkit';
import ts from 'typescript';
import { initializerOf, parse, read } from './source.js';
import type { Name } from './words.js';
import type { App, Feature } from './workspace.js';

/** What a feature's own files say of its aggregate. */
export interface Aggregate {
  readonly noun: Name;
  /** `ide` of `ide_…` */
  readonly prefix: string;
  /** The field that names whose it is; `id` of what belongs to itself, undefined of what belongs to nobody. */
  readonly owner?: string;
  readonly collection?: string;
  readonly domainFile: string;
  readonly repositoryFile: string;
}

/** An aggregate that belongs to somebody: the use cases of its owner can be written. */
export type Owned = Aggregate & { readonly owner: string; readonly collection: string };

/** @throws Error when the feature does not keep this noun, or nobody owns it */
export function ownedIn(tree: Tree, feature: Feature, noun: Name): Owned {
  const { domainFile, repositoryFile } = filesOf(feature.folder, noun);
  for (const file of [domainFile, repositoryFile])
    if (!tree.exists(file))
      throw new Error(
        `${feature.folder} keeps no \`${noun.kebab}\`: there is no ${file}. Name the noun of the feature.`,
      );
  const aggregate = aggregateIn(tree, feature.folder, noun);
  if (!aggregate)
    throw new Error(
      `${domainFile} has no \`interface ${noun.pascal}\` with an \`id: Id<'…'>\`. Write this by hand.`,
    );
  const { owner, collection } = aggregate;
  if (!owner || !collection)
    throw new Error(
      `${repositoryFile} has no \`extends Repository<${noun.pascal}, '<owner>'>\` with a collection: nobody owns one, so write this by hand.`,
    );
  return { ...aggregate, owner, collection };
}

/** The aggregate of this noun in any feature of the app, if one can be read there. */
export function aggregateOf(tree: Tree, app: App, noun: Name): Aggregate | undefined {
  const folder = tree
    .children(app.folder)
    .map((one) => `${app.folder}/${one}`)
    .find((one) => tree.exists(filesOf(one, noun).domainFile));
  return folder === undefined ? undefined : aggregateIn(tree, folder, noun);
}

const filesOf = (folder: string, noun: Name) => ({
  domainFile: `${folder}/${noun.kebab}.domain.ts`,
  repositoryFile: `${folder}/${noun.kebab}.repository.ts`,
});

function aggregateIn(tree: Tree, folder: string, noun: Name): Aggregate | undefined {
  const { domainFile, repositoryFile } = filesOf(folder, noun);
  const domain = parse(domainFile, read(tree, domainFile));
  const type = idTypeOf(domain, noun.pascal);
  const prefix = type && (lettersOf(type) ?? lettersOfAlias(domain, type));
  if (!prefix) return undefined;
  const kept = tree.exists(repositoryFile) ? parse(repositoryFile, read(tree, repositoryFile)) : undefined;
  return { noun, prefix, domainFile, repositoryFile, ...(kept && storedAs(kept, noun.pascal)) };
}

/** The type of the member `id` of an interface, or of one in the same file that it extends. */
function idTypeOf(source: ts.SourceFile, name: string): ts.TypeNode | undefined {
  const found = source.statements.filter(ts.isInterfaceDeclaration).find((one) => one.name.text === name);
  if (!found) return undefined;
  const id = found.members.filter(ts.isPropertySignature).find((one) => one.name.getText(source) === 'id');
  if (id) return id.type;
  const bases = (found.heritageClauses ?? []).flatMap(({ types }) => [...types]);
  for (const { expression } of bases) {
    const inherited = idTypeOf(source, expression.getText(source));
    if (inherited) return inherited;
  }
  return undefined;
}

/** `lst` of `Id<'lst'>` */
const lettersOf = (type: ts.TypeNode): string | undefined =>
  ts.isTypeReferenceNode(type) && type.typeName.getText() === 'Id'
    ? textOf(type.typeArguments?.[0])
    : undefined;

/** `usr` of `UserId`, when the same file says what that is. */
function lettersOfAlias(source: ts.SourceFile, type: ts.TypeNode): string | undefined {
  const aliases = source.statements.filter(ts.isTypeAliasDeclaration);
  const alias = aliases.find(({ name }) => name.text === type.getText(source));
  return alias && lettersOf(alias.type);
}

/** What `class … extends Repository<Listing, 'sellerId'>` says; the owner is missing for `never` and for several. */
function storedAs(source: ts.SourceFile, noun: string): Pick<Aggregate, 'owner' | 'collection'> {
  for (const found of source.statements.filter(ts.isClassDeclaration)) {
    const base = (found.heritageClauses ?? [])
      .flatMap(({ types }) => [...types])
      .find(({ expression, typeArguments }) => {
        return expression.getText(source) === 'Repository' && typeArguments?.[0]?.getText(source) === noun;
      });
    if (base) return { owner: textOf(base.typeArguments?.[1]), collection: collectionIn(source, found) };
  }
  return {};
}

/** `collection: 'listings'`, or of a constant's name. */
function collectionIn(source: ts.SourceFile, repository: ts.Node): string | undefined {
  let found: ts.Expression | undefined;
  const visit = (node: ts.Node): void => {
    if (ts.isPropertyAssignment(node) && node.name.getText(source) === 'collection')
      found ??= node.initializer;
    else ts.forEachChild(node, visit);
  };
  visit(repository);
  const value = found && ts.isIdentifier(found) ? initializerOf(source, found.text) : found;
  return value && ts.isStringLiteral(value) ? value.text : undefined;
}

const textOf = (type: ts.TypeNode | undefined): string | undefined =>
  type && ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal) ? type.literal.text : undefined;
