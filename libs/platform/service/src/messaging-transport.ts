import { Server, type CustomTransportStrategy } from '@nestjs/microservices';

/**
 * How messages reach this service; also the token by which `bootstrap` finds it in the container, connects it and
 * starts it before HTTP listens. `close` is called in the stage `consumers` and once more when Nest closes: the
 * second call does nothing.
 */
export abstract class MessagingTransport extends Server implements CustomTransportStrategy {
  abstract override listen(callback: (error?: unknown) => void): void | Promise<void>;
  abstract override close(): Promise<void>;
}
