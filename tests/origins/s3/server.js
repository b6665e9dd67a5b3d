// An S3 of objects in a folder (s3rver). s3rver does not verify Signature Version 4, so this does, and it says what S3 says about
// checksums. Usage: server.js FOLDER
// The key "anna" may do everything, "bert" may read what lies in shared*, and who signs nothing may read objects in public*.
// Writes each request as a line of JSON to FOLDER/requests, and says its port on standard output.
'use strict';
const crypto = require('crypto');
const fs = require('fs');
const http = require('http');
const path = require('path');
const S3rver = require('s3rver');

const record = fs.openSync(path.join(process.argv[2], 'requests'), 'a');
const hmac = (key, text) => crypto.createHmac('sha256', key).update(text).digest();
const sha256 = (text) => crypto.createHash('sha256').update(text).digest('hex');

const escaped = (text) => encodeURIComponent(text).replace(/[!'()*]/g,
  (c) => '%' + c.charCodeAt(0).toString(16).toUpperCase());

const signature = (request, url, {scope, date, names, payload}) => {
  const query = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [escaped(name), escaped(value)].join('=')).sort().join('&');
  const fields = names.split(';').map((name) => name + ':' + String(request.headers[name]).trim().replace(/ +/g, ' ') + '\n');
  const canonical = [request.method, request.url.split('?')[0], query, fields.join(''), names, payload].join('\n');
  const [, day, region, service] = scope.split('/');
  const key = [day, region, service, 'aws4_request'].reduce(hmac, 'AWS4secret');
  const text = ['AWS4-HMAC-SHA256', date, scope.slice(scope.indexOf('/') + 1), sha256(canonical)].join('\n');
  return hmac(key, text).toString('hex');
};

// Who asks: the name of a key, or "" for nobody; null when the signature is wrong or too old.
const caller = (request, url) => {
  const given = request.headers.authorization;
  const signed = url.searchParams;
  if (!given && !signed.has('X-Amz-Signature')) return '';
  let parts, claimed, lasts = 900;
  if (given) {
    const [, scope, names, text] = /Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)/.exec(given) || [];
    if (!scope) return null;
    parts = {scope, names, date: request.headers['x-amz-date'], payload: request.headers['x-amz-content-sha256']};
    claimed = text;
  } else {
    parts = {scope: signed.get('X-Amz-Credential'), names: signed.get('X-Amz-SignedHeaders'), date: signed.get('X-Amz-Date'),
      payload: 'UNSIGNED-PAYLOAD'};
    claimed = signed.get('X-Amz-Signature');
    lasts = Number(signed.get('X-Amz-Expires'));
  }
  const [, y, m, d, h, min, s] = /(....)(..)(..)T(..)(..)(..)Z/.exec(parts.date);
  if (Date.now() - Date.UTC(y, m - 1, d, h, min, s) > lasts * 1000) return null;
  return signature(request, url, parts) === claimed ? parts.scope.split('/')[0] : null;
};

const may = (who, request, bucket, key) => {
  const reads = (request.method === 'GET' || request.method === 'HEAD') && key;
  return who === 'anna' || (who === 'bert' && reads && bucket.startsWith('shared')) || (reads && bucket.startsWith('public'));
};

const refuse = (response, code) => {
  response.writeHead(403, {'Content-Type': 'application/xml'});
  response.end('<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>' + code + '</Code><Message>' + code + '</Message></Error>');
};

const app = new S3rver({directory: path.join(process.argv[2], 'run'), silent: true, vhostBuckets: false});
const serve = app.callback();
const checksums = new Map();

const server = http.createServer((request, response) => {
  fs.writeSync(record, JSON.stringify({method: request.method, target: request.url, headers: request.headers}) + '\n');
  const url = new URL(request.url, 'http://s3');
  const who = caller(request, url);
  const [, bucket, ...key] = url.pathname.split('/');
  if (url.pathname === '/ready.txt') return response.end(fs.readFileSync(path.join(process.argv[2], 'www/ready.txt')));
  if (who === null) return refuse(response, 'SignatureDoesNotMatch');
  if (!may(who, request, bucket, key.join('/'))) return refuse(response, 'AccessDenied');

  const sum = 'x-amz-checksum-crc32';
  // Of whole objects alone: not of a part, nor of tags.
  const whole = [...url.searchParams.keys()].every((name) => /^x-(amz-|id$)/i.test(name));
  if (request.method === 'PUT' && whole) checksums.set(url.pathname, request.headers[sum]);
  if (request.method === 'POST' && url.searchParams.has('uploadId')) checksums.delete(url.pathname);
  if (request.headers['x-amz-checksum-mode'] === 'ENABLED' && !request.headers.range && checksums.get(url.pathname)) {
    response.setHeader(sum, checksums.get(url.pathname));
  }
  // Nothing of the signature for s3rver, which knows no such keys.
  delete request.headers.authorization;
  for (const name of [...url.searchParams.keys()]) if (/^x-(amz-|id$)/i.test(name)) url.searchParams.delete(name);
  request.url = url.pathname + (url.searchParams.size === 0 ? '' : '?' + url.searchParams);
  return serve(request, response);
});
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
process.on('SIGTERM', () => process.exit(0));
