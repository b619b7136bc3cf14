// Every way to fail, with the reason that is true because of how it was made. No client and no classifier is asked.
//
//   serve    starts the receiver on the way's port (none: nothing listens there)
//   url      what is called, given that port
//   status   what the receiver says, where the failure is nothing else
//   timeout  the client's own timeout, in milliseconds (none: only what the client does by itself)
//   needs    what the client must be able to do for the way to make sense (`also`: a second such thing)
import { HOST } from './certificates.mjs';
import { ends, neverAccepts, resets, says, secure, tcp } from './receivers.mjs';

const http = (port) => `http://${HOST}:${port}/in`;
const https = (port) => `https://${HOST}:${port}/in`;
const TIMEOUT = 1500;
const head = (...lines) => ['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n');
const answer = (status, ...lines) => [`HTTP/1.1 ${status}`, 'Content-Length: 2', ...lines, '', 'no'].join('\r\n');

export function ways(certificates, cleanUp) {
  const list = [];
  const way = (name, reason, serve, more = {}) => list.push({ name, reason, serve, url: http, ...more });
  const bad = (name, reason, options, talk) => way(name, reason, secure(options, talk), { url: https });

  way('nothing listens, one address', 'refused', null, { url: (port) => `http://127.0.0.1:${port}/in` });
  way('nothing listens, IPv6', 'refused', null, { url: (port) => `http://[::1]:${port}/in` });
  way('nothing listens, two addresses', 'refused', null);
  way('nothing listens, two addresses, TLS', 'refused', null, { url: https });
  way('no route', 'unreachable', null, { url: () => 'http://192.0.2.10:443/in' });
  way('no network', 'unreachable', null, { url: () => 'http://198.51.100.1:443/in' });
  way('a firewall forbids', 'unreachable', null, { url: () => 'http://192.0.2.11:443/in' });
  way('no network, two addresses', 'unreachable', null, { url: () => 'https://far.acme.example/in' });

  way('the name does not exist', 'dns', null, { url: () => 'https://missing.acme.example/in' });
  way('the name server fails', 'dns', null, { url: () => 'https://broken.acme.example/in' });

  way('never accepts, the kernel gives up', 'timeout', neverAccepts(cleanUp), { url: (port) => `http://127.0.0.1:${port}/in`, slow: true });
  way('never accepts, two addresses', 'timeout', neverAccepts(cleanUp), { slow: true });
  way('never accepts, the client gives up', 'timeout', neverAccepts(cleanUp), { timeout: TIMEOUT, needs: 'timeout' });
  way('no TLS handshake, the client gives up', 'timeout', tcp(() => {}), { url: https, timeout: TIMEOUT, needs: 'timeout' });
  way('no response', 'timeout', tcp(() => {}), { timeout: TIMEOUT, needs: 'timeout' });
  way('the body stalls', 'timeout', tcp(says(head('Content-Length: 100') + 'half')), { timeout: TIMEOUT, needs: 'timeout' });
  way('no response, AbortSignal.timeout', 'timeout', tcp(() => {}), { timeout: TIMEOUT, needs: 'signalReason' });
  way('the sender gives up by a signal', 'other', tcp(() => {}), { abort: 300, needs: 'signal' });
  way('the sender gives up by a signal, in the body', 'other', tcp(says(head('Content-Length: 100') + 'half')), { abort: 500, needs: 'signal' });

  way('resets before the request', 'reset', tcp((socket) => resets(socket)));
  way('closes before the request', 'reset', tcp(ends));
  way('resets after the request', 'reset', tcp(says('', resets)));
  way('closes after the request', 'reset', tcp(says('', ends)));
  way('closes in the header', 'reset', tcp(says('HTTP/1.1 200 OK\r\nContent-Le', ends)));
  way('closes in a body of known length', 'reset', tcp(says(head('Content-Length: 100') + 'half', ends)));
  way('resets in a body of known length', 'reset', tcp(says(head('Content-Length: 100') + 'half', resets)));
  way('closes in a chunked body', 'reset', tcp(says(head('Transfer-Encoding: chunked') + '64\r\nhalf', ends)));
  way('resets in a chunked body', 'reset', tcp(says(head('Transfer-Encoding: chunked') + '64\r\nhalf', resets)));
  way('closes in a compressed body', 'reset',
    tcp(says(Buffer.concat([Buffer.from(head('Content-Length: 100', 'Content-Encoding: gzip')), Buffer.from('1f8b0800000000000003', 'hex')]), ends)));

  way('speaks SSH', 'other', tcp((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
  way('a status line that is none', 'other', tcp(says('HTTP/1.1 OK\r\n\r\n', ends)));
  way('an unknown HTTP version', 'other', tcp(says('HTTP/9.9 200 OK\r\n\r\n', ends)));
  way('a bad character in a header', 'other', tcp(says(head('X-Name: a\x01b', 'Content-Length: 2') + 'ok', ends)));
  way('a header without a colon', 'other', tcp(says(head('no header', 'Content-Length: 2') + 'ok', ends)));
  way('two lengths', 'other', tcp(says(head('Content-Length: 2', 'Content-Length: 3') + 'ok', ends)));
  way('a length that is no number', 'other', tcp(says(head('Content-Length: two') + 'ok', ends)));
  way('a length and chunks', 'other', tcp(says(head('Content-Length: 2', 'Transfer-Encoding: chunked') + '2\r\nok\r\n0\r\n\r\n', ends)));
  way('a header of 100 kB', 'other', tcp(says(head(`X-Long: ${'x'.repeat(100_000)}`, 'Content-Length: 2') + 'ok', ends)));
  way('a chunk size that is no number', 'other', tcp(says(head('Transfer-Encoding: chunked') + 'zz\r\nok\r\n', ends)));
  way('gzip that is none', 'other', tcp(says(head('Content-Length: 4', 'Content-Encoding: gzip') + 'none', ends)));
  way('brotli that is none', 'other', tcp(says(head('Content-Length: 4', 'Content-Encoding: br') + 'none', ends)));

  bad('certificate expired', 'certificate_expired', certificates.expired);
  bad('intermediate certificate expired', 'certificate_expired', certificates.expiredIntermediate);
  bad('certificate not yet valid', 'tls', certificates.early);
  bad('certificate self-signed', 'tls', certificates.selfSigned);
  bad('certificate of another host', 'tls', certificates.otherName);
  bad('certificate of another host, without alternative names', 'tls', certificates.noAlternativeName);
  way('certificate without the address', 'tls', secure(certificates.good), { url: (port) => `https://127.0.0.1:${port}/in` });
  bad('unknown root in the chain', 'tls', certificates.unknownRoot);
  bad('unknown issuer', 'tls', certificates.unknownIssuer);
  bad('unknown intermediate', 'tls', certificates.unknownIntermediate);
  bad('intermediate certificate missing', 'tls', certificates.missingIntermediate);
  bad('name outside the issuer\'s constraints', 'tls', certificates.outsideConstraints);
  bad('chain longer than allowed', 'tls', certificates.pathTooLong);
  bad('issuer is no CA', 'tls', certificates.issuerIsNoCa);
  bad('certificate for clients', 'tls', certificates.forClients);
  bad('key of 512 bits', 'tls', { ...certificates.weakKey, ciphers: 'DEFAULT@SECLEVEL=0', maxVersion: 'TLSv1.2' });
  bad('forged signature', 'tls', certificates.forged);
  bad('only TLS 1.1', 'tls', { ...certificates.good, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' });
  bad('no shared cipher', 'tls', { ...certificates.good, maxVersion: 'TLSv1.2', ciphers: 'PSK-AES128-CBC-SHA', pskCallback: () => null });
  bad('client certificate required, TLS 1.2', 'tls', { ...certificates.good, requestCert: true, ca: certificates.good.cert, maxVersion: 'TLSv1.2' });
  bad('client certificate required, TLS 1.3', 'tls', { ...certificates.good, requestCert: true, ca: certificates.good.cert });
  way('plain HTTP on a TLS port', 'tls', tcp(says(answer('400 Bad Request'), ends)), { url: https });
  way('closes in the TLS handshake', 'reset', tcp(says('', ends)), { url: https });
  way('resets in the TLS handshake', 'reset', tcp(says('', resets)), { url: https });
  bad('closes after the request, TLS', 'reset', certificates.good, says('', ends));
  bad('closes in a body, TLS', 'reset', certificates.good, says(head('Content-Length: 100') + 'half', ends));

  way('redirects for ever', 'http_3xx', tcp(says(answer('302 Found', 'Location: /in', 'Connection: close'), ends)), { status: 302, needs: 'redirects' });
  way('redirects for ever, method kept', 'http_3xx', tcp(says(answer('307 Temporary Redirect', 'Location: /in', 'Connection: close'), ends)), { status: 307, needs: 'redirects' });
  way('redirects to another protocol', 'other', tcp(says(answer('302 Found', 'Location: htps://x.example/', 'Connection: close'), ends)), { needs: 'redirects', also: 'protocols' });
  way('redirects to no URL', 'other', tcp(says(answer('302 Found', 'Location: http://', 'Connection: close'), ends)), { needs: 'redirects' });
  way('redirects, and the client must not follow', 'http_3xx', tcp(says(answer('302 Found', 'Location: /in', 'Connection: close'), ends)), { status: 302, noRedirects: true, needs: 'redirects' });
  for (const [status, reason] of [['400 Bad Request', 'http_4xx'], ['404 Not Found', 'http_4xx'], ['429 Too Many Requests', 'http_4xx'],
    ['500 Internal Server Error', 'http_5xx'], ['502 Bad Gateway', 'http_5xx'], ['503 Service Unavailable', 'http_5xx']]) {
    way(`status ${status}`, reason, tcp(says(answer(status, 'Connection: close'), ends)), { status: Number.parseInt(status) });
  }

  way('URL that is none', 'other', null, { url: () => 'hooks.acme.example', needs: 'wholeUrls' });
  way('URL without a host', 'other', null, { url: () => 'https://', needs: 'wholeUrls' });
  way('URL with a bad port', 'other', null, { url: () => 'https://hooks.acme.example:99999/in' });
  way('unknown protocol', 'other', null, { url: () => 'htps://hooks.acme.example/in', needs: 'protocols' });
  way('FTP', 'other', null, { url: () => 'ftp://hooks.acme.example/in', needs: 'protocols' });
  way('header that may not be sent', 'other', tcp(says(answer('200 OK'))), { header: ['X-Name', 'a\x01b'] });

  const proxied = { url: () => 'https://hooks.acme.example/in', needs: 'proxy' };
  way('the sender\'s proxy demands a login', 'other', tcp(says('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n', ends)), proxied);
  way('the sender\'s proxy fails', 'other', tcp(says('HTTP/1.1 503 Service Unavailable\r\n\r\n', ends)), proxied);
  way('the sender\'s proxy refuses connections', 'refused', null, proxied);

  way('request too large for the client', 'other', tcp(says(answer('200 OK'))), { maxBody: 1, needs: 'maxBody' });
  way('response too large for the client', 'other', tcp(says(head('Content-Length: 20') + 'x'.repeat(20))), { maxResponse: 10, needs: 'maxResponse' });
  return list;
}
