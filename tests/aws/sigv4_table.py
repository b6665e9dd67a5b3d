#!/usr/bin/env python3
"""Writes or checks tests/aws/sigv4_table.txt: requests, and what botocore signs for them.

sigv4_table.py --check   fails where the table is not what botocore gives now
sigv4_table.py --write   writes the table anew

The unit tests of http/aws_sigv4 sign the same requests and compare. A case has the target as a client may spell it, and
what it means (path and parameters, decoded), which is what botocore gets.
"""

import hashlib
import pathlib
import sys
from urllib.parse import quote

import reference

TABLE = pathlib.Path(__file__).with_name("sigv4_table.txt")
ACCESS_KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEND//////////wEaCXVzLWVhc3QtMSJH+a/b=="
UNSIGNED = "UNSIGNED-PAYLOAD"


class Encoded(str):
    """A path that is percent-encoded already."""


def case(name, target, path, params=(), method="GET", service="execute-api", region="us-east-1", host="a.example.com",
         headers=(), others=(), body=b"", token="", time="20240131T235959Z"):
    return dict(locals())


def cases():
    # Paths.
    for service in ("execute-api", "s3"):
        def of(name, *args, **more):
            return case(f"{service}: {name}", *args, service=service, **more)
        yield of("the root", "/", "/")
        yield of("a plain path", "/v1/items", "/v1/items")
        yield of("a slash at the end", "/v1/items/", "/v1/items/")
        yield of("a blank", "/a%20b", "/a b")
        yield of("a plus in the path", "/a+b", "/a+b")
        yield of("an encoded plus", "/a%2Bb", "/a+b")
        yield of("letters beyond ASCII", "/%C3%A9t%C3%A9/%E6%97%A5%E6%9C%AC", "/été/日本")
        yield of("digits of escapes in lower case", "/%c3%a9", "/é")
        yield of("bytes that are no UTF-8", "/%FF%FE", b"/\xff\xfe")
        yield of("an encoded slash", "/a%2Fb/c", Encoded("/a%2Fb/c"))
        yield of("reserved bytes", "/a(1)!'*;=,$@:b", "/a(1)!'*;=,$@:b")
        yield of("unreserved bytes", "/a-b_c.d~e", "/a-b_c.d~e")
        yield of("encoded unreserved bytes", "/%61%2Db%7E", "/a-b~")
        yield of("a percent sign", "/100%25", "/100%")
        yield of("dots within names", "/a..b/.c/d.", "/a..b/.c/d.")
        yield of("two slashes", "/a//b", "/a//b")
        yield of("brackets and quotes", "/[a]%22b%22%7Bc%7D", '/[a]"b"{c}')
    yield case("execute-api: dot segments", "/a/./b/../c", "/a/./b/../c")
    yield case("execute-api: dot segments above the root", "/../a/..", "/../a/..")
    yield case("lambda: a path", "/orders/17%2F3", Encoded("/orders/17%2F3"), service="lambda", region="eu-central-1",
               host="abc.lambda-url.eu-central-1.on.aws")
    # Parameters.
    for service in ("lambda", "s3"):
        def of(name, query, params, **more):
            return case(f"{service}: {name}", "/q?" + query, "/q", params, service=service, **more)
        yield of("parameters in another order", "b=2&a=1", [("b", "2"), ("a", "1")])
        yield of("a repeated parameter", "a=2&a=10&a=1", [("a", "2"), ("a", "10"), ("a", "1")])
        yield of("an empty parameter", "a=&b=1", [("a", ""), ("b", "1")])
        yield of("a parameter without =", "acl", [("acl", "")])
        yield of("one without = and one with", "a&a=1&a", [("a", ""), ("a", "1"), ("a", "")])
        yield of("a plus is a blank", "q=a+b", [("q", "a b")])
        yield of("an encoded blank", "q=a%20b", [("q", "a b")])
        yield of("an encoded plus", "q=a%2Bb", [("q", "a+b")])
        yield of("an = in a value", "q=a=b==", [("q", "a=b==")])
        yield of("a ? in a value", "q=a?b", [("q", "a?b")])
        yield of("a slash in a value", "prefix=a/b%2Fc", [("prefix", "a/b/c")])
        yield of("letters beyond ASCII", "q=%E6%97%A5&%C3%A9=1", [("q", "日"), ("é", "1")])
        yield of("escapes in lower case", "q=%e6%97%a5%2b", [("q", "日+")])
        yield of("names that differ in case", "B=1&a=2&b=3&A=4", [("B", "1"), ("a", "2"), ("b", "3"), ("A", "4")])
        yield of("names of which one begins the other", "ab=1&a=2&a-b=3&a.b=4",
                 [("ab", "1"), ("a", "2"), ("a-b", "3"), ("a.b", "4")])
        yield of("empty pieces", "&a=1&&b=2&", [("a", "1"), ("b", "2")])
        yield of("reserved bytes", "q=a:b@c!d$e'f(g)h*i,j;k", [("q", "a:b@c!d$e'f(g)h*i,j;k")])
        yield of("a name alone", "=1", [("", "1")])
        yield of("a lone percent sign", "q=100%&r=%zz", [("q", "100%"), ("r", "%zz")])
    yield case("an empty query", "/q?", "/q")
    # Fields.
    yield case("fields that are not signed", "/", "/", others=[
        ("User-Agent", "curl/8"), ("Via", "1.1 a"), ("Range", "bytes=0-1"), ("If-None-Match", '"a"'),
        ("X-Forwarded-For", "10.0.0.1"), ("Accept", "*/*"), ("X-Amzn-Trace-Id", "Root=1")])
    yield case("a field with blanks", "/", "/", headers=[("X-Amz-Meta-Name", "  a   b \t c  ")], service="s3")
    yield case("a field with quotes", "/", "/", headers=[("X-Amz-Meta-Name", '"a  b"')], service="s3")
    yield case("a field of two lines", "/", "/", headers=[("x-amz-meta-a", "2"), ("X-Amz-Meta-A", "1")], service="s3")
    yield case("an empty field", "/", "/", headers=[("X-Amz-Meta-A", "")], service="s3")
    yield case("Content-Type and Content-MD5", "/", "/", method="PUT", service="s3", body=b"x",
               headers=[("Content-Type", "text/plain; charset=utf-8"), ("Content-MD5", "nQhVU2R8ov6Dv6UQwx3g3Q==")])
    yield case("a host with a port", "/", "/", host="localhost:9000", service="s3")
    # Content, credentials, places and times.
    yield case("a POST", "/orders", "/orders", method="POST", service="lambda", body=b'{"a": 1}',
               headers=[("Content-Type", "application/json")])
    yield case("a POST without content", "/orders", "/orders", method="POST", service="lambda")
    yield case("content of any bytes", "/", "/", method="PUT", service="execute-api", body=bytes(range(256)))
    yield case("s3: content that is not signed", "/a", "/a", method="PUT", service="s3", body=UNSIGNED)
    yield case("a DELETE", "/a?versionId=1", "/a", [("versionId", "1")], method="DELETE", service="s3")
    yield case("a method of no standard", "/", "/", method="PURGE")
    for service in ("lambda", "s3"):
        yield case(f"{service}: a session token", "/a?b=c", "/a", [("b", "c")], service=service, token=TOKEN)
    yield case("dynamodb", "/", "/", method="POST", service="dynamodb", region="ap-southeast-2", body=b"{}",
               headers=[("X-Amz-Target", "DynamoDB_20120810.GetItem"), ("Content-Type", "application/x-amz-json-1.0")])
    yield case("another day", "/", "/", time="20240229T000000Z")
    yield case("the last second of a year", "/", "/", time="20261231T235959Z")


def url_of(c):
    """The path as botocore encodes it where it builds requests, and what an Encoded one says."""
    path = c["path"] if isinstance(c["path"], Encoded) else quote(c["path"], safe="/-_.~")
    return f"https://{c['host']}{path}"


def block(c):
    signer = reference.signer_for(c["service"], c["region"], ACCESS_KEY, SECRET, c["token"])
    payload = c["body"] if c["body"] == UNSIGNED else hashlib.sha256(c["body"]).hexdigest()
    headers = [("Host", c["host"]), *c["headers"]]
    body = b"" if c["body"] == UNSIGNED else c["body"]
    request = reference.request_of(c["method"], url_of(c), headers, body, c["params"], payload)
    if payload == UNSIGNED:
        signer._should_sha256_sign_payload = lambda request: False
    canonical = reference.sign(signer, request, c["time"])
    lines = [("case", c["name"]), ("service", c["service"]), ("region", c["region"]), ("method", c["method"]),
             ("target", c["target"]), ("payload", payload), ("token", c["token"]), ("time", c["time"])]
    lines += [("field", f"{name}: {value}") for name, value in [*headers, *c["others"]]]
    lines += [("canonical", line) for line in canonical.split("\n")]
    lines.append(("authorization", request.headers["Authorization"]))
    return "".join(f"{name}|{value}\n" for name, value in lines)


def main():
    if sys.argv[1:] not in (["--check"], ["--write"]):
        sys.exit(__doc__)
    text = "\n".join(map(block, cases()))
    if sys.argv[1] == "--write":
        TABLE.write_text(text, encoding="utf-8")
    elif text != TABLE.read_text(encoding="utf-8"):
        sys.exit(f"{TABLE.name} is not what botocore signs; see sigv4_table.py --write")
    print(f"{text.count('case|')} requests")


if __name__ == "__main__":
    main()
