"""Apollo Server behind Forebay: what Apollo Client, urql and plain requests share, and what they must not."""

import json
import urllib.parse

from apollo_server import Apollo
from cases import case

SERVER = Apollo

JSON = ("Content-Type", "application/json")
ACCEPT = ("Accept", "application/json")
MARK = ("Apollo-Require-Preflight", "true")


def query(t, fields="name made"):
    """A query that no other case asks."""
    return f"query Q($id: ID!) {{ product(id: $id) {{ {fields} }} }} # {t.name}"


def asked(t, client, **more):
    return {"client": client, "query": query(t), "variables": {"id": t.name}, **more}


def target(t, path="/graphql"):
    document = {"query": query(t), "variables": json.dumps({"id": t.name})}
    return path + "?" + urllib.parse.urlencode(document, quote_via=urllib.parse.quote)


def post(t, path="/graphql", headers=(JSON, ACCEPT)):
    return t.ask("POST", path, list(headers), json.dumps({"query": query(t), "variables": {"id": t.name}}).encode())


def said(answer):
    return answer.get("Cache-Status") or ""


@case
def clients_share_with_their_like(t):
    """Apollo Client and urql, by POST, GET and with persisted queries: a second client of the kind gets a hit."""
    for client in ("apollo", "urql"):
        for how in ({}, {"persisted": True}, {"persisted": True, "get": True}):
            each = asked(t, client, **how)
            each["variables"] = {"id": f"{client} {sorted(how)}"}
            first, second = t.server.ask(t.daemon.port, "/graphql", [each, each])
            what = f"{client} {how}"
            t.expect(first.get("data"), f"{what}: {first}")
            t.expect("; hit" in (second["answers"][-1][2] or ""), f"{what} again: {second}")
            t.equal(second.get("data"), first.get("data"), what)


@case
def mutations_are_each_made(t):
    """Two identical mutations of each client count two."""
    for client in ("apollo", "urql"):
        each = {"client": client, "query": "mutation M { count }", "mutation": True}
        first, second = t.server.ask(t.daemon.port, "/graphql", [each, each])
        t.expect(second["data"]["count"] > first["data"]["count"], f"{client}: {first} {second}")
        t.equal(second["answers"][0][2], "forebay; fwd=bypass; detail=graphql_operation", client)


@case
def a_bare_get_gets_what_a_post_has_made(t):
    """Apollo would refuse the GET itself (CSRF prevention)."""
    direct = t.direct("GET", target(t), headers=[ACCEPT])
    t.equal(direct.status, 400, "the server itself")
    t.expect("fwd=miss" in said(post(t)), "the POST")
    answer = t.get(target(t), headers=[ACCEPT])
    t.equal(answer.status, 200, "a bare GET")
    t.expect(answer.hit, f"a bare GET: {said(answer)}")


@case
def what_was_made_with_a_preflight_is_not_for_a_bare_get(t):
    """The bare GET gets Apollo's own 400; the entry stays for those who may have it."""
    first = t.get(target(t), headers=[ACCEPT, MARK])
    t.equal(first.status, 200, "a GET with the field")
    t.expect(t.get(target(t), headers=[ACCEPT, MARK]).hit, "again")
    bare = t.get(target(t), headers=[ACCEPT])
    t.equal(bare.status, 400, f"a bare GET: {said(bare)}")
    for headers in ([ACCEPT, MARK], [ACCEPT, ("X-Apollo-Operation-Name", "Q")], [ACCEPT, JSON]):
        t.expect(t.get(target(t), headers=headers).hit, f"after it: {headers}")
    t.expect(post(t).hit, "a POST")


@case
def a_bare_get_that_comes_first_is_refused_and_spoils_nothing(t):
    """Apollo's 400 is not stored; what comes next is."""
    t.equal(t.get(target(t), headers=[ACCEPT]).status, 400, "a bare GET")
    t.equal(post(t).status, 200, "a POST")
    t.expect(post(t).hit, "a second POST")


@case
def accept_chooses_the_type(t):
    """Apollo says no Vary; each gets the type that it asked for."""
    for accept in ("application/json", "application/graphql-response+json", "*/*", "application/json"):
        headers = [JSON, ("Accept", accept)]
        direct = t.direct("POST", "/graphql", headers=headers, content=json.dumps({"query": "{ __typename }"}).encode())
        answer = post(t, headers=headers)
        t.equal(answer.get("Content-Type"), direct.get("Content-Type"), accept)
        t.equal(answer.status, 200, accept)


@case
def the_default_of_apollo_is_no_store(t):
    """As it comes Apollo keeps everything out of caches; hints in the schema, or `override`, let it in."""
    for _ in range(2):
        answer = post(t, "/default")
        t.expect("no_store" in said(answer) or "pass_memory" in said(answer), f"as it comes: {said(answer)}")
    for path in ("/hints", "/override"):
        first, second = post(t, path), post(t, path)
        t.equal(first.status, 200, path)
        t.expect(second.hit, f"{path}: {said(first)}, {said(second)}")


@case
def answers_with_errors_are_not_stored(t):
    """A field that the schema does not have, and a variable that is missing."""
    for document in ({"query": "{ nothing }"}, {"query": query(t)}):
        for _ in range(2):
            answer = t.ask("POST", "/graphql", [JSON, ACCEPT], json.dumps(document).encode())
            t.expect("errors" in json.loads(answer.body), f"{answer}")
            t.expect(not answer.hit, f"{document}: {said(answer)}")
