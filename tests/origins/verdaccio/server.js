// verdaccio, a registry for npm, in memory and a folder, without an upstream. Usage: server.js FOLDER
// Writes each request as a line of JSON to FOLDER/requests, and says its port on standard output.
'use strict';
const fs = require('fs');
const http = require('http');
const path = require('path');
const {runServer} = require('verdaccio');

const where = process.argv[2];
fs.writeFileSync(path.join(where, 'verdaccio.yaml'), `
storage: ${path.join(where, 'storage')}
auth: { htpasswd: { file: ${path.join(where, 'htpasswd')}, max_users: 100 } }
packages:
  '@private/*': { access: $authenticated, publish: $authenticated }
  '**': { access: $all, publish: $authenticated }
log: { type: stdout, format: json, level: warn }
web: { enable: false }
userRateLimit: { windowMs: 1000, max: 1000 }
`);
const record = fs.openSync(path.join(where, 'requests'), 'a');

(async () => {
  const serve = (await runServer(path.join(where, 'verdaccio.yaml'))).listeners('request')[0];
  const server = http.createServer((request, response) => {
    fs.writeSync(record, JSON.stringify({method: request.method, target: request.url, headers: request.headers}) + '\n');
    serve(request, response);
  });
  server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
})();
process.on('SIGTERM', () => process.exit(0));
