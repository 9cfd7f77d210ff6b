import mongoose from 'mongoose';
import { type Change, type Context, type Page, VersionConflict } from '@atelier/kernel';
import type { Database } from './database.js';
import { duplicateKeyFields } from './duplicate-key.js';
import { keySetPage } from './key-set-page.js';
import type { Outbox } from './outbox.js';
import { currentSession } from './transaction.js';

/** What every aggregate has. `version` is 0 until it is saved for the first time. */
export interface Aggregate {
  readonly id: string;
  readonly version: number;
}

/** An aggregate as its collection stores it: the same fields, `id` as `_id`. */
export type Stored<State extends Aggregate> = Omit<State, 'id'> & { readonly _id: string };

/** A filter that does not compile without the owner: nobody reads what is not theirs by forgetting a field. */
export type OwnedFilter<State extends Aggregate, Owner extends keyof State> = Omit<
  mongoose.mongo.Filter<Stored<State>>,
  Owner
> &
  Readonly<Record<Owner, string>>;

/** Why a query may look beyond one owner. It stands at the call, where a reviewer sees it. */
export type AcrossOwners = 'public listing' | 'moderation' | 'system' | 'visibility is decided by the domain';

export interface PageRequest<State extends Aggregate> {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** The field to sort by; ties go by id. Default `createdAt`, newest first. */
  readonly sort?: { readonly by: keyof State & string; readonly direction: 1 | -1 };
  /** Big fields that a list does not show, and so need not be read: the items lack them. */
  readonly without?: readonly (keyof State & string)[];
}

/** What a feature's repository says of its collection. */
export interface RepositoryOptions<State extends Aggregate, Owner extends keyof State & string> {
  /** The collection's name: the documents' own, snake_case plural. */
  readonly collection: string;
  readonly schema: mongoose.Schema;
  /** The fields that every scoped filter must name. */
  readonly owner: readonly Owner[];
  /** What a caller is told when a unique index refuses the state. `fields` are the index's. */
  readonly onDuplicate?: (state: State, fields: readonly string[]) => Error;
}

/**
 * The one door to an aggregate's collection. `save` is the only write: state and facts leave together, in one
 * transaction, and only if nobody else saved since the state was loaded.
 */
export abstract class Repository<State extends Aggregate, Owner extends keyof State & string> {
  protected readonly model: mongoose.Model<Stored<State>>;

  protected constructor(
    protected readonly database: Database,
    private readonly outbox: Outbox,
    private readonly options: RepositoryOptions<State, Owner>,
  ) {
    this.model = database.model<Stored<State>>(
      options.collection,
      options.schema as mongoose.Schema<Stored<State>>,
    );
  }

  /** The aggregate with this id, if it belongs to this owner. */
  load(id: string, owner: Readonly<Record<Owner, string>>): Promise<State | undefined> {
    return this.one({ _id: id, ...owner } as OwnedFilter<State, Owner>);
  }

  /** The aggregate with this id, whoever owns it; the caller decides who may see it, and says why it may ask. */
  loadAcrossOwners(id: string, why: AcrossOwners): Promise<State | undefined> {
    return this.oneAcrossOwners({ _id: id } as mongoose.mongo.Filter<Stored<State>>, why);
  }

  /**
   * Saves a change and answers the state with its new version. A new aggregate whose id is already there is the
   * repeat of a request that got through: the stored state is answered and nothing is written or published.
   * Throws VersionConflict when somebody else saved first.
   */
  async save(change: Change<State>, context: Context): Promise<State> {
    const isNew = change.state.version === 0;
    const next: State = { ...change.state, version: change.state.version + 1 };
    try {
      if (change.events.length === 0) {
        await this.write(next, isNew);
      } else {
        await this.database.transaction(async (session) => {
          await this.write(next, isNew);
          await this.outbox.append(change.events, next.version, context, session, new Date());
        });
      }
      return next;
    } catch (error) {
      const fields = duplicateKeyFields(error);
      if (!fields) throw error;
      if (isNew && fields.includes('_id') && !currentSession()) {
        const stored = await this.loadAcrossOwners(change.state.id, 'system');
        if (stored) return stored;
      }
      throw this.options.onDuplicate?.(change.state, fields) ?? error;
    }
  }

  protected one(filter: OwnedFilter<State, Owner>): Promise<State | undefined> {
    return this.oneAcrossOwners(this.scoped(filter), 'system');
  }

  protected async oneAcrossOwners(
    filter: mongoose.mongo.Filter<Stored<State>>,
    _why: AcrossOwners,
  ): Promise<State | undefined> {
    const row = await this.model.collection.findOne(filter as mongoose.mongo.Filter<mongoose.AnyObject>, {
      session: currentSession(),
    });
    return row ? fromDocument<State>(row as unknown as Stored<State>) : undefined;
  }

  protected page(filter: OwnedFilter<State, Owner>, page: PageRequest<State>): Promise<Page<State>> {
    return this.pageAcrossOwners(this.scoped(filter), page, 'system');
  }

  /** One page by key set: the filter's index must end in the sort field and `_id`. */
  protected async pageAcrossOwners(
    filter: mongoose.mongo.Filter<Stored<State>>,
    page: PageRequest<State>,
    _why: AcrossOwners,
  ): Promise<Page<State>> {
    const { items, nextCursor } = await keySetPage(
      this.model.collection,
      filter as mongoose.mongo.Filter<mongoose.AnyObject>,
      page,
      page.sort ?? { by: 'createdAt', direction: -1 },
    );
    return { items: items.map((row) => fromDocument<State>(row as unknown as Stored<State>)), nextCursor };
  }

  /** The driver leaves `undefined` out of a filter: an owner that is missing at run time would find everybody's. */
  private scoped(filter: OwnedFilter<State, Owner>): OwnedFilter<State, Owner> {
    const missing = this.options.owner.find((field) => !filter[field]);
    if (missing) throw new Error(`${this.options.collection}: a scoped filter has no ${missing}`);
    return filter;
  }

  /** The state as its collection takes it. Throws when the schema does not. */
  protected async rowOf(state: State): Promise<mongoose.AnyObject> {
    const document = new this.model(toDocument(state));
    await document.validate();
    return document.toObject({ depopulate: true, flattenMaps: true });
  }

  private async write(next: State, isNew: boolean): Promise<void> {
    const row = await this.rowOf(next);
    const session = currentSession();
    if (isNew) {
      await this.model.collection.insertOne(row, { session });
      return;
    }
    const filter = {
      _id: next.id,
      version: next.version - 1,
    } as unknown as mongoose.mongo.Filter<mongoose.AnyObject>;
    const { matchedCount } = await this.model.collection.replaceOne(filter, row, { session });
    if (matchedCount === 0) throw new VersionConflict(this.options.collection, next.id);
  }
}

/** A schema with the fields that every aggregate has; strict, so that nothing undeclared is stored. */
export function aggregateSchema<State extends Aggregate>(
  fields: Record<Exclude<keyof State, 'id' | 'version'> & string, mongoose.SchemaDefinitionProperty>,
): mongoose.Schema<Stored<State>> {
  const definition: mongoose.SchemaDefinition = {
    _id: { type: String, required: true },
    version: { type: Number, required: true, min: 1 },
    ...fields,
  };
  const schema: unknown = new mongoose.Schema(definition, {
    versionKey: false,
    strict: 'throw',
    _id: false,
    minimize: false,
    id: false,
  });
  return schema as mongoose.Schema<Stored<State>>;
}

function toDocument<State extends Aggregate>({ id, ...state }: State): Stored<State> {
  return { _id: id, ...state };
}

export function fromDocument<State extends Aggregate>({ _id, ...row }: Stored<State>): State {
  return { id: _id, ...row } as unknown as State;
}
