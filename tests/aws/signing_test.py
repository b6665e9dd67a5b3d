#!/usr/bin/env python3
"""Forebay before an origin that verifies AWS signatures by botocore's own canonical form.

    python3 tests/aws/signing_test.py build/asan/forebay [NAME...]

Skipped (77) without botocore, unless FOREBAY_ORIGINS=required.
"""

import datetime
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading

import reference

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "origins"))
import processes  # noqa: E402

UNSIGNED = "UNSIGNED-PAYLOAD"
CASES = []


def case(function):
    CASES.append(function)
    return function


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, handler, **state):
        super().__init__(("127.0.0.1", 0), handler)
        self.__dict__.update(state)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, *_):
        pass


class Quiet(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, content, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


class Origin(Quiet):
    """Answers a request whose signature is right with what it has seen, and any other with 403 and why."""

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            content = b""
            while size := int(self.rfile.readline().split(b";")[0], 16):
                content += self.rfile.read(size)
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return content
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def wrong(self, content):
        """What is wrong with the signature; nothing when it is right."""
        found = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, "
                             r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
                             self.headers.get("Authorization", ""))
        if not found:
            return "unsigned"
        key, day, region, service, names, signature = found.groups()
        names = names.split(";")
        secret, token = self.server.keys.get(key, (None, None))
        time, payload = self.headers.get("X-Amz-Date", ""), self.headers.get("X-Amz-Content-Sha256", "")
        now = datetime.datetime.now(datetime.timezone.utc)
        signed_at = datetime.datetime.strptime(time, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
        if not secret or token != self.headers.get("X-Amz-Security-Token"):
            return "another key"
        if (region, service) != ("eu-central-1", self.server.service) or not time.startswith(day):
            return "another scope"
        if abs(now - signed_at) > datetime.timedelta(minutes=15):
            return "another time"
        unsigned = [n for n in self.headers if n.lower().startswith("x-amz-") and n.lower() not in names]
        if unsigned or "host" not in names:
            return f"not signed: {unsigned}"
        if payload != UNSIGNED and payload != hashlib.sha256(content).hexdigest():
            return "another content"
        if payload == UNSIGNED and service != "s3":
            return "content that is not signed"
        headers = [(n, v) for n, v in self.headers.items() if n.lower() in names and n.lower() != "x-amz-date"]
        request = reference.request_of(self.command, "https://" + self.headers["Host"] + self.path, headers)
        signer = reference.signer_for(service, region, key, secret, token)
        if payload == UNSIGNED:
            signer._should_sha256_sign_payload = lambda request: False
        if service == "s3":
            signer.payload = lambda request: payload
        reference.sign(signer, request, time)
        return "" if signature in request.headers["Authorization"] else "another signature"

    def handle_request(self):
        content = self.body()
        why = self.wrong(content)
        seen = {"method": self.command, "target": self.path, "body": len(content), "wrong": why,
                "fields": [[name.lower(), value] for name, value in self.headers.items()]}
        self.server.seen.append(seen)
        fields = {"Cache-Control": self.server.lifetime, "ETag": '"1"'}
        if not why and self.headers.get("If-None-Match") == '"1"':
            return self.answer(304, b"", **fields)
        if self.path.startswith("/dropped") and len(self.server.seen) % 2:
            self.close_connection = True
            return self.connection.close()
        self.answer(403 if why else 200, json.dumps(seen).encode(), **(fields if not why else {}))

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = handle_request


class Endpoint(Quiet):
    """Gives keys that expire, a new one each time, and tells the origin of them."""

    def do_GET(self):
        server = self.server
        server.asked.append([self.path, self.headers.get("Authorization")])
        if server.broken:
            return self.answer(500, b"{}")
        number = len(server.asked)
        keys = {"AccessKeyId": f"ASIA{number}", "SecretAccessKey": f"secret-of-{number}", "Token": f"token-{number}",
                "Expiration": (datetime.datetime.now(datetime.timezone.utc)
                               + datetime.timedelta(seconds=server.seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")}
        server.origin.keys[keys["AccessKeyId"]] = (keys["SecretAccessKey"], keys["Token"])
        self.answer(200, json.dumps(keys).encode(), Content_Type="application/json")


class Test:
    def __init__(self, forebay, where, service="lambda", lifetime="no-store"):
        self.forebay, self.where = forebay, where
        self.origin = Server(Origin, keys={"AKIA1": ("first/secret+1", None)}, service=service, lifetime=lifetime, seen=[])
        self.daemon = None
        (where / "secret").write_text("first/secret+1\n")

    def configuration(self, sign="", origin="", more=""):
        keys = sign or "access_key_id: AKIA1, secret_access_key_file: secret"
        return f"""
origins:
  aws:
    url: http://127.0.0.1:{self.origin.server_port}
    sign: {{ type: aws_sigv4, region: eu-central-1, service: {self.origin.service}, {keys} }}
    timeouts: {{ connect: 10m, first_byte: 10m, between_bytes: 10m }}
{origin}
origin: aws
listen: 127.0.0.1:0
admin: {{ listen: 127.0.0.1:0 }}
server: {{ threads: 2, timeouts: {{ header: 10m, body: 10m }} }}
log: {{ access: {{ output: access.log, format: json, flush: 10ms }} }}
{more}
"""

    def start(self, configuration=None, **variables):
        (self.where / "forebay.yaml").write_text(configuration or self.configuration())
        ports = self.where / "ports"
        environment = {n: v for n, v in os.environ.items() if not n.startswith("AWS_")}
        environment.update(HOME=str(self.where), **variables)
        self.environment = environment
        self.daemon = processes.Process([self.forebay, "run", "-c", "forebay.yaml", "--port-file", str(ports)],
                                        self.where / "log", cwd=self.where, env=environment)
        processes.until(lambda: not self.daemon.running or ports.exists() and ports.read_text().endswith("\n"), "the daemon")
        if not self.daemon.running:
            raise processes.Failed(f"the daemon does not start:\n{self.daemon.said()}")
        found = dict(line.rsplit(" ", 1) for line in ports.read_text().splitlines())
        self.admin = int(found.pop("admin"))
        self.port = int(next(iter(found.values())))

    def reload(self, configuration=None):
        if configuration:
            (self.where / "forebay.yaml").write_text(configuration)
        before = self.daemon.said().count("applied")
        self.daemon.process.send_signal(signal.SIGHUP)
        processes.until(lambda: self.daemon.said().count("applied") > before, "the reload")

    def ask(self, method, target, body=None, headers=(), chunked=False):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        elif body is not None:
            connection.putheader("Content-Length", str(len(body)))
        try:
            connection.endheaders(iter([body]) if chunked else body, encode_chunked=chunked)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all has been sent
        answer = connection.getresponse()
        return answer.status, answer.read(), answer

    def good(self, *args, **more):
        """What the origin has seen of a request, which it has found right."""
        status, content, _ = self.ask(*args, **more)
        if status != 200:
            raise AssertionError(f"{args[:2]}: {status} {content!r}")
        return json.loads(content)

    def run(self, *arguments):
        done = subprocess.run([self.forebay, *arguments], cwd=self.where, env=self.environment, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout

    def written(self):
        """All that the daemon has written to its logs, once the access log is complete."""
        status = self.daemon.stop()
        if status != 0 or re.search(r"Sanitizer|runtime error:", self.daemon.said()):
            raise AssertionError(f"the daemon ended with {status}:\n{self.daemon.said()}")
        self.daemon = None
        log, access = self.where / "log", self.where / "access.log"
        return log.read_text() + (access.read_text() if access.exists() else "")

    def end(self):
        if self.daemon:
            self.written()


def value(seen, name):
    return [v for n, v in seen["fields"] if n == name]


def equal(got, expected, what=""):
    if got != expected:
        raise AssertionError(f"{what}: {got!r} instead of {expected!r}")


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


TARGETS = ["/", "/a/b/", "/a%20b", "/a+b", "/%C3%A9/%E6%97%A5", "/a%2Fb", "/a(1)!'*;=,$@:b", "/100%25", "/a//b",
           "/./a/../b", "/q?b=2&a=1", "/q?a=2&a=10&a=1&a", "/q?x=a+b&y=a%20b&z=a%2Bb", "/q?acl", "/q?a=&b",
           "/q?q=%e6%97%a5&x=a=b==&y=/?", "/q?&a=1&&b=2&", "/q?q=100%&r=%zz", "/q?"]


@case
def requests_to_a_lambda_are_signed(new):
    t = new()
    t.start()
    for target in TARGETS:
        t.good("GET", target)
    body = json.dumps({"a": "é" * 1000}).encode()
    for method in ("POST", "PUT", "DELETE"):
        equal(t.good(method, "/orders?x=1", body, [("Content-Type", "application/json")])["body"], len(body), method)
    equal(t.good("POST", "/orders")["body"], 0)
    equal(value(t.good("GET", "/"), "host"), [f"127.0.0.1:{t.origin.server_port}"], "the Host is the origin's")


@case
def content_of_unknown_length_is_signed_and_sent_with_its_length(new):
    t = new()
    t.start()
    seen = t.good("POST", "/orders", b"x" * 300000, chunked=True)
    equal([seen["body"], value(seen, "content-length"), value(seen, "transfer-encoding")], [300000, ["300000"], []])


@case
def content_over_the_limit_is_refused_and_never_sent(new):
    t = new()
    t.start(t.configuration("access_key_id: AKIA1, secret_access_key_file: secret, body_max: 100KiB"))
    equal(t.good("POST", "/orders", b"x" * 100 * 1024)["body"], 100 * 1024)
    for chunked in (False, True):
        status, content, _ = t.ask("POST", "/orders", b"x" * (100 * 1024 + 1), chunked=chunked)
        equal(status, 413)
        expect(b"sign.body_max" in content, content)
    equal(len(t.origin.seen), 1)


@case
def a_client_that_waits_for_a_100_gets_it_and_its_content_is_signed(new):
    t = new()
    t.start()
    with socket.create_connection(("127.0.0.1", t.port), 600) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n")
        said = client.recv(1000)
        expect(said.startswith(b"HTTP/1.1 100 "), said)
        client.sendall(b"abc")
        said = b"".join(iter(lambda: client.recv(1000), b""))
        expect(b"HTTP/1.1 200 " in said, said)
    equal([t.origin.seen[0]["body"], t.origin.seen[0]["wrong"]], [3, ""])


@case
def content_that_breaks_off_is_never_sent(new):
    t = new()
    t.start()
    with socket.create_connection(("127.0.0.1", t.port), 600) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab")
        client.shutdown(socket.SHUT_WR)
        client.recv(1000)
    t.good("GET", "/")
    equal([each["method"] for each in t.origin.seen], ["GET"])


@case
def posts_that_are_cached_by_their_content_are_signed(new):
    t = new(lifetime="max-age=600")
    t.start(t.configuration(more="routes: [{ path: /search, methods: [POST], key: { body: all, body_max: 1KiB } }]"))
    for body in (b"a", b"b", b"a", b"a", b"x" * 1025, b"x" * 1025):
        equal(t.good("POST", "/search", body)["body"], len(body))
    equal([each["body"] for each in t.origin.seen], [1, 1, 1025, 1025], "fetches")


@case
def requests_to_s3_are_signed_and_content_streams(new):
    t = new("s3")
    t.start(t.configuration("access_key_id: AKIA1, secret_access_key_file: secret, body_max: 100KiB"))
    for target in TARGETS:
        t.good("GET", target)
    seen = t.good("PUT", "/bucket/key%20one", b"x" * 3000000)
    equal([seen["body"], value(seen, "x-amz-content-sha256")], [3000000, [UNSIGNED]])
    seen = t.good("PUT", "/bucket/key", b"x" * 90000, chunked=True)
    equal([seen["body"], value(seen, "content-length")], [90000, ["90000"]])
    equal(t.ask("PUT", "/bucket/key", b"x" * 200000, chunked=True)[0], 413)


@case
def what_a_client_claims_is_not_signed(new):
    t = new("s3")
    t.start()
    claims = [("Authorization", "AWS4-HMAC-SHA256 Credential=a/b"), ("X-Amz-Copy-Source", "/other/key"),
              ("x-amz-acl", "public-read"), ("X-Amz-Security-Token", "theirs"), ("X-Amz-Date", "20200101T000000Z"),
              ("X-Amz-Content-Sha256", "0" * 64), ("X-Amzn-Trace-Id", "Root=1"), ("Range", "bytes=0-1")]
    seen = t.good("PUT", "/bucket/key", b"x", claims)
    names = sorted(name for name, _ in seen["fields"] if name.startswith("x-amz") or name == "authorization")
    equal(names, ["authorization", "x-amz-content-sha256", "x-amz-date", "x-amzn-trace-id"])
    equal(value(seen, "range"), ["bytes=0-1"])


@case
def fields_of_the_route_are_signed_after_rewrites(new):
    t = new("s3")
    t.start(t.configuration(more="""
routes:
  - path: /files/**
    rewrite: { strip_prefix: /files, add_prefix: /bucket }
    request_headers: { set: { X-Amz-Request-Payer: "  requester  ", Authorization: "Bearer a" } }
"""))
    seen = t.good("GET", "/files/a%20b?x=1")
    equal([seen["target"], value(seen, "x-amz-request-payer")], ["/bucket/a%20b?x=1", ["requester"]])


@case
def signed_answers_are_shared_and_validated(new):
    t = new(lifetime="max-age=0, stale-while-revalidate=0")
    t.start(t.configuration(more="defaults: { ttl: { default: 10m, min: 10m } }"))
    for _ in range(3):
        t.good("GET", "/page?a=1")
    equal(len(t.origin.seen), 1, "fetches")
    t.reload(t.configuration(more="defaults: { ttl: { default: 0 } }"))
    before = len(t.origin.seen)
    for _ in range(2):
        t.good("GET", "/other")
    seen = t.origin.seen[before:]
    equal([each["wrong"] for each in seen], ["", ""])
    equal([value(each, "if-none-match") for each in seen], [[], ['"1"']], "the second one validates")


@case
def an_attempt_that_breaks_is_signed_again(new):
    t = new()
    t.start(t.configuration(origin="    retries: 3"))
    for _ in range(4):
        t.good("GET", "/dropped")
    equal({each["wrong"] for each in t.origin.seen}, {""})


@case
def a_wrong_secret_is_refused_by_the_origin(new):
    t = new()
    (t.where / "secret").write_text("another\n")
    t.start()
    status, content, _ = t.ask("GET", "/")
    equal([status, json.loads(content)["wrong"]], [403, "another signature"])


@case
def a_reload_brings_the_new_secret(new):
    t = new()
    t.start()
    t.good("GET", "/")
    t.origin.keys["AKIA1"] = ("second", None)
    equal(t.ask("GET", "/")[0], 403)
    (t.where / "secret").write_text("second\n")
    t.reload()
    t.good("GET", "/")
    written = t.written()
    expect("first/secret" not in written and "second" not in written.replace("seconds", ""), "a log has a secret")


@case
def keys_come_from_the_environment_and_from_a_shared_file(new):
    t = new()
    t.origin.keys["AKIA2"] = ("of the/file".replace(" ", ""), "a-token")
    (t.where / "shared").write_text("[default]\naws_access_key_id=none\naws_secret_access_key=none\n[shop]\n"
                                    "aws_access_key_id = AKIA2\naws_secret_access_key = ofthe/file\n"
                                    "aws_session_token = a-token\n")
    t.start(t.configuration("credentials: auto"), AWS_ACCESS_KEY_ID="AKIA1", AWS_SECRET_ACCESS_KEY="first/secret+1")
    t.good("GET", "/")
    t.reload(t.configuration("profile: shop, credentials_file: shared"))
    equal(value(t.good("GET", "/"), "x-amz-security-token"), ["a-token"])


@case
def without_keys_nothing_goes_out(new):
    t = new()
    t.start(t.configuration("credentials: environment"))
    status, content, _ = t.ask("POST", "/", b"x")
    equal(status, 502)
    expect(b"no valid credentials" in content, content)
    equal(t.origin.seen, [])
    written = t.written()
    expect('"credentials"' in written and "AWS_ACCESS_KEY_ID" in written, written)


@case
def fields_from_files_reach_the_origin_and_are_shown_nowhere(new):
    t = new()
    (t.where / "field").write_text("sesame open\n")
    configuration = t.configuration(origin="""
    headers: { X-Origin-Secret: { file: field }, X-Var: "${A_VARIABLE}" }""")
    t.start(configuration, A_VARIABLE="tulip")
    seen = t.good("GET", "/", headers=[("X-Origin-Secret", "theirs"), ("x_origin_secret", "theirs"), ("X-Var", "theirs")])
    equal([value(seen, "x-origin-secret"), value(seen, "x_origin_secret"), value(seen, "x-var")],
          [["sesame open"], [], ["tulip"]])
    shown = t.run("check", "--print", "forebay.yaml") + t.run("explain", "-c", "forebay.yaml", "http://a/")
    expect("X-Origin-Secret" in shown and "sesame" not in shown and "tulip" not in shown, shown)
    (t.where / "field").write_text("roses\n")
    t.reload()
    equal(value(t.good("GET", "/"), "x-origin-secret"), ["roses"])
    expect(not re.search("sesame|tulip|roses|first/secret", t.written()), "a log has a secret")


@case
def keys_of_a_container_are_renewed_and_nothing_goes_out_without_them(new):
    t = new()
    endpoint = Server(Endpoint, origin=t.origin, asked=[], broken=False, seconds=4)
    (t.where / "token").write_text("the-token\n")
    t.start(t.configuration("credentials: container"),
            AWS_CONTAINER_CREDENTIALS_FULL_URI=f"http://localhost:{endpoint.server_port}/v2/credentials?id=1",
            AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=str(t.where / "token"))
    equal(endpoint.asked[0], ["/v2/credentials?id=1", "the-token"])

    def key_used():
        """Of a request that is right; nothing when there are no keys."""
        status, content, _ = t.ask("GET", "/")
        expect(status in (200, 502), f"{status} {content}")
        return re.search("ASIA[0-9]+", str(content)).group(0) if status == 200 else None
    processes.until(lambda: key_used() not in ("ASIA1", None), "other keys")
    endpoint.broken = True
    processes.until(lambda: key_used() is None, "a 502")
    status, content, _ = t.ask("GET", "/")
    expect(status == 502 and b"no valid credentials" in content, content)
    # A reload with other settings of the origin keeps keys of the same endpoint, or asks it again.
    endpoint.seconds = 3600
    endpoint.broken = False
    processes.until(key_used, "keys again")
    asked = len(endpoint.asked)
    t.reload(t.configuration("credentials: container", origin="    retries: 2"))
    expect(key_used(), "keys after a reload")
    equal(len(endpoint.asked), asked, "the endpoint was asked again")
    equal({each["wrong"] for each in t.origin.seen}, {""})
    written = t.written()
    expect("could not be renewed" in written and "status 500" in written and "are renewed again" in written, written)
    expect(not re.search("secret-of|token-[0-9]|the-token", written), "a log has a secret")


def main():
    forebay, only = str(pathlib.Path(sys.argv[1]).resolve()), sys.argv[2:]
    failures = 0
    for function in CASES:
        if only and function.__name__ not in only:
            continue
        folder = processes.folder()
        made = []

        def new(service="lambda", **more):
            made.append(Test(forebay, pathlib.Path(folder.name), service, **more))
            return made[0]
        try:
            function(new)
            for t in made:
                t.end()
            print(f"ok      {function.__name__}")
        except (AssertionError, processes.Failed, OSError, ValueError, AttributeError) as error:
            failures += 1
            print(f"FAILED  {function.__name__}: {error}")
        finally:
            for t in made:
                if t.daemon:
                    t.daemon.stop()
            folder.cleanup()
    print(f"{failures} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
