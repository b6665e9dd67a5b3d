// DynamoDB as dynalite has it, in memory. Usage: server.js FOLDER
// Writes each request as a line of JSON to FOLDER/requests, and says its port on standard output.
'use strict';
const fs = require('fs');
const path = require('path');
const dynalite = require('dynalite');

const record = fs.openSync(path.join(process.argv[2], 'requests'), 'a');
const server = dynalite({createTableMs: 0, deleteTableMs: 0, updateTableMs: 0});
server.prependListener('request', (request) => {
  fs.writeSync(record, JSON.stringify({method: request.method, target: request.url, headers: request.headers}) + '\n');
});
server.listen(0, '127.0.0.1', () => console.log('port ' + server.address().port));
process.on('SIGTERM', () => process.exit(0));
