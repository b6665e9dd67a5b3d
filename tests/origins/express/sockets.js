// A client of WebSockets by the package ws, for the cases of express_cases.py. Usage: sockets.js URL WHAT
// Prints what it saw as one line of JSON.
'use strict';
const crypto = require('crypto');
const WebSocket = require('ws');

const [url, what] = process.argv.slice(2);
const seen = {messages: [], pongs: 0};
const done = () => {
  console.log(JSON.stringify(seen));
  process.exit(0);
};
const digest = (data) => crypto.createHash('sha256').update(data).digest('hex');

const open = (path, protocols, options) => {
  const socket = new WebSocket(url + path, protocols, options);
  socket.on('error', (error) => {
    seen.error = error.message;
    done();
  });
  return socket;
};

const cases = {
  // Text, binary of all sizes that frames have, pings, compression, and the closing handshake.
  conversation: () => {
    const large = crypto.randomBytes(1 << 20);
    const socket = open('/ws', ['chat', 'other'], {perMessageDeflate: true});
    socket.on('open', () => {
      seen.protocol = socket.protocol;
      seen.extensions = socket.extensions;
      socket.ping('are you there');
      for (const size of [0, 1, 125, 126, 65535, 65536]) socket.send(Buffer.alloc(size, 'x'));
      socket.send('a text '.repeat(1000));
      socket.send(large);
    });
    socket.on('pong', (data) => seen.pongs += data.toString() === 'are you there' ? 1 : 0);
    socket.on('message', (data, binary) => {
      seen.messages.push([binary, data.length]);
      if (data.length !== large.length) return;
      seen.same = digest(data) === digest(large);
      socket.close(4000, 'enough');
    });
    socket.on('close', (code, reason) => {
      seen.close = [code, reason.toString()];
      done();
    });
  },
  // The application refuses.
  refused: () => {
    const socket = open('/ws/refused', [], {});
    socket.on('unexpected-response', (request, response) => {
      seen.status = response.statusCode;
      seen.connection = response.headers.connection;
      done();
    });
  },
  // The server goes away: says what the client is told.
  drain: () => {
    const socket = open('/ws', [], {});
    socket.on('open', () => console.error('open'));
    socket.on('close', (code) => {
      seen.close = code;
      done();
    });
  },
};
cases[what]();
