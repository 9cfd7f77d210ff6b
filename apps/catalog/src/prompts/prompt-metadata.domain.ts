/** Numbers computed from the content (R20); A's `metadata.version` is the prompt's `contentVersion`. */
export interface PromptMetadata {
  readonly wordCount: number;
  readonly tokenEstimate: number;
  /** 0 to 100. */
  readonly complexityScore: number;
}

/** The rule of thumb for English text and byte-pair tokenizers. */
const CHARS_PER_TOKEN = 4;
const POINTS_PER_DOUBLING = 8;
const POINTS_PER_VARIABLE = 5;
const POINTS_PER_STEP = 2;
const COMPLEXITY_MAX = 100;

const WORD = /\S+/g;
/** `{{subject}}`, `{subject}` or `[SUBJECT]`: something that the user of the prompt fills in. */
const VARIABLE = /\{\{\s*[\w.-]{1,64}\s*\}\}|\{[\w.-]{1,64}\}|\[[A-Z][A-Z0-9_ ]{1,63}\]/g;
/** A line that begins a section or an item. */
const STEP = /^[ \t]{0,8}(?:#{1,6}|[-*]|\d{1,3}[.)])[ \t]/gm;

/** Counts words, estimates tokens, and scores complexity by length, variables and steps. */
export function measure(content: string): PromptMetadata {
  const wordCount = content.match(WORD)?.length ?? 0;
  const variables = new Set(content.match(VARIABLE)).size;
  const steps = content.match(STEP)?.length ?? 0;
  const score =
    POINTS_PER_DOUBLING * Math.log2(1 + wordCount) +
    POINTS_PER_VARIABLE * variables +
    POINTS_PER_STEP * steps;
  return {
    wordCount,
    tokenEstimate: Math.ceil([...content].length / CHARS_PER_TOKEN),
    complexityScore: Math.min(COMPLEXITY_MAX, Math.round(score)),
  };
}
