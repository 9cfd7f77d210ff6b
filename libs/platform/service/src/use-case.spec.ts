import { DomainError, VersionConflict } from '@atelier/kernel';
import { registry } from '@atelier/observability';
import { setTransactionProbe } from './probes.js';
import { UseCase } from './use-case.js';

class Repository {}

@UseCase('spec.change-thing')
class ChangeThing {
  runs = 0;
  constructor(readonly repository: Repository) {}

  async execute(conflicts: number, error?: Error): Promise<string> {
    this.runs += 1;
    if (this.runs <= conflicts) throw new VersionConflict('things', 'thg_1');
    if (error) throw error;
    return 'done';
  }
}

@UseCase('spec.change-two-things')
class ChangeTwoThings {
  runs = 0;
  constructor(private readonly change: ChangeThing) {}

  async execute(conflicts: number): Promise<string> {
    this.runs += 1;
    return this.change.execute(conflicts);
  }
}

describe('@UseCase', () => {
  afterEach(() => setTransactionProbe(() => false));
  const useCase = () => new ChangeThing(new Repository());

  it('runs again when somebody else was faster', async () => {
    const change = useCase();
    await expect(change.execute(2)).resolves.toBe('done');
    expect(change.runs).toBe(3);
  });

  it('gives up after three runs in all', async () => {
    const change = useCase();
    await expect(change.execute(10)).rejects.toBeInstanceOf(VersionConflict);
    expect(change.runs).toBe(3);
  });

  it('leaves the rerun to the owner of an open transaction', async () => {
    setTransactionProbe(() => true);
    const change = useCase();
    await expect(change.execute(1)).rejects.toBeInstanceOf(VersionConflict);
    expect(change.runs).toBe(1);
  });

  it('runs again as a whole when it calls another one, and not three times three', async () => {
    const inner = useCase();
    const outer = new ChangeTwoThings(inner);
    await expect(outer.execute(10)).rejects.toBeInstanceOf(VersionConflict);
    expect([outer.runs, inner.runs]).toEqual([3, 3]);
  });

  it('runs once when the error is another one, and passes it on', async () => {
    const change = useCase();
    const error = new DomainError({ kind: 'conflict', code: 'spec.taken', detail: 'Taken.' });
    await expect(change.execute(0, error)).rejects.toBe(error);
    expect(change.runs).toBe(1);
  });

  it('counts its outcomes', async () => {
    const metrics = await registry.metrics();
    for (const outcome of ['done', 'refused'])
      expect(metrics).toContain(
        `atelier_use_case_duration_seconds_count{use_case="spec.change-thing",outcome="${outcome}"}`,
      );
  });

  it('stays injectable: Nest sees what the constructor takes', () => {
    expect(Reflect.getMetadata('design:paramtypes', ChangeThing)).toEqual([Repository]);
    expect(Reflect.getMetadata('__injectable__', ChangeThing)).toBe(true);
  });
});
