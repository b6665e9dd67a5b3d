// Apollo Client and urql. Usage: client.js URL, with a JSON list of {client, get, persisted, query, variables, mutation}
// on standard input. Each is made by a client of its own, one after the other. Writes a JSON list of
// {data, error, answers: [[method, status, Cache-Status]]}.
'use strict';
const apollo = require('@apollo/client/core');
const {createPersistedQueryLink} = require('@apollo/client/link/persisted-queries');
const sha256 = (text) => require('crypto').createHash('sha256').update(text).digest('hex');
const urql = require('@urql/core');
const {persistedExchange} = require('@urql/exchange-persisted');

const url = process.argv[2];

const byApollo = (asked, fetch) => {
  const http = new apollo.HttpLink({uri: url, fetch, useGETForQueries: Boolean(asked.get)});
  const persisted = createPersistedQueryLink({sha256, useGETForHashedQueries: Boolean(asked.get)});
  const client = new apollo.ApolloClient({
    link: asked.persisted ? persisted.concat(http) : http, cache: new apollo.InMemoryCache(), name: 'test', version: '1'});
  const document = apollo.gql(asked.query);
  return asked.mutation ? client.mutate({mutation: document, variables: asked.variables})
                        : client.query({query: document, variables: asked.variables});
};

const byUrql = async (asked, fetch) => {
  const exchanges = [urql.fetchExchange];
  if (asked.persisted) exchanges.unshift(persistedExchange({preferGetForPersistedQueries: Boolean(asked.get)}));
  // What Apollo asks of clients whose GETs would be refused as simple ones.
  const fetchOptions = asked.get ? {headers: {'Apollo-Require-Preflight': 'true'}} : {};
  const client = urql.createClient({url, exchanges, fetch, fetchOptions, preferGetMethod: asked.get ? 'force' : false});
  const result = asked.mutation ? await client.mutation(asked.query, asked.variables)
                                : await client.query(asked.query, asked.variables);
  if (result.error) throw result.error;
  return result;
};

(async () => {
  const results = [];
  for (const asked of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
    const answers = [];
    const recorded = async (target, options) => {
      const answer = await fetch(target, options);
      answers.push([(options && options.method) || 'GET', answer.status, answer.headers.get('cache-status')]);
      return answer;
    };
    try {
      const result = await (asked.client === 'apollo' ? byApollo : byUrql)(asked, recorded);
      results.push({data: result.data, answers});
    } catch (error) {
      results.push({error: error.message, answers});
    }
  }
  console.log(JSON.stringify(results));
})();
