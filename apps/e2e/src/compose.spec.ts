import { globSync } from 'node:fs';
import { apps, metricNames, ROOT, text, yamlFile, type Manifest } from './deployment.js';

const IMAGE_WITH_VERSION = /^[\w./-]+:v?\d+\.\d+(\.\d+)?[\w.-]*$/;

const services: Record<string, Manifest> = yamlFile('docker-compose.yml')['services'];

describe.each(apps)('in docker compose, $name', ({ name, port, variables }) => {
  const service = services[name] ?? {};

  it('has its port and every variable that npm start gives it', () => {
    const environment: Record<string, unknown> = service['environment'];
    const wanted = [...variables, 'NODE_ENV', 'HOST', 'PORT', 'ACTOR_SECRET'];
    expect(Object.keys(environment)).toEqual(expect.arrayContaining(wanted));
    expect(environment['PORT']).toBe(port);
    const urls = Object.entries(environment).filter(
      ([variable]) => variables.includes(variable) && variable.endsWith('_URL'),
    );
    for (const [variable, url] of urls) expect([variable, url]).toEqual([variable, internalUrl(String(url))]);
  });

  it('is built from the one Dockerfile and runs without rights or a disk', () => {
    expect(service['build']).toEqual({ context: '.', args: { APP: name } });
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      tmpfs: ['/tmp'],
    });
    expect(service['healthcheck'].test.slice(0, 3)).toEqual(['CMD', 'node', '-e']);
    expect(service['healthcheck'].test[3]).toContain('/health/ready');
  });
});

describe('docker compose', () => {
  it('pins every image that is not ours', () => {
    const foreign = Object.entries(services).filter(([name]) => !apps.some((app) => app.name === name));
    expect(foreign.length).toBeGreaterThan(0);
    for (const [name, { image }] of foreign)
      expect([name, image]).toEqual([name, expect.stringMatching(IMAGE_WITH_VERSION)]);
  });

  it('starts a service that stores only when Kafka and MongoDB are healthy', () => {
    for (const { name } of apps.filter((app) => app.name !== 'gateway'))
      expect([name, services[name]!['depends_on']]).toEqual([
        name,
        expect.objectContaining({
          mongo: { condition: 'service_healthy' },
          kafka: { condition: 'service_healthy' },
        }),
      ]);
    expect(services['mongo']!['healthcheck']).toBeDefined();
    expect(services['kafka']!['healthcheck']).toBeDefined();
  });

  it('has no secret in it: each comes from .env, which .env.example names and leaves empty', () => {
    const used = [...text('docker-compose.yml').matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name);
    const lines = text('.env.example')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines.sort()).toEqual([...new Set(used)].map((name) => `${name}=`).sort());
    expect(text('.gitignore').split('\n')).toContain('.env');
  });

  it('does not listen beyond this machine', () => {
    const ports = Object.values(services).flatMap(
      (service) => (service['ports'] as string[] | undefined) ?? [],
    );
    expect(ports).toEqual(ports.filter((one) => one.startsWith('127.0.0.1:')));
  });

  it('scrapes every service, and its dashboards show metrics that exist', () => {
    const [job] = yamlFile('docker/prometheus.yaml')['scrape_configs'];
    const targets: string[] = job.static_configs[0].targets;
    expect(targets.sort()).toEqual(apps.map(({ name, port }) => `${name}:${port}`).sort());
    const known = metricNames();
    for (const file of globSync('docker/grafana/dashboards/*.json', { cwd: ROOT })) {
      const shown = text(file)
        .match(/atelier_[a-z_]+/g)!
        .map((name) => name.replace(/_(bucket|count|sum)$/, ''));
      expect({ file, unknown: shown.filter((metric) => !known.has(metric)) }).toEqual({ file, unknown: [] });
    }
  });
});

describe('the image', () => {
  it('runs as nobody in particular, on a pinned Node', () => {
    const dockerfile = text('Dockerfile');
    const stages = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(new Set(stages)).toEqual(new Set([expect.stringMatching(IMAGE_WITH_VERSION)]));
    expect(dockerfile).toMatch(/^USER [1-9]\d*:[1-9]\d*$/m);
    expect(dockerfile).toContain('apps/app/dist/main.js');
  });
});

/** The same URL, at the compose name and port of the service that it names; others as they are. */
function internalUrl(url: string): string {
  const { hostname, pathname, protocol } = new URL(url);
  const app = apps.find(({ name }) => name === hostname);
  if (!app) return url;
  return `${protocol}//${app.name}:${app.port}${pathname === '/' ? '' : pathname}`;
}
