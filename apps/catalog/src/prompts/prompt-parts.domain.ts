/*
 * The parts of a prompt that features beside writing and selling fill: tests of prompts, views and likes, editing
 * together, AI assistance. They are absent until then, so a zero is a count and never a gap.
 */

/** How well the prompt does (R20, R87). Rates are shares of one. */
export interface PromptPerformance {
  readonly rating?: number;
  readonly effectiveness?: number;
  readonly testCount?: number;
  readonly successRate?: number;
  readonly avgResponseTimeMs?: number;
  readonly tokenCount?: number;
}

/** How often it is used and seen (R87); `useCount` and `lastUsedAt` are also A's usage numbers (R20). */
export interface PromptAnalytics {
  readonly viewCount?: number;
  readonly useCount?: number;
  readonly shareCount?: number;
  readonly likeCount?: number;
  readonly downloadCount?: number;
  readonly commentCount?: number;
  readonly lastUsedAt?: Date;
}

/** Who edits it together, and the lock of whoever edits now (R88). */
export interface PromptCollaboration {
  readonly isCollaborative: boolean;
  readonly allowedUserIds: readonly string[];
  readonly permissions: readonly { readonly userId: string; readonly permission: string }[];
  readonly activeEditorIds: readonly string[];
  readonly lastEditedBy?: string;
  readonly lockExpiresAt?: Date;
}

/** Which models made or improved it (R89). */
export interface PromptAi {
  readonly generatedBy?: string;
  readonly enhancedBy?: string;
  readonly optimizationHistory?: readonly {
    readonly model: string;
    readonly at: Date;
    readonly note?: string;
  }[];
  readonly modelCompatibility?: readonly string[];
  readonly parameters?: Readonly<Record<string, unknown>>;
}
