export function installIsCurrent(root: string): Promise<boolean>;
export function install(root: string, onProgress: (text: string) => void): Promise<void>;
export function hostPath(root: string): string;
export function projectNode(root: string): string;
