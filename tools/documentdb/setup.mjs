// Fetches DocumentDB (the MongoDB engine for PostgreSQL) from Debian's packages into a per-user cache.
// Plain Node 20 and no dependency, because it runs before `npm ci`. Nothing is installed on the host.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Debian suite that has the packages, PostgreSQL's major version, and the revision of the recipe below. */
const SUITE = 'forky';
const POSTGRES = '18';
const RECIPE = 2;
const PACKAGES = [`postgresql-${POSTGRES}`, `postgresql-${POSTGRES}-documentdb`];

const indexMs = 180_000;
const downloadMs = 900_000;
const unpackMs = 120_000;
const shortMs = 30_000;
const stalePartialMs = 3_600_000;
const outputBytesMax = 4_000_000;

/** Where root keeps the unpacked engine: the server runs as `nobody`, who cannot enter /root. */
const ROOT_CACHE = '/var/cache/atelier';
const KEYRINGS = ['gpg', 'pgp'].map((end) => `/usr/share/keyrings/debian-archive-keyring.${end}`);
/** Directories of the packages that a server never reads. */
const LEFT_OUT = [
  ...['doc', 'man', 'locale', 'lintian', 'i18n'].map((name) => `./usr/share/${name}`),
  ...['./usr/include', './usr/lib/systemd', './etc', './var', '*/bitcode', '*/gconv'],
];
/** Packages that only the packaging or unused PostGIS parts want; apt is told that they are installed. */
const NOT_NEEDED = [
  /^lib(gdal|sfcgal)\d+$/,
  /^gdal-(data|plugins)$/,
  /^proj-(data|bin)$/,
  /^postgresql-(client-)?common$/,
  /^(ssl-cert|locales|tzdata|debconf|openssl|adduser)$/,
  /^(perl(-base)?|libselinux1|libxslt1\.1)$/,
  /^libpam-(runtime|modules|modules-bin)$/,
];
const MODULES =
  'plpgsql pg_cron pg_documentdb pg_documentdb_core pg_documentdb_extended_rum rum vector postgis-3 tsm_system_rows dict_snowball';

/** A failure with one sentence that says what to do. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** True when this process is root: PostgreSQL then has to run as somebody else. */
export const isRoot = () => process.getuid?.() === 0;

/** The account that runs the server when the caller is root. */
export function serverAccount() {
  const line = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith('nobody:'));
  if (!line)
    throw new SetupError('There is no account "nobody" to run the database as: run as an ordinary user.');
  const [, , uid, gid] = line.split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

/** True when every existing folder on the way to `folder` can be entered by everybody. */
export function everybodyCanReach(folder) {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const entry = fs.statSync(at, { throwIfNoEntry: false });
    if (entry && (entry.mode & 0o001) === 0) return false;
    if (at === path.dirname(at)) return true;
  }
}

/** The cache folder for downloads: the user's own, or /var/cache/atelier for root (see README). */
export function defaultCacheDir(env = process.env) {
  if (env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME))
    return path.join(env.XDG_CACHE_HOME, 'atelier');
  const home = env.HOME || os.userInfo().homedir;
  if (isRoot()) return ROOT_CACHE;
  if (home && fs.existsSync(home) && canWrite(home)) return path.join(home, '.cache', 'atelier');
  return privateTemporary('atelier-cache');
}

function canWrite(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A folder for a user without a home. The name is predictable, so a folder of somebody else is refused. */
function privateTemporary(name) {
  const folder = path.join(os.tmpdir(), `${name}-${process.getuid?.() ?? 'user'}`);
  fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  const entry = fs.lstatSync(folder);
  if (!entry.isDirectory() || entry.uid !== process.getuid?.()) {
    throw new SetupError(`${folder} belongs to somebody else: set XDG_CACHE_HOME to a folder of yours.`);
  }
  return folder;
}

/**
 * Returns the unpacked engine, fetching it first when this cache has none.
 * Built in a temporary sibling and renamed at the end, so a folder of the final name is always complete.
 *
 * @param {{ cacheDir?: string, onProgress?: (text: string, fraction?: number) => void }} options
 * @returns {Promise<{ root: string, bin: string }>} `bin` holds `postgres`, `initdb` and `psql`.
 */
export async function ensureDocumentDb({ cacheDir = defaultCacheDir(), onProgress = () => {} } = {}) {
  const cache = isRoot() && !everybodyCanReach(cacheDir) ? ROOT_CACHE : path.resolve(cacheDir);
  const target = path.join(cache, `documentdb-pg${POSTGRES}-${process.arch}-${RECIPE}`);
  const result = { root: target, bin: path.join(target, 'usr/lib/postgresql', POSTGRES, 'bin') };
  if (fs.existsSync(path.join(result.bin, 'postgres'))) return result;
  await requireDebian();
  try {
    fs.mkdirSync(cache, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new SetupError(
      `Cannot write the cache ${cache} (${error.code}): set XDG_CACHE_HOME to a folder of yours.`,
    );
  }
  removeStalePartials(cache);
  const partial = `${target}.partial-${randomBytes(6).toString('hex')}`;
  fs.mkdirSync(partial, { mode: 0o755 });
  try {
    const packages = await fetchPackages(path.join(partial, 'apt'), onProgress);
    const root = path.join(partial, 'root');
    await unpack(packages, root, onProgress);
    wrapPrograms(root);
    await requireSelfContained(root);
    publish(root, target, result.bin);
  } finally {
    fs.rmSync(partial, { recursive: true, force: true });
  }
  onProgress('DocumentDB is ready', 1);
  return result;
}

async function requireDebian() {
  if (process.platform !== 'linux') {
    throw new SetupError('DocumentDB is fetched on Linux only: set MONGODB_URI, or start docker compose.');
  }
  for (const tool of ['apt-get', 'apt-cache', 'dpkg', 'dpkg-deb', 'tar', 'setpriv']) {
    const found = ['/usr/bin', '/bin', '/usr/sbin', '/sbin'].some((folder) =>
      fs.existsSync(path.join(folder, tool)),
    );
    if (!found)
      throw new SetupError(`No ${tool} on this machine: set MONGODB_URI, or use a Debian or Ubuntu.`);
  }
  if (!KEYRINGS.some((file) => fs.existsSync(file))) {
    throw new SetupError(
      'The signatures of Debian cannot be checked: apt-get install debian-archive-keyring.',
    );
  }
}

/** Folders of an interrupted run; a run that is under way is younger. */
function removeStalePartials(cache) {
  for (const name of fs.readdirSync(cache)) {
    if (!/^documentdb-.*\.partial-/.test(name)) continue;
    const entry = fs.statSync(path.join(cache, name), { throwIfNoEntry: false });
    if (entry && Date.now() - entry.mtimeMs > stalePartialMs) {
      fs.rmSync(path.join(cache, name), { recursive: true, force: true });
    }
  }
}

/** Renames the finished folder; when another run was first, its result is as good. */
function publish(root, target, bin) {
  try {
    fs.renameSync(root, target);
  } catch (error) {
    if (!fs.existsSync(path.join(bin, 'postgres'))) throw error;
  }
}

/** Downloads the packages with a private apt, whose proxy and certificates stay those of the host. */
async function fetchPackages(folder, onProgress) {
  const archives = path.join(folder, 'archives');
  fs.mkdirSync(path.join(folder, 'lists/partial'), { recursive: true });
  fs.mkdirSync(path.join(archives, 'partial'), { recursive: true });
  const architecture = (await run('dpkg', ['--print-architecture'], shortMs)).trim();
  const keyring = KEYRINGS.find((file) => fs.existsSync(file));
  fs.writeFileSync(
    path.join(folder, 'sources.list'),
    `deb [signed-by=${keyring}] ${await mirror()} ${SUITE} main\n`,
  );
  fs.writeFileSync(path.join(folder, 'status'), '');
  const config = path.join(folder, 'apt.conf');
  fs.writeFileSync(config, aptConfig(folder, architecture));

  onProgress('reading the package index of Debian', 0);
  const hint = 'check the network, set DEBIAN_MIRROR, or set MONGODB_URI';
  await run('apt-get', ['-qq', '-c', config, 'update'], indexMs, hint);
  const names = (await run('apt-cache', ['-c', config, 'pkgnames'], shortMs)).split('\n');
  const unneeded = names.filter((name) => NOT_NEEDED.some((pattern) => pattern.test(name)));
  fs.writeFileSync(
    path.join(folder, 'status'),
    unneeded.map((name) => installed(name, architecture)).join('\n'),
  );

  const install = ['-qq', '-c', config, 'install', '-y'];
  const listed = await run('apt-get', [...install, '--print-uris', ...PACKAGES], shortMs, hint);
  const bytesTotal = [...listed.matchAll(/^'\S+' \S+ (\d+)/gm)].reduce(
    (sum, match) => sum + Number(match[1]),
    0,
  );
  const megabytes = Math.round(bytesTotal / 1e6);
  const report = () => {
    const fraction = Math.min(1, bytesBelow(archives) / (bytesTotal || 1));
    onProgress(`downloading DocumentDB, ${megabytes} MB`, 0.1 + 0.7 * fraction);
  };
  report();
  const timer = setInterval(report, 500);
  try {
    await run('apt-get', [...install, '--download-only', ...PACKAGES], downloadMs, hint);
  } finally {
    clearInterval(timer);
  }
  const files = fs.readdirSync(archives).filter((name) => name.endsWith('.deb'));
  if (files.length === 0)
    throw new SetupError('apt downloaded no package: check the free space of the cache folder.');
  return files.map((name) => path.join(archives, name));
}

/** The mirror that this host already uses for Debian, else Debian's own. */
async function mirror() {
  if (process.env.DEBIAN_MIRROR) return process.env.DEBIAN_MIRROR;
  const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI)'], shortMs).catch(() => '');
  return targets.split('\n').find((uri) => /\/debian\/*$/.test(uri)) ?? 'http://deb.debian.org/debian';
}

function aptConfig(folder, architecture) {
  const settings = {
    'Dir::Etc::SourceList': `${folder}/sources.list`,
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State': folder,
    'Dir::State::Lists': `${folder}/lists`,
    'Dir::State::status': `${folder}/status`,
    'Dir::Cache': folder,
    'Dir::Cache::archives': `${folder}/archives`,
    'Dir::Log': folder,
    'APT::Architecture': architecture,
    'APT::Install-Recommends': 'false',
    // The download folder is ours; apt's own sandbox user could not write to it.
    'APT::Sandbox::User': '',
    'APT::Update::Error-Mode': 'any',
    // A mirror that lags, or a machine whose clock is ahead, must not end the setup; signatures still count.
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
    'Acquire::http::Timeout': '30',
    'Acquire::https::Timeout': '30',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Debug::NoLocking': 'true',
  };
  const hooks = ['APT::Architectures', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'];
  return [
    ...Object.entries(settings).map(([key, value]) => `${key} "${value}";`),
    ...[...hooks, 'DPkg::Post-Invoke', 'DPkg::Pre-Install-Pkgs'].map((key) => `#clear ${key};`),
    '',
  ].join('\n');
}

/** One entry of dpkg's status file that makes apt believe that a package is there. */
const installed = (name, architecture) =>
  [
    `Package: ${name}`,
    'Status: install ok installed',
    'Maintainer: nobody <nobody@localhost>',
    `Architecture: ${architecture}`,
    'Multi-Arch: foreign',
    'Version: 999',
    'Description: not needed here',
    '',
  ].join('\n');

function bytesBelow(folder) {
  let bytes = 0;
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const at = path.join(folder, entry.name);
    if (entry.isDirectory()) bytes += bytesBelow(at);
    else bytes += fs.statSync(at, { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

/** Unpacks without running any maintainer script. */
async function unpack(packages, root, onProgress) {
  fs.mkdirSync(root, { mode: 0o755 });
  const tar = ['-x', '-C', root, '--no-same-owner', '--no-same-permissions'];
  tar.push(...LEFT_OUT.map((pattern) => `--exclude=${pattern}`));
  for (const [done, file] of packages.entries()) {
    onProgress('unpacking DocumentDB', 0.8 + (0.18 * done) / packages.length);
    const command =
      'umask 022; f=$1; shift; dpkg-deb --fsys-tarfile "$f" >"$f.tar" && tar "$@" -f "$f.tar" && rm "$f.tar"';
    await run(
      'sh',
      ['-c', command, 'sh', file, ...tar],
      unpackMs,
      `free some space near ${root} and try again`,
    );
  }
  // Debian's postinst chooses the PostGIS version by an alternative; there is only one here.
  const control = path.join(root, 'usr/share/postgresql', POSTGRES, 'extension/postgis.control');
  if (!fs.existsSync(control)) fs.symlinkSync('postgis-3.control', control);
}

/** The loader of the unpacked libc and the folders it searches, relative to the root. */
function loader(root) {
  for (const triplet of fs.readdirSync(path.join(root, 'usr/lib'))) {
    const folder = path.join('usr/lib', triplet);
    if (!fs.statSync(path.join(root, folder)).isDirectory()) continue;
    const name = fs.readdirSync(path.join(root, folder)).find((file) => /^ld-linux.*\.so\.\d+$/.test(file));
    if (name) return { program: path.join(folder, name), libraries: folder };
  }
  throw new SetupError('The packages of Debian hold no loader for this machine: set MONGODB_URI.');
}

/**
 * The host's libc is older than the packages', so each program is a small script that starts it under the
 * unpacked loader. No ELF file changes and no LD_LIBRARY_PATH leaks into children.
 */
function wrapPrograms(root) {
  const postgres = path.join(root, 'usr/lib/postgresql', POSTGRES);
  const { program, libraries } = loader(root);
  fs.mkdirSync(path.join(postgres, 'libexec'));
  for (const name of ['postgres', 'initdb', 'psql']) {
    const script = path.join(postgres, 'bin', name);
    fs.renameSync(script, path.join(postgres, 'libexec', name));
    const search = ['$r/LIB', '$d/../lib', '$r/LIB/blas', '$r/LIB/lapack']
      .join(':')
      .replaceAll('LIB', libraries);
    const lines = [
      '#!/bin/sh',
      'd=$(cd "${0%/*}" && pwd -P)',
      `r=\${d%/usr/lib/postgresql/*}`,
      'export PROJ_DATA="$r/usr/share/proj"',
      `exec "$r/${program}" --inhibit-cache --library-path "${search}" \\`,
      `  --argv0 "$d/${name}" "$d/../libexec/${name}" "$@"`,
      '',
    ];
    fs.writeFileSync(script, lines.join('\n'), { mode: 0o755 });
    fs.chmodSync(script, 0o755);
  }
}

/** How a program of the unpacked packages is started that has no script in `bin`: its file and arguments follow. */
export function underLoader(root) {
  const { program, libraries } = loader(root);
  const [own, postgres] = [path.join(root, libraries), path.join(root, 'usr/lib/postgresql', POSTGRES)];
  const folders = [own, `${postgres}/lib`, `${own}/blas`, `${own}/lapack`];
  const args = ['--inhibit-cache', '--library-path', folders.join(':')];
  return { command: path.join(root, program), args };
}

/** Every library of the programs and modules must come from the folder, not from the host by chance. */
async function requireSelfContained(root) {
  const postgres = path.join(root, 'usr/lib/postgresql', POSTGRES);
  const { command, args: loading } = underLoader(root);
  const files = ['libexec/postgres', 'libexec/initdb', ...MODULES.split(' ').map((name) => `lib/${name}.so`)];
  for (const file of files) {
    const args = [...loading, '--list', path.join(postgres, file)];
    const listed = await run(command, args, shortMs, 'the packages of Debian changed: set MONGODB_URI');
    const outside = listed.split('\n').filter((line) => line.includes('=>') && !line.includes(`=> ${root}/`));
    if (outside.length > 0) {
      throw new SetupError(
        `${file} lacks a library (${outside[0].trim()}): the packages changed, set MONGODB_URI.`,
      );
    }
  }
}

/** Runs a program to its end and returns its output; fails with its last line and what to do about it. */
function run(program, args, timeoutMs, hint = 'set MONGODB_URI instead') {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
    env.PATH = `${env.PATH ? `${env.PATH}:` : ''}/usr/sbin:/usr/bin:/sbin:/bin`;
    const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: timeoutMs });
    let output = '';
    let errors = '';
    child.stdout.on('data', (chunk) => (output.length < outputBytesMax ? (output += chunk) : undefined));
    child.stderr.on('data', (chunk) => (errors = (errors + chunk).slice(-4000)));
    child.on('error', (error) =>
      reject(new SetupError(`${program} does not start (${error.message}): ${hint}.`)),
    );
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(output);
      const last =
        errors.trim().split('\n').at(-1) || (signal ? `no end after ${timeoutMs} ms` : `exit code ${code}`);
      reject(new SetupError(`${path.basename(program)} failed (${last}): ${hint}.`));
    });
  });
}
