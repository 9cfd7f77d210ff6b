import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './deployment.js';

/** `[text](target)`, outside code; images too. */
const LINK = /\[[^\]]*\]\(([^)\s]+)\)/g;
const CODE = /```[\s\S]*?```|`[^`\n]*`/g;
const HEADING = /^#{1,6} (.+)$/gm;

/** Also what is not committed yet: a link is wrong before the commit too. */
const documents = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(join(ROOT, file)));

describe('documents', () => {
  it('are there to be checked', () => {
    expect(documents).toEqual(
      expect.arrayContaining(['README.md', 'docs/flows/purchase.md', 'docs/flows/job.md']),
    );
  });

  it.each(documents)('%s links only to files and headings that exist', (file) => {
    const broken = [...read(file).replace(CODE, '').matchAll(LINK)]
      .map(([, target]) => target!)
      .filter((target) => !/^[a-z]+:/.test(target))
      .filter((target) => !exists(file, target));
    expect(broken).toEqual([]);
  });

  it.each(documents.filter((file) => file.startsWith('docs/flows/')))(
    '%s has a number for every arrow, and a link to code for every number',
    (file) => {
      const text = read(file);
      const diagram = /```mermaid([\s\S]*?)```/.exec(text)![1]!;
      expect(diagram).toMatch(/^\s*sequenceDiagram\n\s*autonumber\n/);
      const arrows = diagram.match(/^.*-{1,2}[)>]{1,2}.*:/gm)!;
      const steps = text.match(/^\d+\. .*(?:\n {2,}.*)*/gm) ?? [];
      expect(steps).toHaveLength(arrows.length);
      expect(steps.filter((step) => !/\]\(\.\.\/\.\.\/(apps|libs)\//.test(step))).toEqual([]);
    },
  );
});

function exists(file: string, target: string): boolean {
  const [path = '', heading] = target.split('#', 2);
  const full = path ? join(ROOT, dirname(file), decodeURIComponent(path)) : join(ROOT, file);
  if (!existsSync(full)) return false;
  if (heading === undefined || !full.endsWith('.md')) return true;
  return [...readFileSync(full, 'utf8').matchAll(HEADING)].some(([, title]) => slug(title!) === heading);
}

/** As GitHub makes anchors of headings. */
const slug = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
