// One trusted root, and a server certificate for each way in which a certificate can be bad. Made anew for each recording
// by the openssl command, because dates and signatures have to be wrong on purpose: `node certificates.mjs DIRECTORY`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const HOST = 'hooks.acme.example';
const LONG_AGO = ['20200101000000Z', '20210101000000Z'];
const NOW = ['20240101000000Z', '20990101000000Z'];
const FAR_AHEAD = ['20980101000000Z', '20990101000000Z'];

const CA = ['basicConstraints = critical, CA:TRUE', 'keyUsage = critical, keyCertSign, cRLSign'];
const SERVER = ['basicConstraints = CA:FALSE', 'extendedKeyUsage = serverAuth'];
const named = (name) => [...SERVER, `subjectAltName = DNS:${name}`];

function makeCertificates(directory) {
  mkdirSync(directory, { recursive: true });
  const path = (name) => join(directory, name);
  const openssl = (...args) => execFileSync('openssl', args, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  const read = (name) => readFileSync(path(name), 'utf8');

  writeFileSync(path('ca.cnf'), `[ca]\ndefault_ca = d\n[d]\nnew_certs_dir = .\ndatabase = index\nrand_serial = yes\n` +
    `default_md = sha256\npolicy = p\nunique_subject = no\n[p]\ncommonName = supplied\n`);
  writeFileSync(path('index'), '');
  writeFileSync(path('req.cnf'), '[req]\ndistinguished_name = n\n[n]\n');

  // An issuer of `null` signs itself.
  const make = (name, issuer, extensions, { dates = NOW, subject = HOST, bits = 2048 } = {}) => {
    openssl('req', '-new', '-newkey', `rsa:${bits}`, '-nodes', '-config', 'req.cnf', '-subj', `/CN=${subject}`,
      '-keyout', `${name}.key`, '-out', `${name}.csr`);
    writeFileSync(path(`${name}.ext`), extensions.join('\n') + '\n');
    openssl('ca', '-batch', '-notext', '-config', 'ca.cnf', '-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', `${name}.ext`,
      '-startdate', dates[0], '-enddate', dates[1],
      ...(issuer ? ['-cert', `${issuer}.pem`, '-keyfile', `${issuer}.key`] : ['-selfsign', '-keyfile', `${name}.key`]));
  };

  make('root', null, CA, { subject: 'Trusted Root' });
  make('intermediate', 'root', CA, { subject: 'Intermediate' });
  make('old-intermediate', 'root', CA, { subject: 'Old Intermediate', dates: LONG_AGO });
  make('narrow', 'root', [...CA, 'nameConstraints = critical, permitted;DNS:other.example'], { subject: 'Narrow' });
  make('no-further', 'root', ['basicConstraints = critical, CA:TRUE, pathlen:0', CA[1]], { subject: 'No Further' });
  make('too-deep', 'no-further', CA, { subject: 'Too Deep' });
  make('no-ca', 'root', SERVER, { subject: 'No CA' });
  make('stranger', null, CA, { subject: 'Unknown Root' });
  make('strange-intermediate', 'stranger', CA, { subject: 'Unknown Intermediate' });

  make('good', 'root', named(HOST));
  make('expired', 'root', named(HOST), { dates: LONG_AGO });
  make('early', 'root', named(HOST), { dates: FAR_AHEAD });
  make('self-signed', null, named(HOST));
  make('self-signed-expired', null, named(HOST), { dates: LONG_AGO });
  make('other-name', 'root', named('other.example'), { subject: 'other.example' });
  make('no-alternative-name', 'root', SERVER, { subject: 'other.example' });
  make('of-stranger', 'stranger', named(HOST));
  make('of-strange-intermediate', 'strange-intermediate', named(HOST));
  make('of-intermediate', 'intermediate', named(HOST));
  make('of-old-intermediate', 'old-intermediate', named(HOST));
  make('of-narrow', 'narrow', named(HOST));
  make('of-too-deep', 'too-deep', named(HOST));
  make('of-no-ca', 'no-ca', named(HOST));
  make('for-clients', 'root', ['basicConstraints = CA:FALSE', 'extendedKeyUsage = clientAuth', `subjectAltName = DNS:${HOST}`]);
  make('weak', 'root', named(HOST), { bits: 512 });

  // The last byte of a certificate belongs to its signature.
  const forged = Buffer.from(read('good.pem').replace(/-----[^-]+-----|\s/g, ''), 'base64');
  forged[forged.length - 1] ^= 1;
  writeFileSync(path('forged.pem'), `-----BEGIN CERTIFICATE-----\n${forged.toString('base64').replace(/(.{64})/g, '$1\n')}\n-----END CERTIFICATE-----\n`);
  writeFileSync(path('forged.key'), read('good.key'));
}

/** The `key` and `cert` (with its chain) of each server; `root.pem` beside them is what the clients trust. */
export function readCertificates(directory) {
  const read = (name) => readFileSync(join(directory, name), 'utf8');
  const server = (name, ...chain) => ({ key: read(`${name}.key`), cert: [name, ...chain].map((n) => read(`${n}.pem`)).join('') });
  return {
    good: server('good'),
    expired: server('expired'),
    early: server('early'),
    selfSigned: server('self-signed'),
    selfSignedExpired: server('self-signed-expired'),
    otherName: server('other-name'),
    noAlternativeName: server('no-alternative-name'),
    unknownRoot: server('of-stranger', 'stranger'),
    unknownIssuer: server('of-stranger'),
    unknownIntermediate: server('of-strange-intermediate', 'strange-intermediate'),
    missingIntermediate: server('of-intermediate'),
    expiredIntermediate: server('of-old-intermediate', 'old-intermediate'),
    outsideConstraints: server('of-narrow', 'narrow'),
    pathTooLong: server('of-too-deep', 'too-deep', 'no-further'),
    issuerIsNoCa: server('of-no-ca', 'no-ca'),
    forClients: server('for-clients'),
    weakKey: server('weak'),
    forged: server('forged'),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) makeCertificates(process.argv[2]);
