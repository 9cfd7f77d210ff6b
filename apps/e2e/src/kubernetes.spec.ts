import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import {
  apps,
  consumerGroups,
  kubernetesBase,
  metricNames,
  ROOT,
  text,
  topics,
  type App,
  type Manifest,
  type NotHere,
} from './deployment.js';

const STAGES_OF_SHUTDOWN = 5;
const NOT_HERE: NotHere = {
  DEV_LOGINS_FILE: 'there are no development log-ins in a cluster',
  MAILBOX_DIR: 'mail goes to SMTP_URL: a pod without it must not start',
  OBJECTS_DIR: 'replicas share no folder: OBJECT_STORE says gridfs',
};
/** ARCHITECTURE.md, synchronous edges: who may open a connection to whom. */
const EDGES = ['commerce → ledger', 'studio → ledger'];

const base = kubernetesBase();
const named = (kind: string, name: string): Manifest => {
  const found = base.filter((one) => one['kind'] === kind && one['metadata'].name === name);
  expect(found.map((one) => one['metadata'].name)).toEqual([name]);
  return found[0]!;
};
const config: Record<string, string> = named('ConfigMap', 'atelier')['data'];
const podOf = ({ name }: App): Manifest => named('Deployment', name)['spec'].template.spec;
const containerOf = (app: App): Manifest => {
  expect(podOf(app)['containers']).toHaveLength(1);
  return podOf(app)['containers'][0];
};

describe.each(apps)('in Kubernetes, $name', (app) => {
  it('has every variable that npm start gives it, and takes secrets only by reference', () => {
    const container = containerOf(app);
    expect(container['envFrom']).toEqual([{ configMapRef: { name: 'atelier' } }]);
    const own: Manifest[] = container['env'];
    const given = [...Object.keys(config), ...own.map(({ name }) => name)];
    const wanted = [...app.variables, 'NODE_ENV', 'HOST', 'PORT', 'KAFKA_BROKERS', 'ACTOR_SECRET'];
    expect(given).toEqual(expect.arrayContaining(wanted.filter((name) => !(name in NOT_HERE))));
    expect(given.filter((name) => name in NOT_HERE)).toEqual([]);
    const secrets = own.filter(({ name }) => /SECRET|_JWK|_KEY|MONGODB_URI|SMTP_URL/.test(name));
    expect(secrets.length).toBeGreaterThan(0);
    for (const { name, value, valueFrom } of secrets)
      expect({ name, value, secret: valueFrom?.secretKeyRef?.key }).toEqual({ name, secret: name });
    // A misspelt key stops the pod. Left out, it would look like a choice.
    expect(secrets.filter(({ valueFrom }) => valueFrom.secretKeyRef.optional)).toEqual([]);
  });

  it('listens on the port of the topology and is found at it', () => {
    const container = containerOf(app);
    expect(container['env']).toContainEqual({ name: 'PORT', value: String(app.port) });
    expect(container['ports']).toEqual([{ name: 'http', containerPort: app.port }]);
    const service = named('Service', app.name)['spec'];
    expect(service.ports).toEqual([{ name: 'http', port: app.port, targetPort: 'http' }]);
    expect(named('Deployment', app.name)['spec'].template.metadata.labels).toMatchObject(service.selector);
  });

  it('is killed only by its event loop, and given traffic only when it is ready', () => {
    const { startupProbe, readinessProbe, livenessProbe } = containerOf(app);
    expect(startupProbe.httpGet).toEqual({ path: '/health/startup', port: 'http' });
    expect(readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'http' });
    expect(livenessProbe.httpGet).toEqual({ path: '/health/live', port: 'http' });
    // A replica may wait 120 s for another's migration.
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThan(120);
  });

  it('has the time to drain before it is killed', () => {
    const preStopSeconds = containerOf(app)['lifecycle'].preStop.sleep.seconds;
    expect(preStopSeconds).toBeGreaterThanOrEqual(5);
    const drainSeconds = (Number(config['DRAIN_TIMEOUT_MS']) / 1_000) * STAGES_OF_SHUTDOWN;
    expect(podOf(app)['terminationGracePeriodSeconds']).toBeGreaterThan(preStopSeconds + drainSeconds);
  });

  it('runs without root, without rights and without a disk', () => {
    const pod = podOf(app);
    expect(pod['automountServiceAccountToken']).toBe(false);
    expect(pod['securityContext']).toMatchObject({
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(containerOf(app)['securityContext']).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod['volumes'].every((volume: Manifest) => volume['emptyDir']?.sizeLimit)).toBe(true);
  });

  it('is spread, limited, and loses one replica at a time', () => {
    const { requests, limits } = containerOf(app)['resources'];
    expect(Object.keys({ ...requests }).sort()).toEqual(['cpu', 'memory']);
    expect(limits.memory).toBeDefined();
    const keys = podOf(app)['topologySpreadConstraints'].map((one: Manifest) => one['topologyKey']);
    expect(keys).toEqual(['topology.kubernetes.io/zone', 'kubernetes.io/hostname']);
    const budget = named('PodDisruptionBudget', app.name)['spec'];
    expect(budget.maxUnavailable).toBe(1);
    expect(budget.selector.matchLabels).toEqual({ 'app.kubernetes.io/name': app.name });
    expect(named('Deployment', app.name)['spec'].replicas).toBeUndefined();
  });

  it('has one autoscaler, which sees the lag of each of its consumer groups', () => {
    const scalers = base.filter((one) => one['spec']?.scaleTargetRef?.name === app.name);
    expect(scalers).toHaveLength(1);
    const triggers: Manifest[] = scalers[0]!['spec'].triggers ?? [];
    const groups = triggers
      .filter(({ type }) => type === 'kafka')
      .map(({ metadata }) => metadata.consumerGroup);
    expect(groups.sort()).toEqual(consumerGroups().get(app.name) ?? []);
  });
});

describe('the cluster', () => {
  it('has exactly the topics that contracts and consumers ask for', async () => {
    const declared = base.filter(({ kind }) => kind === 'KafkaTopic');
    const found = declared.map(({ metadata, spec }) => [
      spec.topicName ?? metadata.name,
      {
        partitions: spec.partitions,
        retentionMs: spec.config['retention.ms'],
        cleanup: spec.config['cleanup.policy'],
      },
    ]);
    expect(new Map(found as [string, unknown][])).toEqual(new Map(await topics()));
    expect(found).toHaveLength(new Map(found as [string, unknown][]).size);
  });

  it('denies every connection that is not an edge of the architecture', () => {
    expect(named('NetworkPolicy', 'default-deny')['spec']).toEqual({
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
    const edges = base
      .filter(({ kind, spec }) => kind === 'NetworkPolicy' && spec.podSelector.matchLabels)
      .flatMap(({ spec }) => {
        const to: string | undefined = spec.podSelector.matchLabels['app.kubernetes.io/name'];
        const from: Manifest[] = (spec.ingress ?? []).flatMap((rule: Manifest) => rule['from']);
        return from.flatMap(({ podSelector }: Manifest) => {
          const name: string | undefined = podSelector?.matchLabels['app.kubernetes.io/name'];
          return name && to ? [`${name} → ${to}`] : [];
        });
      });
    expect(edges.sort()).toEqual(EDGES);
  });

  it('alerts by metrics that exist, each with a runbook', () => {
    const known = metricNames();
    const rules: Manifest[] = named('PrometheusRule', 'atelier')['spec'].groups[0].rules;
    expect(rules.length).toBeGreaterThan(0);
    for (const { alert, expr, annotations } of rules) {
      const unknown = (expr as string).match(/atelier_[a-z_]+/g)!.filter((metric) => !known.has(metric));
      expect({ alert, unknown }).toEqual({ alert, unknown: [] });
      expect(text(annotations.runbook as string)).toContain('# ');
    }
  });

  it('is made of what its kustomization lists', () => {
    const images = base.filter(({ kind }) => kind === 'Deployment').map((one) => one['metadata'].name);
    expect(images.sort()).toEqual(apps.map(({ name }) => name).sort());
    expect(named('HTTPRoute', 'atelier')['spec'].rules[0].backendRefs).toEqual([
      { name: 'gateway', port: 8080 },
    ]);
    expect(named('ServiceMonitor', 'atelier')['spec'].endpoints[0].path).toBe('/metrics');
  });
});

const kustomize = hasKubectl() ? it : it.skip;
describe.each(['dev', 'prod'])('the overlay %s', (overlay) => {
  kustomize('builds with kubectl kustomize, into one namespace and with what the base promises', () => {
    const built = execFileSync('kubectl', ['kustomize', join(ROOT, 'k8s/overlays', overlay)], {
      encoding: 'utf8',
    });
    const manifests = parseAllDocuments(built).map((document) => document.toJS() as Manifest);
    const deployments = manifests.filter(({ kind }) => kind === 'Deployment');
    expect(deployments).toHaveLength(apps.length);
    for (const { metadata, spec } of deployments) {
      const [container] = spec.template.spec.containers;
      expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
      expect([metadata.name, container.readinessProbe.httpGet.path]).toEqual([
        metadata.name,
        '/health/ready',
      ]);
    }
    expect(new Set(manifests.flatMap(({ metadata }) => metadata.namespace ?? []))).toHaveProperty('size', 1);
  });
});

function hasKubectl(): boolean {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
