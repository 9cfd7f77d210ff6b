/** A failure with one sentence that says what to do. */
export declare class SetupError extends Error {}
/** True when this process is root: PostgreSQL then has to run as somebody else. */
export declare function isRoot(): boolean;
/** The account that runs the server when the caller is root. */
export declare function serverAccount(): { uid: number; gid: number };
/** True when every existing folder on the way to `folder` can be entered by everybody. */
export declare function everybodyCanReach(folder: string): boolean;
/** The cache folder for downloads: the user's own, or /var/cache/atelier for root. */
export declare function defaultCacheDir(env?: NodeJS.ProcessEnv): string;
/** Returns the unpacked engine, fetching it first when this cache has none. */
export declare function ensureDocumentDb(options?: {
  cacheDir?: string;
  onProgress?: (text: string, fraction?: number) => void;
}): Promise<{ root: string; bin: string }>;
/** How a program of the unpacked packages is started that has no script in `bin`: its file and arguments follow. */
export declare function underLoader(root: string): { command: string; args: string[] };
