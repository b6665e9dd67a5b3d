"""Sequences before PHP. It finds names in a query, a form, a cookie and a field where others find none, and its
sessions say what may be stored."""

import variants
from cases import case, pairs
from independence import around, fresh_host, independent, request
from php_server import Php

SERVER = Php
globals().update(variants.cases(folders=["tag"], writes=None))
globals().update(variants.cases(folders=["zlib"], writes=None, says_vary=False))

LANG = ["lang=x", "[lang]=x", "lang]=x", "la%6eg[]=x", "lang[]=x", "lang[a]=x", "%5Blang%5D=x", "%5Blang=x", "+lang=x",
        "%20lang=x", "Lang=x", "lang[=x", "lang[[a]=x", "lang%5B]=x", "lang%5d=x", "lang", "lang=y&lang=x",
        "lang;other=x", "other=1;lang=x", "other=1", "lang.=x", "other=1&&lang=x", "=&lang=x", "?lang=x", "?lang=x&other=1",
        "other=1&?lang=x"]
COOKIES = ["ab_home=x", "ab.home=x", "ab home=x", "ab_home[0]=x", "ab[home=x", "ab%5fhome=x", "ab%2ehome=x",
           "a=1 ab_home=x", "a=1; ab_home=x", "a=1, ab_home=x", "a=1;ab_home=x", " ab_home=x", 'a="1; ab_home=x"',
           "ab_home", "ab_home =x", "ab_home=y; ab_home=x", "ab.home=y; ab_home=x", "AB_HOME=x", "ab+home=x", "other=1",
           "a=1\tab_home=x"]
TENANTS = ["X-Tenant: x", "X_Tenant: x", "X.Tenant: x", "x-tenant: x", "X~Tenant: x", "X-Tenant: y, x", "X!Tenant: x",
           "X+Tenant: x"]


@case
def names_of_query_parameters(t):
    """key.query: [lang]. However it is spelled, whoever PHP reads as lang gets an answer of his own."""
    odd, plain = [request(f"/reads?{text}") for text in LANG], [request("/reads"), request("/reads?lang=en")]
    independent(t, odd + plain, around(odd, plain))


@case
def names_of_form_fields(t):
    """key.form: [lang] with the same spellings, of a POST that the route caches."""
    def form(text):
        return request("/reads", "Content-Type: application/x-www-form-urlencoded", method="POST", content=text)
    odd, plain = [form(text) for text in LANG], [form("other=2"), form("lang=en")]
    independent(t, odd + plain, around(odd, plain))


@case
def names_of_cookies(t):
    """key.cookies: [ab_home]. PHP finds it under several names."""
    for target in ("/cookie", "/reads"):
        odd = [request(target, f"Cookie: {text}") for text in COOKIES]
        plain = [request(target), request(target, "Cookie: ab_home=en")]
        independent(t, odd + plain, around(odd, plain))
    independent(t, [request("/cookie", "Cookie: ab_home=x", "Cookie: b=1"),
                    request("/cookie", "Cookie: b=1", "Cookie: ab_home=x"), request("/cookie", "Cookie: b=1")])


@case
def names_of_fields(t):
    """key.headers: [X-Tenant]. PHP makes HTTP_X_TENANT of several names."""
    odd, plain = [request("/reads", line) for line in TENANTS], [request("/reads"), request("/reads", "X-Tenant: en")]
    independent(t, odd + plain, around(odd, plain))
    both = [request("/reads", "X-Tenant: x", "X_Tenant: y"), request("/reads", "X_Tenant: y", "X-Tenant: x")]
    independent(t, [*both, *plain])


@case
def all_parameters_in_their_order(t):
    """key.query: all. Two orders that PHP reads as two things are two entries."""
    requests = [request(f"/reads-all?{text}") for text in
                ("f[][k]=a&f[][v]=1&f[][k]=b&f[][v]=2", "f[][k]=a&f[][k]=b&f[][v]=1&f[][v]=2", "a[]=1&a%5B%5D=2",
                 "a%5B%5D=2&a[]=1", "a.b=1&a_b=2", "a_b=2&a.b=1", "w=1&crop=2", "crop=2&w=1")]
    independent(t, requests)


@case
def sessions_are_never_shared(t):
    """session_start() under `ttl: 60s`, and with the cache limiter `public`: every visitor has a session of his own."""
    for target in ("/session", "/public"):
        host, seen = fresh_host(t), []
        for _ in range(3):
            answer = t.ask("GET", target, host=host)
            seen.append(answer.text.split()[-1])
            t.equal(len(answer.all("Set-Cookie")), 1, f"{target}: Set-Cookie of a new visitor")
        t.equal(len(set(seen)), 3, f"{target}: sessions of three visitors: {seen}")
        if target == "/public":
            continue  # a visitor who comes back gets no cookie again, and PHP calls his page public: that is its word
        cookie = answer.get("Set-Cookie").partition(";")[0]
        again = t.ask("GET", target, [("Cookie", cookie)], host=host)
        t.expect("visit 2 of" in again.text, f"{target}: a visitor who comes back: {again.text!r}")
        other = t.ask("GET", target, host=host)
        t.expect("visit 1 of" in other.text, f"{target}: a new visitor after him: {other.text!r}")


@case
def cookies_of_a_304_are_for_one(t):
    """A page is stored without a cookie; when it is stale PHP says 304 and gives the visitor a session. Nobody else
    gets it."""
    t.made += 1
    path = f"/greeting/{t.name}"
    t.server.lifetime(path[1:], short=True)
    t.get(path, headers=[("Cookie", "PHPSESSID=" + t.get(path).get("Set-Cookie").partition("=")[2].partition(";")[0])])
    t.expire()
    t.lasting(path)
    given = [t.get(path) for _ in range(4)]
    cookies = [answer.get("Set-Cookie") for answer in given if answer.get("Set-Cookie")]
    t.equal(len(cookies), len(set(cookies)), f"cookies of four visitors: {cookies}")
    t.equal({answer.text for answer in given}, {"hello\n"}, "what they get")


@case
def credentials(t):
    """`ttl: 60s` alone: what is answered to credentials is for nobody else."""
    lines = ["Cookie: session=anna", "Cookie: session=bert", "Authorization: Basic YW5uYTp4", "X-Api-Key: anna",
             "X_Api_Key: anna", "X.Api.Key: anna"]
    independent(t, [request("/me"), *(request("/me", line) for line in lines)])


@case
def pages_that_end_with_the_connection(t):
    """close_delimited: store. Vary: Accept-Language selects among them, fresh and stale."""
    readers = [[("Accept-Language", "de")], [("Accept-Language", "fr")], []]
    made = [(t.file(suffix="html", folder="page", short=True), *pair) for pair in pairs(readers)]
    for path, first, second in made:
        t.served(path, headers=first)
        t.served(path, headers=second)
    t.expire()
    for path, first, second in made:
        t.lasting(path)
        t.served(path, headers=second)
        t.served(path, headers=first)
        t.hits(path, headers=second)
        t.hits(path, headers=first)
