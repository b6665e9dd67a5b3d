// What stands behind Forebay while real clients use it. Usage: server.js FOLDER
// Says its port on standard output, and writes each request as a line of JSON to FOLDER/requests.
'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');
const {WebSocketServer} = require('ws');

const folder = process.argv[2];
const record = fs.openSync(path.join(folder, 'requests'), 'a');
const note = (request) => fs.writeSync(record, JSON.stringify({
  method: request.method, target: request.url, headers: request.headers, version: request.httpVersion}) + '\n');

const page = () => {
  const items = Array.from({length: 50}, (_, i) => `/page/item-${i}.${['css', 'js', 'svg'][i % 3]}`);
  const tags = items.map((item) => item.endsWith('css') ? `<link rel=stylesheet href="${item}">`
      : item.endsWith('js') ? `<script src="${item}"></script>` : `<img src="${item}">`);
  return `<!doctype html><title>edge</title><link rel=icon href="data:,"><script>window.ran = 0</script>${tags.join('\n')}`;
};
const item = (name) => name.endsWith('css') ? ['text/css', `.${name.replace(/\W/g, '-')} { color: red }`]
    : name.endsWith('js') ? ['text/javascript', 'window.ran++;']
    : ['image/svg+xml', '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><rect width="8" height="8"/></svg>'];

const server = http.createServer((request, response) => {
  note(request);
  const url = new URL(request.url, 'http://origin.test');
  const [, first, rest] = url.pathname.split('/');
  const send = (type, body, fields = {}) => {
    response.writeHead(200, {'Content-Type': type, 'Cache-Control': 'max-age=600', ...fields});
    response.end(body);
  };
  switch (first) {
    case 'ready.txt':
      return send('text/plain', fs.readFileSync(path.join(folder, 'www/ready.txt')));
    case 'page':
      return rest ? send(...item(rest)) : send('text/html', page());
    case 'item':
      return send('text/plain', `item ${url.pathname}${url.search}\n`, {ETag: '"1"'});
    case 'big':
      return send('application/octet-stream', Buffer.alloc(5 << 20, 'big '));
    case 'seen':  // what the origin was told of the client
      return send('application/json', JSON.stringify(request.headers), {'Cache-Control': 'no-store'});
    case 'echo': {
      response.writeHead(200, {'Content-Type': 'application/octet-stream', 'Cache-Control': 'no-store'});
      return request.pipe(response);
    }
    case 'early':
      response.writeEarlyHints({link: '</style.css>; rel=preload; as=style'});
      return setTimeout(() => send('text/plain', 'late\n', {'Cache-Control': 'no-store'}), 50);
    case 'events': {
      response.writeHead(200, {'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store'});
      let n = 0;
      const next = () => {
        response.write(`data: ${++n}\n\n`);
        n < 3 ? setTimeout(next, 200) : setTimeout(() => response.end(), 200);
      };
      return next();
    }
    default:
      response.writeHead(404);
      return response.end();
  }
});

const sockets = new WebSocketServer({server, path: '/socket'});
sockets.on('connection', (socket, request) => {
  note(request);
  socket.on('message', (data, binary) => socket.send(data, {binary}));
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
