import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Replaces a file in one step: a reader, or a later run, never sees half of it. */
export async function writeWhole(file, text, mode = 0o644) {
  const partial = await writePartial(file, text, mode);
  await rename(partial, file);
}

/** Writes a file unless it exists, in one step. Answers whether it was written. */
export async function writeOnce(file, text, mode = 0o644) {
  const partial = await writePartial(file, text, mode);
  try {
    await link(partial, file);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    await rm(partial, { force: true });
  }
}

/** The parsed file, or undefined when it is missing or not JSON. */
export async function readJson(file) {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return undefined;
  }
}

async function writePartial(file, text, mode) {
  await mkdir(path.dirname(file), { recursive: true });
  const partial = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  await writeFile(partial, text, { mode });
  return partial;
}
