// Receivers that fail, each in one way, on a port of its own of 127.0.0.1 and ::1.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import dgram from 'node:dgram';
import net from 'node:net';
import tls from 'node:tls';

const BOTH = ['127.0.0.1', '::1'];

const listen = async (make, port, addresses = BOTH) => {
  for (const address of addresses) {
    const server = make().on('error', () => {});
    server.listen(port, address);
    await once(server, 'listening');
  }
};

const quiet = (socket) => socket.on('error', () => {});

/** A TCP server that hands each connection to `talk`. */
export const tcp = (talk, addresses) => (port) => listen(() => net.createServer((socket) => talk(quiet(socket))), port, addresses);

/** A TLS server that hands each connection to `talk`; by default it says 200. */
export const secure = (options, talk = says('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')) => (port) =>
  listen(() => tls.createServer({ honorCipherOrder: true, ...options }, (socket) => talk(quiet(socket))).on('tlsClientError', () => {}), port);

// A receiver that closes with a part of the request unread resets the connection: so it waits for all of it, or for the first
// bytes of a TLS handshake.
const isWhole = (received) => received.startsWith('\x16') || received.includes('"create"}') || /^(GET|CONNECT) [^]*\r\n\r\n$/.test(received);

/** Waits for the request, then writes `text`, and does `then` to the socket. */
export const says = (text, then = () => {}) => (socket) => {
  let received = '';
  const take = (bytes) => {
    received += bytes.toString('latin1');
    if (!isWhole(received)) return;
    socket.off('data', take);
    socket.write(text, () => then(socket));
  };
  socket.on('data', take);
};

/** After the text is on its way: ends the connection in order, resets it, or leaves it open without another byte. */
export const ends = (socket) => socket.end();
export const resets = (socket) => setTimeout(() => socket.resetAndDestroy?.() ?? socket.destroy(), 50);

/** Listens and never accepts: a stopped process with a full queue, so that the kernel drops what else wants to connect. */
export const neverAccepts = (cleanUp) => async (port) => {
  for (const address of BOTH) {
    const script = `require('net').createServer().listen({ port: ${port}, host: '${address}', backlog: 1 }, () => {
      process.stdout.write('ready'); process.kill(process.pid, 'SIGSTOP'); })`;
    const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    cleanUp.push(() => child.kill('SIGKILL'));
    await once(child.stdout, 'data');
    for (let i = 0; i < 2; i++) {
      const filler = quiet(net.connect(port, address));
      filler.unref();
      await once(filler, 'connect');
    }
  }
};

/** A name server that knows one name that does not exist, one that it fails for, and gives every other no answer. */
export async function nameServer() {
  const server = dgram.createSocket('udp4');
  server.on('message', (query, peer) => {
    const name = query.toString('latin1', 12);
    const code = name.includes('missing') ? 3 : name.includes('broken') ? 2 : undefined;
    if (code === undefined) return;
    const reply = Buffer.from(query);
    reply[2] = 0x81;
    reply[3] = 0x80 | code;
    reply.writeUInt16BE(0, 10); // no EDNS record in the reply
    let end = 12;
    while (query[end] !== 0) end += query[end] + 1;
    server.send(reply.subarray(0, end + 5), peer.port, peer.address);
  });
  server.bind(53, '127.0.0.1');
  await once(server, 'listening');
}
