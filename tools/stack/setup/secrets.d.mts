export function ensureSecrets(dataDir: string): Promise<void>;
