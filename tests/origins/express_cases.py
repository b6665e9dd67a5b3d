"""Sequences before Express. Its ETags are weak and made of the text before it is compressed, so one stands for all
codings and, with cors, for the answers to all sites."""

import concurrent.futures
import itertools
import socket

import ranges
import variants
from cases import case, pairs
from express_server import Express
from independence import around, as_the_origin_says, independent, request

SERVER = Express
globals().update(variants.cases(folders=["sent", "files"], writes="sent"))
globals().update(ranges.cases(folder="files"))

SITES = ["https://one.example", "https://two.example", "https://evil.example", None]


def site(name):
    return [("Origin", name)] if name else []


def crossing(t, folder, of):
    """Pairs of sites, fresh and then stale: every answer has the Access-Control fields that are for its site."""
    made = [(t.file(folder=f"cors/{folder}", short=True), *pair) for pair in of]
    for path, first, second in made:
        t.served(path, headers=site(first))
        t.served(path, headers=site(second), what=f"after {first}")
        t.served(path, headers=site(first), what=f"again, after {second}")
    t.expire()
    for path, first, second in made:
        t.lasting(path)
        t.served(path, headers=site(second), what=f"stale, {second}, pair {first}")
        t.served(path, headers=site(first), what=f"stale, {first}, pair {second}")
        t.hits(path, headers=site(second), what=f"renewed, {second}, pair {first}")
        t.hits(path, headers=site(first), what=f"renewed, {first}, pair {second}")


@case
def cors_with_a_list(t):
    """cors({origin: [...]}) says Vary: Origin always."""
    crossing(t, "list", pairs(SITES))


@case
def cors_that_reflects(t):
    """cors({origin: true}) allows whoever asks, under one ETag."""
    crossing(t, "reflected", pairs([name for name in SITES if name]))


@case
def cors_that_refuses_without_vary(t):
    """A refused answer without Vary, stored after an allowed one, never hides the allowed one."""
    made = [(t.file(folder="cors/function"), *pair) for pair in itertools.product(SITES[:2], SITES[2:])]
    for path, good, bad in made:
        t.served(path, headers=site(good))
        t.served(path, headers=site(bad), what=f"after {good}")
        t.hits(path, headers=site(good), what=f"again, after {bad}")


@case
def preflights_are_apart(t):
    """OPTIONS of two sites, for two methods and two lists of fields."""
    for (site_a, method_a), (site_b, method_b) in pairs(itertools.product(SITES[:3], ["PUT", "DELETE"])):
        path = t.file(folder="cors/list")
        for name, method in ((site_a, method_a), (site_b, method_b)) * 2:
            t.served(path, None, [("Origin", name), ("Access-Control-Request-Method", method)], method="OPTIONS")


@case
def tenants_with_one_etag(t):
    """Vary: X-Tenant and the version of a row as a strong ETag: nobody gets another's row."""
    tenants = [[("X-Tenant", "alice")], [("X-Tenant", "bob")], []]
    made = [(t.file(folder="tenant", short=True), *pair) for pair in pairs(tenants)]
    for path, first, second in made:
        for each in (first, second, first):
            t.served(path, headers=each, what=f"{each}")
    t.expire()
    for path, first, second in made:
        t.lasting(path)
        for each in (second, first):
            t.served(path, headers=each, what=f"stale {each}")
        for each in (second, first):
            t.hits(path, headers=each, what=f"renewed {each}")


@case
def agents_with_one_etag(t):
    """Vary: User-Agent and one text for all: the second time it is a hit for each."""
    path = t.file(folder="agent")
    agents = [[("User-Agent", name)] for name in ("curl/8", "Firefox/140", "Chrome/140")]
    for each in agents:
        t.served(path, headers=each)
    for each in agents:
        t.hits(path, headers=each)
    t.at_most(path, len(agents), "agents")


def languages(*names):
    return [[("Accept-Language", name)] if name else [] for name in names]


@case
def vary_that_arrives_with_a_later_answer(t):
    """The first answer has no Vary; when it is stale a later one has: from then on it is obeyed."""
    path = t.file(folder="late", short=True)
    none, german, french = languages(None, "de", "fr")
    t.served(path, headers=none)
    t.expire()
    t.lasting(path)
    for each in (german, french, german, french, none, german):
        t.served(path, headers=each, what=f"{each}")
    for each in (german, french):
        t.hits(path, headers=each)


@case
def vary_that_arrives_with_a_304(t):
    """A 304 brings Vary: what was stored without it is for the one who asked, and others ask for themselves."""
    path = t.file(folder="learns", short=True)
    none, german, french = languages(None, "de", "fr")
    t.served(path, headers=german)
    t.expire()
    t.lasting(path)
    t.server.put(path.lstrip("/") + ".vary", "")
    t.served(path, headers=german, what="renewed")
    t.hits(path, headers=german)
    before = len(t.fetches(path))
    t.served(path, headers=french)
    t.equal(len(t.fetches(path)) - before, 1, "fetches for another language after a 304 with Vary")
    t.hits(path, headers=french)
    t.hits(path, headers=german)


@case
def herds_of_two_kinds(t):
    """Browsers and curl all at once, of what is not stored and of what is stale: everybody can use what he gets."""
    clients = ["browser", "curl", "gzip only"] * 4
    with concurrent.futures.ThreadPoolExecutor(len(clients)) as pool:
        for folder in ("sent", "files"):
            path = t.file(folder=folder, short=True)
            for turn in ("not stored", "stale"):
                list(pool.map(lambda client: t.served(path, client, what=turn), clients))
                t.expire()
            t.change(path)
            t.lasting(path)
            list(pool.map(lambda client: t.served(path, client, what="changed"), clients))
            for client in clients[:3]:
                t.hits(path, client, what="after the herd")


@case
def query_order_and_brackets(t):
    """Two orders of parameters that qs reads as two things are two entries."""
    targets = ["/reads-all?f[][k]=a&f[][v]=1&f[][k]=b&f[][v]=2", "/reads-all?f[][k]=a&f[][k]=b&f[][v]=1&f[][v]=2",
               "/reads-all?a[]=1&a%5B%5D=2", "/reads-all?a%5B%5D=2&a[]=1", "/reads-all?a[]=2&a[]=1",
               "/reads-all?a[1]=x&a[0]=y", "/reads-all?w=1&crop=2", "/reads-all?crop=2&w=1"]
    requests = [request(target) for target in targets]
    as_the_origin_says(t, requests)
    independent(t, requests)


LANG = ["lang=x", "[lang]=x", "lang]=x", "la%6eg[]=x", "lang[]=x", "lang[a]=x", "%5Blang%5D=x", "+lang=x", "Lang=x",
        "lang=x;other=1", "other=1;lang=x", "lang", "lang.a=x", "lang[[a]=x", "[[lang]]=x", "lang[=x", "lang=y&lang=x",
        "other=1"]


@case
def names_of_query_parameters(t):
    """key.query: [lang]. However it is spelled, whoever is read as lang gets an answer of his own."""
    plain = [request("/reads"), request("/reads?lang=en")]
    spelled = [request(f"/reads?{text}") for text in LANG]
    independent(t, plain + spelled, around(spelled, plain))


@case
def names_of_form_fields(t):
    """key.form: [lang] on POST, with the same spellings."""
    def form(text):
        return request("/reads", "Content-Type: application/x-www-form-urlencoded", method="POST", content=text)
    plain, spelled = [form("other=2"), form("lang=en")], [form(text) for text in LANG]
    independent(t, plain + spelled, around(spelled, plain))


FORWARDED = [
    [], ["X-Forwarded-Host: cdn.example"], ["X-Forwarded-Host: a.example, b.example"], ["X-Forwarded-Proto: https"],
    ["X-Forwarded-Proto: https, http"], ["X-Forwarded-Proto: http, https"],
    ["X-Forwarded-Proto: https", "X-Forwarded-Proto: http"], ["X-Forwarded-Proto: http", "X-Forwarded-Proto: https"],
    ["X-Forwarded-Prefix: /shop"], ["X_Forwarded_Host: evil.example"],
    ["Forwarded: host=cdn.example;proto=https"], ["X-Forwarded-Port: 8443"], ["X-Forwarded-Scheme: https"],
]


@case
def what_trusted_proxies_say(t):
    """`trust proxy` in Express: host, scheme and prefix that a trusted proxy names choose the entry."""
    independent(t, [request("/link", *lines) for lines in FORWARDED])


@case
def redirects_to_https_do_not_loop(t):
    """An application that redirects http to https, behind a proxy that says the scheme in several ways."""
    independent(t, [request("/secure/page", *lines) for lines in FORWARDED])


@case
def methods_and_paths_by_fields(t):
    """X-Original-URL, X-Rewrite-URL and X-HTTP-Method-Override never reach the application with a request that is looked
    up, and do with one that is not."""
    odd = ["X-Original-URL: /admin", "X-Rewrite-URL: /admin", "X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE",
           "X-Method-Override: DELETE", "X_HTTP_Method_Override: DELETE"]
    found = independent(t, [request("/override/a"), *(request("/override/a", line) for line in odd)])
    for each, (status, text, _) in found.items():
        t.equal(text, "GET /override/a\n", each)
    answer = t.ask("POST", "/override/a", [("X-HTTP-Method-Override", "MERGE")], b"x")
    t.equal(answer.text, "MERGE /override/a\n", "an override of POST")


@case
def credentials_by_any_name(t):
    """`ttl: 60s` alone: what is answered to credentials is for nobody else, what is answered to nobody is not for
    them."""
    lines = ["X-Api-Key: alice", "X-Api-Key: bob", "Authorization: Bearer alice", "Cookie: session=anna",
             "X-Auth-Token: alice", "Api-Key: alice", "X-Access-Token: alice"]
    requests = [request("/me"), *(request("/me", line) for line in lines)]
    as_the_origin_says(t, requests)
    independent(t, requests)
    secrets = [request("/account"), request("/account?access_token=alice"), request("/account?access_token=bob"),
               request("/account?token=alice"), request("/account?sig=alice")]
    independent(t, secrets)
    host = "nobody.test"
    t.ask("GET", "/me", host=host)
    t.expect(t.ask("GET", "/me", host=host).hit, "the answer to nobody is a hit for nobody")


@case
def errors_of_one_clients_making(t):
    """ttl.status `4xx` does not name those; 404, 405, 410 and 451 are kept for ten seconds under `ttl: 60s`."""
    for code in (400, 401, 403, 406, 407, 408, 412, 413, 414, 415, 416, 417, 421, 425, 426, 428, 429, 431, 494, 499):
        for place in ("status", "negative"):
            for who in ("anna", "bert"):
                answer = t.get(f"/{place}/{code}", headers=[("X-Client", who)])
                t.equal(answer.text, f"{code} for {who}\n", f"/{place}/{code}")
    for code in (404, 405, 410, 451):
        answer = t.get(f"/negative/{code}", headers=[("X-Client", "anna")])
        ttl = answer.cache.get("ttl")
        t.expect(ttl is not None and int(ttl) <= 10, lambda: f"/negative/{code}: ttl {ttl}")
        t.get(f"/status/{code}")
        seen = t.get(f"/status/{code}")
        t.expect(int(seen.cache.get("ttl", 0)) > 10, lambda: f"/status/{code}: {seen.get('Cache-Status')}")


def first_bytes(t, target, who):
    """A client of an endless answer: its connection, and the first bytes that came behind the head."""
    connection = socket.create_connection(("127.0.0.1", t.daemon.port), 60)
    connection.sendall(f"GET {target} HTTP/1.1\r\nHost: shop.test\r\nX-Client: {who}\r\n\r\n".encode())
    seen = b""
    while b"data: " not in seen or not seen.endswith(b"\n"):
        piece = connection.recv(65536)
        if not piece:
            break
        seen += piece
    return connection, seen


@case
def endless_answers(t):
    """Event streams and lines of JSON without a lifetime, under `ttl: 60s`: each client has a stream of his own."""
    for kind in ("events", "lines"):
        streams = [first_bytes(t, f"/endless/{kind}", who) for who in ("anna", "bert")]
        for (connection, seen), who in zip(streams, ("anna", "bert")):
            t.expect(f"data: {who}".encode() in seen, lambda: f"{kind}: {who} gets {seen!r}")
            connection.close()
        for who in ("anna", "bert"):
            seen = t.get(f"/endless/{kind}?ends=1", headers=[("X-Client", who)])
            t.expect(who in seen.text, lambda: f"{kind} that ends: {who} gets {seen.text!r} ({seen.get('Cache-Status')})")


class Listener:
    """A client of an event stream, which reads one event after the other."""

    def __init__(self, t, target, who):
        self.connection = socket.create_connection(("127.0.0.1", t.daemon.port), 60)
        self.connection.sendall(f"GET {target} HTTP/1.1\r\nHost: shop.test\r\nAccept: text/event-stream\r\n"
                                f"Accept-Encoding: gzip\r\nX-Client: {who}\r\n\r\n".encode())
        self.reader = self.connection.makefile("rb")
        self.head = b""
        while not self.head.endswith(b"\r\n\r\n"):
            self.head += self.reader.readline()

    def event(self):
        size = int(self.reader.readline(), 16)
        event = self.reader.read(size).decode()
        self.reader.readline()
        return event


@case
def events_come_one_by_one(t):
    """An event reaches all clients before the next one is sent, and each client has a stream of its own, whatever
    lifetime the application states."""
    for state in ("no-cache", "public,%20max-age=600"):
        name = f"{t.name}-{len(state)}"
        listeners = [Listener(t, f"/events/{name}?state={state}", who) for who in ("anna", "bert")]
        for each, who in zip(listeners, ("anna", "bert")):
            t.equal(each.event(), f"event: open\ndata: {who}\n\n", "the first event")
        for number in range(5):
            t.equal(t.ask("POST", f"/events/{name}?say={number}").status, 204, "POST")
            for each in listeners:
                t.equal(each.event(), f"data: {number}\n\n", f"event {number}")
        for each in listeners:
            each.connection.close()


@case
def a_websocket_goes_through(t):
    """The package ws talks to the package ws as it does directly: messages of all lengths, compressed, pings, a close
    with its code, a refusal."""
    seen, direct = (t.server.talked(port, "conversation") for port in (t.daemon.port, t.server.port))
    t.equal(seen, direct, "a conversation")
    t.equal(seen.get("close"), [4000, "enough"], "the close")
    t.expect(seen.get("same") and seen.get("pongs") == 1, lambda: f"{seen}")
    t.expect("permessage-deflate" in seen.get("extensions", ""), lambda: f"no compression: {seen}")
    refused = t.server.talked(t.daemon.port, "refused")
    t.equal((refused.get("status"), refused.get("connection")), (403, "close"), "a refusal")


@case
def another_protocol_goes_through(t):
    """A protocol that the route lists, by the server that Node.js has built in."""
    with socket.create_connection(("127.0.0.1", t.daemon.port), 60) as connection:
        connection.sendall(b"GET /ws/shout HTTP/1.1\r\nHost: shop.test\r\nConnection: upgrade\r\nUpgrade: shout\r\n\r\n")
        reader = connection.makefile("rb")
        t.equal(reader.readline(), b"HTTP/1.1 101 Switching Protocols\r\n", "the answer")
        while reader.readline().strip():
            pass
        for word in (b"hello", b"once more"):
            connection.sendall(word)
            t.equal(reader.read(len(word)), word.upper(), "shouted")


@case
def an_upload_is_refused_before_it_comes(t):
    """Expect: 100-continue reaches the application, and its 401 the client, without the content."""
    t.equal(t.upload("POST", "/upload", b"", size=5000000)[0][:12], "HTTP/1.1 401", "the answer to an upload")


@case
def a_login_does_not_purge_where_it_leads(t):
    """POST with 303 to a page that is stored: the page stays a hit. A PUT of the page makes it stale."""
    t.server.put("sent/home.txt", "home\n")
    t.served("/sent/home.txt")
    t.equal(t.ask("POST", "/session", content=b"name=anna").status, 303, "POST /session")
    t.hits("/sent/home.txt")
    t.equal(t.ask("PUT", "/sent/home.txt", content=b"new home\n").status, 204, "PUT")
    t.equal(t.served("/sent/home.txt").text, "new home\n", "after PUT")
