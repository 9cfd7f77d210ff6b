export function installIsCurrent(root: string): Promise<boolean>;
export function install(root: string, cacheDir: string, onProgress: (text: string) => void): Promise<void>;
export function reasonIn(output: string): string;
export function npmCache(cacheDir: string): string;
export function hostPath(root: string): string;
export function projectNode(root: string): string;
