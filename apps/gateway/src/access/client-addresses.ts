import type { IncomingMessage } from 'node:http';
import { isIP, type BlockList } from 'node:net';

const FORWARDED_HOPS_MAX = 32;
const MAPPED_IPV4 = '::ffff:';
const IPV6_GROUPS = 8;
const IPV6_NETWORK_GROUPS = 4;

/**
 * Who is at the other end: the socket's address, or, when that is a trusted proxy, the last address in
 * X-Forwarded-For that no trusted proxy has. What a client writes there itself is never believed.
 */
export class ClientAddresses {
  constructor(private readonly trusted: BlockList) {}

  of(request: IncomingMessage): string {
    const socket = plain(request.socket.remoteAddress ?? '');
    if (!this.isTrusted(socket)) return socket;
    const hops = String(request.headers['x-forwarded-for'] ?? '')
      .split(',')
      .slice(-FORWARDED_HOPS_MAX);
    let client = socket;
    for (const hop of hops.reverse()) {
      const address = plain(hop.trim());
      if (isIP(address) === 0) return client;
      client = address;
      if (!this.isTrusted(address)) return client;
    }
    return client;
  }

  /** The scheme that the client used, as the trusted proxy in front says it. */
  protocolOf(request: IncomingMessage): 'http' | 'https' {
    const given = request.headers['x-forwarded-proto'];
    return given === 'https' && this.isTrusted(plain(request.socket.remoteAddress ?? '')) ? 'https' : 'http';
  }

  private isTrusted(address: string): boolean {
    const family = isIP(address);
    return family !== 0 && this.trusted.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

const plain = (address: string): string =>
  address.startsWith(MAPPED_IPV4) && address.includes('.') ? address.slice(MAPPED_IPV4.length) : address;

/** What limits count by: the address, or the /64 of an IPv6 address, which is what one customer is given. */
export function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.split('%', 1)[0]!.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail ? tail.split(':') : [];
  const zeros = tail === undefined ? 0 : IPV6_GROUPS - left.length - right.length;
  const groups = [...left, ...Array<string>(Math.max(0, zeros)).fill('0'), ...right];
  return `${groups.slice(0, IPV6_NETWORK_GROUPS).join(':')}::/64`;
}
