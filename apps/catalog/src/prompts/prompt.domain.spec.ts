import fc from 'fast-check';
import {
  PromptCreated,
  PromptDeleted,
  PromptPublished,
  PromptUpdated,
} from '@atelier/contracts/catalog/prompt.events';
import {
  createPromptRequest,
  updatePromptRequest,
  type UpdatePromptRequest,
} from '@atelier/contracts/catalog/prompts.api';
import { newId, type DomainEvent } from '@atelier/kernel';
import { measure } from './prompt-metadata.domain.js';
import {
  accessTo,
  changePrompt,
  createPrompt,
  deletePrompt,
  listPrompt,
  type Prompt,
} from './prompt.domain.js';

const AT = new Date('2026-11-21T08:00:00.000Z');
const LATER = new Date('2026-11-21T09:00:00.000Z');
const owner = newId('usr');
const listing = { listingId: newId('lst'), priceCredits: 100, listedAt: AT };

const write = (input: Record<string, unknown> = {}) =>
  createPrompt(
    createPromptRequest.parse({ title: 'Portrait', content: 'Paint {subject}.', ...input }),
    { promptId: newId('prm'), versionId: newId('prv'), userId: owner },
    AT,
  );
const stored = (input?: Record<string, unknown>): Prompt => ({ ...write(input).state, version: 1 });
const change = (prompt: Prompt, request: UpdatePromptRequest) =>
  changePrompt(prompt, updatePromptRequest.parse(request), newId('prv'), owner, LATER);
const typesOf = (events: readonly DomainEvent[]) => events.map(({ definition }) => definition.type);

describe('a prompt that is written', () => {
  it('begins as a private draft with version 1 of its content in the history (R84, R86)', () => {
    const { state, events, newVersion } = write();
    expect(state).toMatchObject({ status: 'draft', visibility: 'private', contentVersion: 1, version: 0 });
    expect(typesOf(events)).toEqual([PromptCreated.type]);
    expect(newVersion).toMatchObject({
      id: state.latestVersionId,
      versionNumber: 1,
      content: 'Paint {subject}.',
    });
  });

  it('is published at once and active when it is public from the start', () => {
    const { state, events } = write({ visibility: 'public' });
    expect(state.status).toBe('active');
    expect(typesOf(events)).toEqual([PromptCreated.type, PromptPublished.type]);
  });

  it('counts a repeated tag once, whatever its case', () => {
    expect(write({ tags: ['Photo', 'photo ', 'Product'] }).state.tags).toEqual(['photo', 'product']);
  });

  it('never carries its content in a fact', () => {
    const secret = 'the-words-that-are-sold';
    const { state, events } = write({ content: secret, visibility: 'public' });
    const all = [
      ...events,
      ...change({ ...state, version: 1 }, { content: `${secret} again` }).events,
      ...(deletePrompt(state, owner, LATER)?.events ?? []),
    ];
    expect(all).toHaveLength(4);
    expect(JSON.stringify(all.map(({ data }) => data))).not.toContain(secret);
  });
});

describe('the requests', () => {
  it.each([
    ['a blank content', { content: ' \n' }],
    ['the marketplace as visibility, which only a listing gives', { visibility: 'marketplace' }],
    ['a language that is no ISO code (R82)', { language: 'qqx1' }],
    ['an unassigned language code (R82)', { language: 'xx' }],
    ['a difficulty that is none (R81)', { difficulty: 'godlike' }],
    ['an unknown type (R83)', { type: 'poem' }],
    ['a field that does not exist', { userId: owner }],
    ['too many tags', { tags: Array.from({ length: 21 }, (_, index) => `tag${index}`) }],
  ])('refuse %s', (_, input) => {
    expect(createPromptRequest.safeParse({ title: 'Portrait', content: 'Paint.', ...input }).success).toBe(
      false,
    );
  });

  it('refuse a change that names nothing to change', () => {
    expect(updatePromptRequest.safeParse({}).success).toBe(false);
    expect(updatePromptRequest.safeParse({ changes: 'Just a note.' }).success).toBe(false);
  });

  it('accept every language of ISO 639-1 that is asked for often (R82)', () => {
    for (const language of ['en', 'de', 'ja', 'zh', 'ar', 'pt']) {
      expect(createPromptRequest.parse({ title: 'a', content: 'b', language }).language).toBe(language);
    }
  });
});

describe('a prompt that is changed', () => {
  it.each([
    ['content', { content: 'Paint two of them.' }],
    ['role', { role: 'A painter' }],
    ['type', { type: 'template' as const }],
  ])('has a new version in its history when its %s changes (R91)', (_, request) => {
    const prompt = stored();
    const { state, events, newVersion } = change(prompt, { ...request, changes: 'Better.' });
    expect(state.contentVersion).toBe(2);
    expect(newVersion).toMatchObject({
      versionNumber: 2,
      changes: 'Better.',
      id: state.latestVersionId,
      ...request,
    });
    expect(typesOf(events)).toEqual([PromptUpdated.type]);
  });

  it('keeps its history when only what describes it changes', () => {
    const { state, newVersion, events } = change(stored(), { title: 'Group portrait' });
    expect(newVersion).toBeUndefined();
    expect(state).toMatchObject({ contentVersion: 1, title: 'Group portrait' });
    expect(events).toHaveLength(1);
  });

  it('answers the same state and no fact when the request changes nothing', () => {
    const prompt = stored({ tags: ['photo'] });
    expect(change(prompt, { title: 'Portrait', tags: ['photo', 'photo'], status: 'draft' })).toEqual({
      state: prompt,
      events: [],
    });
  });

  it('loses its role by null', () => {
    expect(change(stored({ role: 'A painter' }), { role: null }).state.role).toBeUndefined();
  });

  it('becomes active when it becomes public, and the fact says so', () => {
    const { state, events } = change(stored(), { visibility: 'public' });
    expect(state.status).toBe('active');
    expect(typesOf(events)).toEqual([PromptUpdated.type, PromptPublished.type]);
  });

  it.each([
    ['draft', 'active', true],
    ['draft', 'archived', false],
    ['active', 'archived', true],
    ['active', 'draft', false],
    ['archived', 'active', true],
    ['archived', 'draft', false],
  ] as const)('may go from %s to %s: %s (R84)', (from, to, allowed) => {
    const attempt = () => change({ ...stored(), status: from }, { status: to });
    if (allowed) expect(attempt().state.status).toBe(to);
    else
      expect(attempt).toThrow(
        expect.objectContaining({ code: 'catalog.prompt.status_refused', status: 409 }),
      );
  });

  it('does not become public and anything but active in one request', () => {
    for (const prompt of [stored(), { ...stored(), status: 'archived' as const }])
      for (const status of ['archived', 'draft'] as const)
        expect(() => change(prompt, { visibility: 'public', status })).toThrow(
          expect.objectContaining({ code: 'catalog.prompt.status_refused', status: 409 }),
        );
    expect(change(stored(), { visibility: 'public', status: 'active' }).state.status).toBe('active');
  });

  it('changes neither visibility nor status while it is on the marketplace: it is sold there', () => {
    const listed = listPrompt(stored(), listing, LATER)!.state;
    for (const request of [{ visibility: 'private' }, { status: 'archived' }] as const)
      expect(() => change(listed, request)).toThrow(
        expect.objectContaining({ code: 'catalog.prompt.listed', status: 409 }),
      );
    expect(change(listed, { title: 'Still changeable' }).state.visibility).toBe('marketplace');
  });
});

describe('a prompt that is listed', () => {
  it('is active and on the marketplace, with the price of its listing (R85, R87)', () => {
    const { state, events } = listPrompt(stored(), listing, LATER)!;
    expect(state).toMatchObject({
      status: 'active',
      visibility: 'marketplace',
      marketplace: { ...listing, isListed: true },
    });
    expect(typesOf(events)).toEqual([PromptPublished.type]);
  });

  it('takes no notice of the same or an older approval', () => {
    const { state } = listPrompt(stored(), { ...listing, listedAt: LATER }, LATER)!;
    expect(listPrompt(state, { ...listing, listedAt: LATER }, LATER)).toBeUndefined();
    expect(listPrompt(state, listing, LATER)).toBeUndefined();
  });
});

describe('access', () => {
  const reader = newId('usr');
  const deleted = deletePrompt(stored({ visibility: 'public' }), owner, LATER)!.state;

  it('is whole for the owner and for buyers, also of a deleted prompt for buyers', () => {
    expect(accessTo(stored(), owner, false)).toBe('owner');
    expect(accessTo(stored(), reader, true)).toBe('buyer');
    expect(accessTo(deleted, reader, true)).toBe('buyer');
  });

  it('is to the public fields for others when the prompt is active and public or on the marketplace', () => {
    const published = stored({ visibility: 'public' });
    expect(accessTo(published, reader, false)).toBe('public');
    expect(accessTo(listPrompt(stored(), listing, LATER)!.state, reader, false)).toBe('public');
    expect(accessTo({ ...published, status: 'archived' }, reader, false)).toBeUndefined();
  });

  it('is none for others to private, team and deleted prompts', () => {
    expect(accessTo(stored(), reader, false)).toBeUndefined();
    expect(accessTo(stored({ visibility: 'team' }), reader, false)).toBeUndefined();
    expect(accessTo(deleted, reader, false)).toBeUndefined();
    expect(accessTo(deleted, owner, false)).toBeUndefined();
  });
});

describe('a prompt that is deleted', () => {
  it('says when and by whom, and is deleted once (R90)', () => {
    const { state, events } = deletePrompt(stored(), owner, LATER)!;
    expect(state).toMatchObject({ deletedAt: LATER, deletedBy: owner });
    expect(typesOf(events)).toEqual([PromptDeleted.type]);
    expect(deletePrompt(state, owner, LATER)).toBeUndefined();
    expect(listPrompt(state, listing, LATER)).toBeUndefined();
  });
});

describe('the numbers of a content', () => {
  it('are its words, an estimate of its tokens and its complexity (R20)', () => {
    expect(measure('Paint {subject} in {{ style }}, on [BACKGROUND].')).toMatchObject({
      wordCount: 8,
      tokenEstimate: 12,
    });
    expect(measure('Paint {a} and {b}.').complexityScore).toBeGreaterThan(
      measure('Paint x and y.').complexityScore,
    );
  });

  it('are whole numbers within their bounds for every text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 2_000 }), (content) => {
        const { wordCount, tokenEstimate, complexityScore } = measure(content);
        for (const value of [wordCount, tokenEstimate, complexityScore])
          expect(Number.isInteger(value)).toBe(true);
        expect(complexityScore).toBeGreaterThanOrEqual(0);
        expect(complexityScore).toBeLessThanOrEqual(100);
        expect(wordCount).toBeLessThanOrEqual(content.length);
      }),
    );
  });
});
