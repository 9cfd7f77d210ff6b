export interface EnsureKafkaOptions {
  cacheDir: string;
  onProgress?: (text: string, fraction?: number) => void;
}
export function ensureKafka(options: EnsureKafkaOptions): Promise<string>;

export const jvmFlags: readonly string[];

export interface BrokerPlace {
  logDir: string;
  port: number;
  controllerPort: number;
}
export function brokerSettings(place: BrokerPlace): string[];
