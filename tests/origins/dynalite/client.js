// The AWS SDK for JavaScript. Usage: client.js PORT, with a JSON list of [command, input] on standard input; the calls
// are made one after the other, those of a list within the list at the same time; `wait` waits for a table. Writes a JSON list of
// {output | error, cache_status} for each.
'use strict';
const dynamo = require('@aws-sdk/client-dynamodb');

const client = new dynamo.DynamoDBClient({
  endpoint: 'http://127.0.0.1:' + process.argv[2],
  region: 'eu-central-1',
  credentials: {accessKeyId: 'forebay', secretAccessKey: 'forebay'},
  maxAttempts: 1,
});

const call = async ([name, input]) => {
  if (name === 'wait') {
    await dynamo.waitUntilTableExists({client, minDelay: 1, maxDelay: 1, maxWaitTime: 60}, input);
    return {};
  }
  const command = new dynamo[name + 'Command'](input);
  let cache_status = null;
  command.middlewareStack.add((next) => async (args) => {
    const result = await next(args);
    cache_status = result.response.headers['cache-status'] || null;
    return result;
  }, {step: 'deserialize', priority: 'low'});
  try {
    const {$metadata, ...output} = await client.send(command);
    return {output, cache_status};
  } catch (error) {
    return {error: error.name, cache_status};
  }
};

(async () => {
  const results = [];
  for (const each of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
    if (Array.isArray(each[0])) results.push(await Promise.all(each.map(call)));
    else results.push(await call(each));
  }
  console.log(JSON.stringify(results));
})();
