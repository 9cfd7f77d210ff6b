// Fetches Apache Kafka from Maven Central. Runs before `npm ci`: plain Node 20, no dependencies.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const resolveMsMax = 300_000;
const compileMsMax = 60_000;
const archiveMsMax = 60_000;
const outputCharsMax = 20_000;
const copyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies';

/** The JVM's limits; the class-data archive is only valid for the same collector and compiler. */
export const jvmFlags = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];

/**
 * Makes sure that `cacheDir/kafka-<key>` holds the broker's jars and answers that folder. Idempotent; an
 * interrupted run leaves only a temporary folder, which the next one removes.
 * @param {{ cacheDir: string, onProgress?: (text: string, fraction?: number) => void }} options
 * @returns {Promise<string>} the Kafka home to hand to `startKafka`
 * @throws {Error} one sentence that says what to do
 */
export async function ensureKafka({ cacheDir, onProgress = () => {} }) {
  const home = path.join(cacheDir, `kafka-${await versionKey(javaVersion())}`);
  if (existsSync(path.join(home, 'classpath'))) return home;

  requireTool('javac', ['-version'], 'openjdk-17-jdk-headless');
  requireTool('mvn', ['-v'], 'maven');
  await mkdir(cacheDir, { recursive: true });
  await removeLeftovers(cacheDir);
  const building = `${home}.tmp-${process.pid}`;
  await mkdir(path.join(building, 'lib'), { recursive: true });
  await resolveJars(building, cacheDir, onProgress);
  onProgress('compiling the broker');
  await compile(building);
  onProgress('building the class-data archive');
  await buildArchive(building);
  try {
    await rename(building, home);
  } catch (error) {
    // Another checkout finished the same folder first; its result is as good as ours.
    if (!existsSync(path.join(home, 'classpath'))) throw error;
    await rm(building, { recursive: true, force: true });
  }
  return home;
}

/**
 * The version of the Java on the PATH.
 * @throws {Error} one sentence that says what to do, when there is none or it is too old
 */
export function javaVersion() {
  const settings = ['-XshowSettings:properties', '-version'];
  const { stderr } = requireTool('java', settings, 'openjdk-17-jdk-headless');
  const full = /java\.vm\.version = (\S+)/.exec(stderr)?.[1] ?? 'unknown';
  const major = Number.parseInt(full, 10);
  if (major < 17)
    throw new Error(`Kafka 4 needs Java 17 or newer, and \`java\` is ${full}: install openjdk-17.`);
  return full;
}

function requireTool(tool, args, debian) {
  const found = spawnSync(tool, args, { encoding: 'utf8' });
  if (!found.error && found.status === 0) return found;
  throw new Error(
    `Kafka needs \`${tool}\`, which is not on the PATH: install it (Debian: apt install ${debian}).`,
  );
}

async function versionKey(java) {
  const pom = await readFile(path.join(here, 'pom.xml'), 'utf8');
  const version = /kafka_2\.13<\/artifactId>\s*<version>([^<]+)/.exec(pom)?.[1];
  const hash = createHash('sha256').update(pom).update(java).update(jvmFlags.join());
  hash.update(await readFile(path.join(here, 'java/EmbeddedKafka.java')));
  return `${version}-${hash.digest('hex').slice(0, 10)}`;
}

async function removeLeftovers(cacheDir) {
  for (const name of await readdir(cacheDir)) {
    const pid = /^kafka-.*\.tmp-(\d+)$/.exec(name)?.[1];
    if (pid && !existsSync(`/proc/${pid}`))
      await rm(path.join(cacheDir, name), { recursive: true, force: true });
  }
}

async function resolveJars(home, cacheDir, onProgress) {
  await cp(path.join(here, 'pom.xml'), path.join(home, 'pom.xml'));
  // The local repository moves to the cache because a home folder may be read-only. Settings (mirrors,
  // proxies, certificates) are still read from the host's settings.xml: only the repository's place changes.
  const args = ['-B', '-f', 'pom.xml', `-Dmaven.repo.local=${path.join(cacheDir, 'm2')}`, copyPlugin];
  args.push('-DoutputDirectory=lib', '-DincludeScope=runtime', '-Dmaven.wagon.http.retryHandler.count=3');
  onProgress('resolving jars with Maven');
  let files = 0;
  const result = await run('mvn', args, home, resolveMsMax, (line) => {
    if (line.includes('Downloaded from')) onProgress(`downloading from Maven: ${++files} files`);
  });
  if (result.code !== 0) {
    const reason = result.output
      .split('\n')
      .find((line) => line.includes('[ERROR]'))
      ?.replace(/.*\[ERROR\]\s*/, '');
    throw new Error(
      `Maven could not fetch Kafka's jars; check the network or the mirror in ~/.m2/settings.xml and run again` +
        ` (${(reason ?? (result.timedOut ? 'it took too long' : result.output.trim().slice(-200))).slice(0, 400)}).`,
    );
  }
}

async function compile(home) {
  const lib = path.join(home, 'lib');
  const jars = (await readdir(lib)).sort().map((name) => `lib/${name}`);
  const source = path.join(here, 'java/EmbeddedKafka.java');
  const compiled = await run('javac', ['-cp', jars.join(':'), '-d', 'classes', source], home, compileMsMax);
  // The archive cannot hold classes of a folder, so that the one class gets a jar.
  const packed =
    compiled.code === 0
      ? await run('jar', ['cf', 'lib/embedded-kafka.jar', '-C', 'classes', '.'], home, compileMsMax)
      : compiled;
  if (packed.code !== 0) {
    throw new Error(
      `Kafka's starter did not compile: install a full JDK 17 (${packed.output.trim().slice(0, 300)}).`,
    );
  }
  await rm(path.join(home, 'classes'), { recursive: true });
  // Relative entries: the folder is renamed when it is complete, and the archive must still match.
  await writeFile(path.join(home, 'classpath'), ['lib/embedded-kafka.jar', ...jars].join(':'));
}

/** One training run: start, stop. Without the archive the broker starts a second later: never fatal. */
async function buildArchive(home) {
  const classpath = await readFile(path.join(home, 'classpath'), 'utf8');
  const data = path.join(home, 'training/log');
  const [port, controllerPort] = await Promise.all([freePort(), freePort()]);
  const args = [...jvmFlags, '-XX:ArchiveClassesAtExit=kafka.jsa', '-cp', classpath, 'EmbeddedKafka'];
  args.push(path.join(here, 'server.properties'), ...brokerSettings({ logDir: data, port, controllerPort }));
  const result = await run('java', args, home, archiveMsMax, (line, child) => {
    if (line.includes('"ready":true')) child.stdin.end();
  });
  await rm(path.join(home, 'training'), { recursive: true, force: true });
  if (result.code !== 0) await rm(path.join(home, 'kafka.jsa'), { force: true });
}

/** The settings that differ from one broker to the next, as `key=value`. */
export function brokerSettings({ logDir, port, controllerPort }) {
  return [
    `log.dirs=${logDir}`,
    `listeners=PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}`,
    `controller.quorum.voters=1@127.0.0.1:${controllerPort}`,
  ];
}

async function freePort() {
  const { createServer } = await import('node:net');
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function run(command, args, cwd, msMax, onLine = () => {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: msMax,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const read = (chunk) => {
      output = (output + chunk).slice(-outputCharsMax);
      for (const line of String(chunk).split('\n')) onLine(line, child);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.stdin.on('error', () => {});
    child.on('error', (error) => resolve({ code: 1, output: error.message, timedOut: false }));
    child.on('close', (code, signal) => resolve({ code: code ?? 1, output, timedOut: signal === 'SIGKILL' }));
  });
}
