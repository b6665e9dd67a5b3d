// Chromium opens a page by the DevTools protocol. Usage: browser.js CHROMIUM FOLDER SPKI ORIGIN, prints JSON: what the
// page loaded and by which protocol, the events of a stream, and what a WebSocket sent back.
'use strict';
const fs = require('fs');
const path = require('path');
const {spawn} = require('child_process');
const {WebSocket} = require('ws');
const [chromium, folder, spki, origin] = process.argv.slice(2);

const browser = spawn(chromium, ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
  '--remote-debugging-port=0', `--user-data-dir=${folder}`, `--ignore-certificate-errors-spki-list=${spki}`,
  '--no-first-run', '--disable-background-networking', 'about:blank'], {stdio: ['ignore', 'ignore', 'pipe']});
let said = '';
const end = (status, text) => {
  (status ? console.error : console.log)(text);
  browser.kill('SIGKILL');
  process.exit(status);
};
const fail = (error) => end(1, `${error?.stack ?? error}\n${said.slice(-2000)}`);
process.on('unhandledRejection', fail);
browser.on('exit', (code) => fail(`the browser has ended with ${code}`));
setTimeout(() => fail('the browser is not ready in time'), 110000).unref();

browser.stderr.on('data', (text) => {
  said += text;
  const found = /DevTools listening on (ws:\S+)/.exec(said);
  if (found && !browser.found) {
    browser.found = true;
    drive(found[1]);
  }
});

async function drive(url) {
  const socket = new WebSocket(url, {perMessageDeflate: false});
  const waiting = new Map(), events = [];
  let id = 0;
  socket.on('error', fail);
  await new Promise((resolve) => socket.on('open', resolve));
  socket.on('message', (text) => {
    const message = JSON.parse(text);
    if (!message.id) return events.push(message);
    const {resolve, reject} = waiting.get(message.id);
    message.error ? reject(new Error(JSON.stringify(message.error))) : resolve(message.result);
  });
  const call = (method, params = {}, sessionId = undefined) => new Promise((resolve, reject) => {
    waiting.set(++id, {resolve, reject});
    socket.send(JSON.stringify({id, method, params, sessionId}));
  });
  const {targetId} = await call('Target.createTarget', {url: 'about:blank'});
  const {sessionId} = await call('Target.attachToTarget', {targetId, flatten: true});
  const evaluate = async (expression) => {
    const {result, exceptionDetails} = await call('Runtime.evaluate', {
      expression: `(async () => { ${expression} })()`, awaitPromise: true, returnByValue: true}, sessionId);
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return result.value;
  };
  await call('Page.enable', {}, sessionId);
  await call('Log.enable', {}, sessionId);
  const gone = await call('Page.navigate', {url: `${origin}/page`}, sessionId);
  if (gone.errorText) throw new Error(gone.errorText);
  const loaded = await evaluate(`
    if (document.readyState !== 'complete') await new Promise((resolve) => addEventListener('load', resolve));
    return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')].map((each) => (
      {name: each.name, protocol: each.nextHopProtocol, status: each.responseStatus}));`);
  const ran = await evaluate('return window.ran;');
  const stream = await evaluate(`return await new Promise((resolve, reject) => {
    const source = new EventSource('/events'), got = [];
    source.onerror = () => { source.close(); resolve(got); };
    source.onmessage = (event) => { got.push(event.data); if (got.length === 3) { source.close(); resolve(got); } };
  });`);
  const echoed = await evaluate(`return await new Promise((resolve, reject) => {
    const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
    socket.onopen = () => socket.send('from the page');
    socket.onmessage = (event) => { socket.close(); resolve(event.data); };
    socket.onerror = () => resolve('an error');
  });`);
  const problems = events.filter((each) => each.method === 'Log.entryAdded' && each.params.entry.level === 'error')
    .map((each) => each.params.entry.text);
  end(0, JSON.stringify({loaded, ran, stream, echoed, problems}));
}
