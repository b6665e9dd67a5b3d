// Clients of Node.js. Usage: client.js KIND ORIGIN [PATH...], prints JSON. ORIGIN is http://... or https://...
//   h2 ORIGIN PATH...        Node's http2 client: all paths at once on one connection
//   post ORIGIN PATH BYTES   the same with content of so many bytes; says whether what came back is the same
//   socket ORIGIN PATH       ws: sends text, then bytes, and says what came back
//   events ORIGIN PATH       http1 or http2 by ALPN: milliseconds between the events, as they arrive
'use strict';
const http2 = require('http2');
const {WebSocket} = require('ws');
const [kind, origin, ...rest] = process.argv.slice(2);
const insecure = {rejectUnauthorized: false, servername: 'shop.test'};
const say = (found) => { console.log(JSON.stringify(found)); process.exit(0); };
const fail = (error) => { console.error(error); process.exit(1); };

const stream = (session, fields, content) => new Promise((resolve, reject) => {
  const request = session.request(fields, {endStream: content === undefined});
  const found = {chunks: [], at: []};
  request.on('response', (head) => Object.assign(found, {status: head[':status'], head}));
  request.on('headers', (head) => (found.interim ??= []).push(head[':status']));
  request.on('data', (chunk) => { found.chunks.push(chunk); found.at.push(Date.now()); });
  request.on('end', () => resolve({...found, body: Buffer.concat(found.chunks)}));
  request.on('error', reject);
  if (content !== undefined) request.end(content);
});

const session = http2.connect(origin, insecure);
session.on('error', fail);
const authority = {':authority': 'shop.test'};

if (kind === 'h2') {
  Promise.all(rest.map((path) => stream(session, {':path': path, ...authority}))).then((all) => say(all.map((each) => ({
    status: each.status, length: each.body.length, text: each.body.toString().slice(0, 200), interim: each.interim ?? [],
    cache: each.head['cache-status']})))).catch(fail);
} else if (kind === 'post') {
  const content = Buffer.alloc(Number(rest[1]), 'content ');
  stream(session, {':path': rest[0], ':method': 'POST', ...authority}, content)
    .then((found) => say({status: found.status, same: found.body.equals(content), length: found.body.length})).catch(fail);
} else if (kind === 'events') {
  stream(session, {':path': rest[0], ...authority})
    .then((found) => say({status: found.status, text: found.body.toString(), at: found.at})).catch(fail);
} else if (kind === 'socket') {
  session.close();
  const socket = new WebSocket(origin.replace('http', 'ws') + rest[0], insecure);
  const got = [];
  socket.on('error', fail);
  socket.on('open', () => { socket.send('text'); socket.send(Buffer.alloc(70000, 7)); });
  socket.on('message', (data, binary) => {
    got.push(binary ? data.length : data.toString());
    if (got.length === 2) socket.close(1000);
  });
  socket.on('close', (code) => say({got, code}));
} else {
  fail(`no client is called ${kind}`);
}
