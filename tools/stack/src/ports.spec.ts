import { createServer } from 'node:net';
import { userInfo } from 'node:os';
import { describeOwner, freePorts, portOwners } from './ports.js';

describe('ports', () => {
  it('names the process that listens on a taken port', async () => {
    const server = createServer();
    const [free = 0, taken = 0] = await freePorts(2);
    await new Promise<void>((resolve) => server.listen(taken, '127.0.0.1', resolve));
    try {
      const owners = portOwners([free, taken]);
      const user = userInfo().username;
      expect(owners).toEqual([{ port: taken, user, pid: process.pid, command: expect.any(String) }]);
      expect(describeOwner(owners[0]!)).toContain(`port ${taken} is taken by process ${process.pid} (`);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('names the user when the process is not to be seen', () => {
    expect(describeOwner({ port: 8080, user: 'postgres' })).toBe(
      'port 8080 is taken by a process of user postgres',
    );
  });

  it('finds a listener on IPv6 as well', async () => {
    const server = createServer();
    const [port = 0] = await freePorts(1);
    await new Promise<void>((resolve) => server.listen(port, '::', resolve));
    try {
      expect(portOwners([port])).toMatchObject([{ port, pid: process.pid }]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('gives as many different free ports as asked for', async () => {
    const ports = await freePorts(12);
    expect(new Set(ports).size).toBe(12);
    expect(portOwners(ports)).toEqual([]);
  });
});
