// The AWS SDK for JavaScript. Reads lines of JSON, {port, calls}, and writes a line for each. A call is {op, input, as}: `op` is a
// command of the SDK, or `presign` or `multipart`, `as` a key or "nobody". The calls of a line are made one after the other. A Body
// that is a number is so many letters. What is written is a list of {output | error, status, cache_status}.
'use strict';
const s3 = require('@aws-sdk/client-s3');
const {getSignedUrl} = require('@aws-sdk/s3-request-presigner');

const clients = {};
const client = ({port, as, token}) => clients[[port, as, token]] = clients[[port, as, token]] || new s3.S3Client({
  endpoint: 'http://127.0.0.1:' + port,
  region: 'eu-central-1',
  forcePathStyle: true,
  credentials: {accessKeyId: as, secretAccessKey: 'secret', sessionToken: token},
  maxAttempts: 1,
  ...(as === 'nobody' ? {signer: {sign: async (request) => request}} : {}),
});

const send = async (op, given, who) => {
  const input = {...given};
  if (typeof input.Body === 'number') input.Body = Buffer.alloc(input.Body, 'a');
  const command = new s3[op + 'Command'](input);
  const result = {};
  command.middlewareStack.add((next) => async (args) => {
    const found = await next(args);
    result.status = found.response.statusCode;
    result.cache_status = found.response.headers['cache-status'] || null;
    return found;
  }, {step: 'deserialize', priority: 'low'});
  try {
    const {$metadata, ...output} = await client(who).send(command);
    if (output.Body) output.Body = await output.Body.transformToString();
    if (output.Body && output.Body.length > 10000) output.Body = output.Body.length;
    return {...result, output};
  } catch (error) {
    return {...result, error: error.name, message: error.message};
  }
};

const call = async ({op, input, seconds, ...who}) => {
  if (op === 'presign') {
    return getSignedUrl(client(who), new s3.GetObjectCommand(input), {expiresIn: seconds});
  }
  if (op !== 'multipart') return send(op, input, who);
  const {parts, ...where} = input;
  const begun = await send('CreateMultipartUpload', where, who);
  const done = [begun];
  const Parts = [];
  for (let i = 0; i < parts.length; ++i) {
    const upload = {...where, UploadId: begun.output.UploadId, PartNumber: i + 1, Body: parts[i]};
    done.push(await send('UploadPart', upload, who));
    Parts.push({PartNumber: i + 1, ETag: done[i + 1].output.ETag});
  }
  const end = {...where, UploadId: begun.output.UploadId, MultipartUpload: {Parts}};
  done.push(await send('CompleteMultipartUpload', end, who));
  return done;
};

(async () => {
  for await (const line of require('readline').createInterface({input: process.stdin})) {
    const {port, calls} = JSON.parse(line);
    const results = [];
    for (const each of calls) results.push(await call({...each, port}));
    console.log(JSON.stringify(results));
  }
})();
