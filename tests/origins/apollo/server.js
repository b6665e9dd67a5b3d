// Three Apollo Servers over one schema. Usage: server.js FOLDER
// `default` is as it comes, which says `no-store`; `hints` has lifetimes in its schema; `quiet` says nothing of caching.
// Writes each operation that is executed as a line of JSON to FOLDER/requests, and says the ports on standard output.
'use strict';
const fs = require('fs');
const path = require('path');
const {ApolloServer} = require('@apollo/server');
const {startStandaloneServer} = require('@apollo/server/standalone');
const {ApolloServerPluginCacheControl} = require('@apollo/server/plugin/cacheControl');

const record = fs.openSync(path.join(process.argv[2], 'requests'), 'a');
let made = 0;
const resolvers = {
  Query: {product: (_, {id}) => ({id, name: 'Tea cosy ' + id, made: ++made})},
  Mutation: {count: () => ++made},
};
const schema = (hint) => `
  enum CacheControlScope { PUBLIC PRIVATE }
  directive @cacheControl(maxAge: Int, scope: CacheControlScope, inheritMaxAge: Boolean)
    on FIELD_DEFINITION | OBJECT | INTERFACE | UNION
  type Product ${hint} { id: ID! name: String made: Int }
  type Query { product(id: ID!): Product ${hint} }
  type Mutation { count: Int }`;

const start = async (typeDefs, plugins) => {
  const server = new ApolloServer({typeDefs, resolvers, plugins});
  const {url} = await startStandaloneServer(server, {
    listen: {host: '127.0.0.1', port: 0},
    context: async ({req}) => {
      fs.writeSync(record, JSON.stringify({method: req.method, target: req.originalUrl, headers: req.headers}) + '\n');
      return {};
    },
  });
  return new URL(url).port;
};

(async () => {
  const ports = [
    await start(schema(''), []),
    await start(schema('@cacheControl(maxAge: 60)'), []),
    await start(schema(''), [ApolloServerPluginCacheControl({calculateHttpHeaders: false})]),
  ];
  console.log('ports ' + ports.join(' ') + ' end');
})();
process.on('SIGTERM', () => process.exit(0));
