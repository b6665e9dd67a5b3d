// Express with compression and cors, as applications use them. Usage: server.js FOLDER
// Serves FOLDER/www, writes each request as a line of JSON to FOLDER/requests, and says its port on standard output.
'use strict';
const fs = require('fs');
const path = require('path');
const express = require('express');
const compression = require('compression');
const cors = require('cors');
const {WebSocketServer} = require('ws');

const folder = process.argv[2];
const files = path.join(folder, 'www');
const record = fs.openSync(path.join(folder, 'requests'), 'a');
const app = express();
app.set('trust proxy', true);
app.set('query parser', 'extended');

app.use((request, response, next) => {
  fs.writeSync(record, JSON.stringify({method: request.method, target: request.url, headers: request.headers}) + '\n');
  next();
});

// Ten minutes, or one second while a file NAME.short stands beside the file.
const lifetime = (name) => fs.existsSync(path.join(files, name + '.short')) ? 'max-age=1' : 'max-age=600';
const state = (request, response, next) => {
  response.set('Cache-Control', lifetime(request.path));
  next();
};
const text = (request) => fs.readFileSync(path.join(files, request.path), 'utf8');

app.get('/ready.txt', (request, response) => response.sendFile('ready.txt', {root: files}));

// --- compression: one weak ETag for all codings ---
// Bodies by res.send, whose ETag is a digest of the text before it is compressed.
app.get('/sent/*name', compression({threshold: 0}), state, (request, response) => {
  response.type('text').send(text(request));
});
// Files by express.static, whose ETag is made of time and size.
app.use('/files', compression({threshold: 0}), (request, response, next) => {
  response.set('Cache-Control', lifetime('/files' + request.path));
  next();
}, express.static(path.join(files, 'files'), {cacheControl: false}));

// --- cors ---
const allowed = ['https://one.example', 'https://two.example'];
// A list: Vary: Origin on all answers.
app.use('/cors/list', cors({origin: allowed, credentials: true}));
// A function that refuses: the answer to a refused one says neither Vary nor Access-Control-*.
app.use('/cors/function', cors((request, callback) => {
  const origin = request.get('Origin');
  callback(null, origin && allowed.includes(origin) ? {origin: true} : {origin: false});
}));
// Whoever asks is allowed.
app.use('/cors/reflected', cors({origin: true}));
app.get('/cors/*name', state, (request, response) => response.type('text').send(text(request)));

// --- Vary written by hand; the ETag is the version of a row, the same for all tenants ---
app.get('/tenant/*name', state, (request, response) => {
  response.vary('X-Tenant');
  response.set('ETag', '"version-7"');
  response.type('text').send(`row of ${request.get('X-Tenant') || 'nobody'}\n`);
});
// Vary stands in the answers to requests with the field alone: it arrives later.
app.get('/late/*name', state, (request, response) => {
  const language = request.get('Accept-Language');
  if (language) response.vary('Accept-Language');
  response.type('text').send(`in ${language || 'no language'}\n`);
});
// The application learns to say Vary while one ETag stays; so a 304 brings it.
app.get('/learns/*name', state, (request, response) => {
  if (fs.existsSync(path.join(files, request.path + '.vary'))) response.vary('Accept-Language');
  response.set('ETag', '"one"');
  response.type('text').send('the same\n');
});
app.get('/agent/*name', state, (request, response) => {
  response.vary('User-Agent');
  response.type('text').send('the same for all agents\n');
});

// --- what the application reads of a request ---
app.all('/reads', express.urlencoded({extended: true}), (request, response) => {
  response.set('Cache-Control', 'max-age=600');
  response.json({lang: request.query.lang, form: (request.body || {}).lang, tenant: request.get('X-Tenant')});
});
app.get('/reads-all', (request, response) => {
  response.set('Cache-Control', 'max-age=600');
  response.json(request.query);
});
app.get('/link', (request, response) => {
  response.set('Cache-Control', 'max-age=600');
  response.send(`${request.protocol}://${request.hostname}${request.get('X-Forwarded-Prefix') || ''}/\n`);
});
app.use('/secure', (request, response, next) => {
  response.set('Cache-Control', 'max-age=600');
  if (!request.secure) return response.redirect(301, `https://${request.hostname}${request.originalUrl}`);
  next();
}, (request, response) => response.send('secure\n'));
// Applications that read the method or the path from a field.
app.use('/override', (request, response) => {
  response.set('Cache-Control', 'max-age=600');
  const method = request.get('X-HTTP-Method-Override') || request.method;
  response.send(`${method} ${request.get('X-Original-URL') || request.originalUrl}\n`);
});

// --- credentials; no lifetime is stated ---
app.get(['/me', '/account'], (request, response) => {
  const who = request.get('X-Api-Key') || request.get('Authorization') || request.get('X-Auth-Token') ||
      request.query.access_token || (request.get('Cookie') || '').replace(/^.*session=/, '') || 'nobody';
  response.send(`you are ${who}\n`);
});

// --- endless answers; a client that leaves ends them ---
app.get('/endless/:type', (request, response) => {
  response.type({events: 'text/event-stream', lines: 'application/x-ndjson'}[request.params.type]);
  response.write(`data: ${request.get('X-Client')}\n\n`);
  if (request.query.ends) return response.end();
  const timer = setInterval(() => response.write('data: more\n\n'), 50);
  request.on('close', () => clearInterval(timer));
  response.on('close', () => clearInterval(timer));
});

// --- an event stream whose events come when somebody asks for them ---
const listeners = new Map();
app.get('/events/:name', (request, response) => {
  const name = request.params.name;
  response.set({'Content-Type': 'text/event-stream', 'Cache-Control': request.query.state || 'no-cache'});
  response.flushHeaders();
  response.write(`event: open\ndata: ${request.get('X-Client')}\n\n`);
  listeners.set(name, (listeners.get(name) || new Set()).add(response));
  response.on('close', () => listeners.get(name).delete(response));
});
app.post('/events/:name', (request, response) => {
  for (const each of listeners.get(request.params.name) || []) each.write(`data: ${request.query.say}\n\n`);
  response.sendStatus(204);
});

// --- errors of one client's making ---
app.get(['/status/:code', '/negative/:code'], (request, response) => {
  const code = request.params.code;
  response.status(Number(code)).send(`${code} for ${request.get('X-Client')}\n`);
});

// --- writes ---
app.put(['/sent/*name', '/files/*name'], express.text({type: () => true, limit: '1mb'}), (request, response) => {
  fs.writeFileSync(path.join(files, request.path), request.body);
  response.sendStatus(204);
});
app.post('/session', (request, response) => response.redirect(303, '/sent/home.txt'));

// --- an upload that is refused before it comes ---
app.post('/upload', (request, response) => response.status(401).set('Connection', 'close').send('who are you?\n'));

app.use('/private', (request, response, next) => {
  response.set('Cache-Control', 'private');
  next();
}, express.static(path.join(files, 'private'), {cacheControl: false}));

const server = app.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
server.on('checkContinue', (request, response) => {
  if (request.url !== '/upload') response.writeContinue();
  app(request, response);
});
// --- WebSockets by ws, and another protocol by the http module alone ---
const echo = new WebSocketServer({noServer: true, perMessageDeflate: true, handleProtocols: () => 'chat'});
echo.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, {binary})));
server.on('upgrade', (request, socket, head) => {
  fs.writeSync(record, JSON.stringify({method: request.method, target: request.url, headers: request.headers}) + '\n');
  if (request.url === '/ws') return echo.handleUpgrade(request, socket, head, (each) => echo.emit('connection', each));
  if (request.url === '/ws/shout') {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: shout\r\nConnection: Upgrade\r\n\r\n');
    socket.on('error', () => socket.destroy());
    return socket.on('data', (data) => socket.write(data.toString().toUpperCase()));
  }
  socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno\n');
});
server.keepAliveTimeout = 60000;
process.on('SIGTERM', () => process.exit(0));
