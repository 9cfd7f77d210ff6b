// Compiles every project's `src` to `dist`. One process, only what is newer: 0.2 s when nothing changed.
// usage: node tools/stack/build.mjs [project folder ...]
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { swcOptions } from './setup/swc.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const projectFolders = ['apps', 'libs', 'libs/platform'];
const isTest = (file) => /\.(spec|fixture|contract)\.ts$/.test(file);

/** Builds the given projects, or all, and answers how many files were written. */
export async function build(projects) {
  const settings = ['build.mjs', 'setup/swc.mjs'].map((file) => path.join(root, 'tools/stack', file));
  const settingsTime = Math.max(
    ...(await Promise.all(settings.map(async (file) => (await stat(file)).mtimeMs))),
  );
  const counts = await Promise.all(
    (projects ?? (await allProjects())).map((folder) => buildOne(folder, settingsTime)),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

async function allProjects() {
  const found = await Promise.all(
    projectFolders.map(async (parent) => {
      const names = await readdir(path.join(root, parent)).catch(() => []);
      return names.map((name) => path.join(root, parent, name));
    }),
  );
  return found.flat().filter((folder) => existsSync(path.join(folder, 'src')));
}

async function buildOne(project, settingsTime) {
  const src = path.join(project, 'src');
  const dist = path.join(project, 'dist');
  const files = await filesOf(src);
  const wanted = new Map(
    files
      .filter((file) => !isTest(file) && !file.endsWith('.d.ts'))
      .map((file) => [path.join(dist, file.replace(/\.ts$/, '.js')), path.join(src, file)]),
  );
  // A file that was renamed or deleted must not live on in dist.
  const present = existsSync(dist) ? await filesOf(dist) : [];
  const stale = present
    .map((file) => path.join(dist, file))
    .filter((file) => !wanted.has(file.replace(/\.map$/, '')));
  await Promise.all(stale.map((file) => rm(file, { force: true })));
  const written = await Promise.all(
    [...wanted].map(([target, source]) => writeOne(source, target, settingsTime)),
  );
  return written.filter(Boolean).length;
}

async function filesOf(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath ?? entry.path, entry.name)));
}

async function writeOne(source, target, settingsTime) {
  const [from, to] = await Promise.all([stat(source), stat(target).catch(() => undefined)]);
  if (to && to.mtimeMs > from.mtimeMs && to.mtimeMs > settingsTime) return false;
  await mkdir(path.dirname(target), { recursive: true });
  if (!source.endsWith('.ts')) {
    await copyFile(source, target);
    return true;
  }
  const { transformFile } = await import('@swc/core');
  const { code, map } = await transformFile(source, {
    ...swcOptions,
    sourceMaps: true,
    sourceFileName: path.relative(path.dirname(target), source),
    swcrc: false,
  });
  // The map first and the code renamed last: an interrupted build is seen as not done.
  await writeFile(`${target}.map`, map ?? '');
  await writeFile(`${target}.tmp`, `${code}\n//# sourceMappingURL=${path.basename(target)}.map\n`);
  await rename(`${target}.tmp`, target);
  return true;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const projects = process.argv.slice(2).map((folder) => path.resolve(folder));
  console.log(`${await build(projects.length > 0 ? projects : undefined)} files compiled`);
}
