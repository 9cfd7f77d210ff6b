import path from 'node:path';
import { FsTree } from 'nx/src/generators/tree';
import consumer from './consumer.js';
import event from './event.js';
import feature from './feature.js';
import migration from './migration.js';
import projection from './projection.js';
import usecase from './usecase.js';

const ROOT = path.resolve(import.meta.dirname, '../../..');
type Case = readonly [what: string, ask: (tree: FsTree) => Promise<unknown>, words: string];
const pinPrompt = { app: 'catalog', feature: 'prompts', usecase: 'pin-prompt' };

describe('a generator that is asked for what cannot be', () => {
  it.each<Case>([
    [
      'an app that there is not',
      (tree) => feature(tree, { app: 'nowhere', noun: 'idea' }),
      'There are: analytics, catalog, commerce',
    ],
    [
      'a noun in another case',
      (tree) => feature(tree, { app: 'catalog', noun: 'PayoutMethod' }),
      'Did you mean `payout-method`?',
    ],
    [
      'a feature that there is',
      (tree) => feature(tree, { app: 'catalog', noun: 'prompt' }),
      'Already there: libs/contracts/src/catalog/prompts.api.ts',
    ],
    [
      'a prefix of another noun',
      (tree) => feature(tree, { app: 'catalog', noun: 'doodle', prefix: 'prm' }),
      '`prm` is taken',
    ],
    [
      'a route of another service',
      (tree) => feature(tree, { app: 'catalog', noun: 'doodle', route: 'users/doodles' }),
      'belongs to another service',
    ],
    [
      'a feature that there is not',
      (tree) => usecase(tree, { app: 'catalog', feature: 'nothing', name: 'archive-nothing' }),
      'catalog has no feature `nothing`. There are: ',
    ],
    [
      'a verb without its noun',
      (tree) => usecase(tree, { app: 'catalog', feature: 'prompts', name: 'archive' }),
      'a verb with its noun',
    ],
    [
      'a noun of another feature',
      (tree) => usecase(tree, { app: 'catalog', feature: 'prompts', name: 'archive-listing' }),
      'keeps no `listing`',
    ],
    [
      'a fact that there is',
      (tree) => event(tree, { app: 'catalog', noun: 'prompt', past: 'created' }),
      'defines PromptCreated already',
    ],
    [
      'a reaction to no fact',
      (tree) => consumer(tree, { ...pinPrompt, event: 'ListingPublishd' }),
      'There is no fact `ListingPublishd`. Did you mean ListingPublished, ',
    ],
    [
      'a reaction to no fact, and does not say what it would do',
      (tree) => consumer(tree, { app: 'catalog', feature: 'prompts', event: 'NothingHappened' }),
      'There is no fact `NothingHappened`',
    ],
    [
      'a reaction that does nothing',
      (tree) => consumer(tree, { app: 'catalog', feature: 'prompts', event: 'ListingPublished' }),
      'Say with --usecase what is done then',
    ],
    [
      'a reaction to a fact about somebody else',
      (tree) => consumer(tree, { ...pinPrompt, event: 'UserRegistered' }),
      'does not say whom it is about',
    ],
    [
      'a view that there is',
      (tree) =>
        projection(tree, {
          ...{ app: 'analytics', feature: 'sales', answer: 'sales-daily' },
          event: 'PurchaseCompleted',
        }),
      'Already there',
    ],
    [
      'a migration in another case',
      (tree) =>
        migration(tree, {
          ...{ app: 'catalog', words: 'Add Field', documents: 'prompts', field: 'x', value: '' },
        }),
      'Did you mean `add-field`?',
    ],
  ])('refuses %s and says what to do', async (_, ask, words) => {
    // Nx writes a tree only when its generator has ended well.
    await expect(ask(new FsTree(ROOT, false))).rejects.toThrow(words);
  });
});
