import type { IncomingMessage } from 'node:http';
import { BlockList } from 'node:net';
import { ClientAddresses, networkOf } from './client-addresses.js';

const trusted = new BlockList();
trusted.addSubnet('10.0.0.0', 8, 'ipv4');
const addresses = new ClientAddresses(trusted);
const request = (remoteAddress: string, forwarded?: string) =>
  ({
    socket: { remoteAddress },
    headers: { 'x-forwarded-for': forwarded, 'x-forwarded-proto': 'https' },
  }) as unknown as IncomingMessage;

describe('the address of a client', () => {
  it.each([
    ['the socket, whatever a stranger writes', '203.0.113.1', '1.1.1.1', '203.0.113.1'],
    ['the socket in its plain form', '::ffff:203.0.113.1', undefined, '203.0.113.1'],
    ['what the trusted proxy added', '10.0.0.1', '1.1.1.1, 203.0.113.1', '203.0.113.1'],
    ['what the first of two trusted proxies added', '10.0.0.1', '203.0.113.1, 10.0.0.2', '203.0.113.1'],
    ['the proxy itself when it adds nothing', '10.0.0.1', undefined, '10.0.0.1'],
    ['the last proxy before nonsense', '10.0.0.1', 'nonsense, 10.0.0.2', '10.0.0.2'],
  ])('is %s', (_name, socket, forwarded, expected) => {
    expect(addresses.of(request(socket, forwarded))).toBe(expected);
  });

  it('brings the scheme along only from a trusted proxy', () => {
    expect(addresses.protocolOf(request('10.0.0.1'))).toBe('https');
    expect(addresses.protocolOf(request('203.0.113.1'))).toBe('http');
  });

  it('counts by address, and by the /64 of an IPv6 address', () => {
    expect(networkOf('203.0.113.1')).toBe('203.0.113.1');
    expect(networkOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(networkOf('2001:db8::1')).toBe(networkOf('2001:db8::ffff'));
    expect(networkOf('::1')).toBe('0:0:0:0::/64');
  });
});
