#!/usr/bin/env python3
"""The admin API of a running daemon against its own description (GET /api/v1/openapi.json):

    openapi_test.py BINARY

The document is valid OpenAPI 3.1 (a validator of npm), every example of a request that the document allows is accepted,
and every answer has a status, a type and content that the document states. Ends with 77 where Python's jsonschema is not
installed; with FOREBAY_ORIGINS=required that is a failure.
"""

import http.client
import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "origins"))
import processes  # noqa: E402

MODULES = pathlib.Path(os.environ.get("FOREBAY_NODE_MODULES", HERE.parents[1] / "build/origins/node_modules"))
TOKEN = "0123456789abcdef0123456789abcdef"
FOREIGN = {"Host": "elsewhere.example"}

# What is asked: method, path, content. Every operation of the document has to be among these.
REQUESTS = [
    ("GET", "/livez", None),
    ("GET", "/readyz", None),
    ("GET", "/readyz?origins=1", None),
    ("GET", "/version", None),
    ("GET", "/metrics", None),
    ("GET", "/api/v1/openapi.json", None),
    ("GET", "/api/v1/status", None),
    ("GET", "/api/v1/routes", None),
    ("GET", "/api/v1/routes/shop", None),
    ("GET", "/api/v1/routes/nothing", None),
    ("GET", "/api/v1/origins", None),
    ("GET", "/api/v1/stats", None),
    ("GET", "/api/v1/stats?window=5m&route=shop", None),
    ("GET", "/api/v1/stats?window=1s", None),
    # What does not end cannot be read here.
    ("GET", "/api/v1/stats/stream?window=5m", None),
    ("GET", "/api/v1/requests/stream?filter=colour%3Dred", None),
    ("GET", "/api/v1/events", None),
    ("GET", "/api/v1/keys", None),
    ("GET", "/api/v1/keys?by=bytes&limit=0", None),
    ("GET", "/api/v1/config", None),
    ("GET", "/api/v1/config?format=json", None),
    ("GET", "/api/v1/config?format=xml", None),
    ("GET", "/api/v1/config?source=1", None),
    ("GET", "/api/v1/config?source=1&format=json", None),
    ("POST", "/api/v1/config/check", {"origin": "http://localhost:1"}),
    ("POST", "/api/v1/config/check", {"orgin": "http://localhost:1", "admin": {"token": "${TOKEN}"}}),
    ("POST", "/api/v1/explain", {"url": "http://shop.example/shop/1"}),
    ("POST", "/api/v1/explain", {"url": "http://shop.example/shop/1", "headers": [["A", "b"]], "response": {"status": 404}}),
    ("POST", "/api/v1/explain", {"uri": "/"}),
    ("POST", "/api/v1/explain", {"id": "openapi-1"}),
    ("POST", "/api/v1/explain", {"id": "nobody"}),
    ("GET", "/api/v1/entries", None),
    ("GET", "/api/v1/entries?sort=hits&limit=1", None),
    ("GET", "/api/v1/entries?sort=best", None),
    ("GET", "/api/v1/entries/" + 32 * "0", None),
    ("DELETE", "/api/v1/entries/" + 32 * "0", None),
    ("POST", "/api/v1/purge", {"url": ["/nothing"], "mode": "soft", "dry_run": True}),
    ("POST", "/api/v1/purge", {"all": False}),
    ("POST", "/api/v1/purge", {"all": True, "dry_run": None}),
    ("POST", "/api/v1/warm", {"urls": ["http://shop.example/shop/7"], "concurrency": 1}),
    ("POST", "/api/v1/warm", {"urls": ["/shop/7"]}),
    ("GET", "/api/v1/log/level", None),
    ("PUT", "/api/v1/log/level", {"level": "info", "for": "5m"}),
    ("PUT", "/api/v1/log/level", {"level": "loud"}),
    ("POST", "/api/v1/reload", None),
    ("POST", "/api/v1/drain", {"delay": "1h"}),
    ("POST", "/api/v1/drain", {"delay": "soon"}),
    ("POST", "/api/v1/undrain", None),
    ("GET", "/api/v1/reload", None),
    ("GET", "/nothing", None),
]


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Cache-Tag", "all, shop")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def ask(port, method, path, content=None, fields=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=processes.PATIENCE)
    body = None if content is None else json.dumps(content)
    connection.request(method, path, body, {"Host": "127.0.0.1", **(fields or {})})
    answer = connection.getresponse()
    return answer.status, answer.getheader("Content-Type", "").split(";")[0], answer.read()


class Checker:
    def __init__(self, jsonschema, document):
        self.document = document
        self.jsonschema = jsonschema
        self.failures = 0

    def fail(self, what, why):
        self.failures += 1
        print(f"FAIL {what}: {why}")

    def look_up(self, reference):
        node = self.document
        for name in reference[2:].split("/"):
            node = node[name]
        return node

    def whole(self, node):
        return self.look_up(node["$ref"]) if "$ref" in node else node

    def matches(self, schema, value):
        """The first thing that is wrong, or nothing."""
        resolver = self.jsonschema.RefResolver("", self.document)
        validator = self.jsonschema.Draft202012Validator(schema, resolver=resolver)
        for error in validator.iter_errors(value):
            return f"{error.json_path}: {error.message[:300]}"
        return None

    def operation(self, method, path):
        path = path.split("?")[0]
        for pattern, methods in self.document["paths"].items():
            fits = pattern == path
            if "{" in pattern:
                prefix = pattern[:pattern.index("{")]
                fits = path.startswith(prefix) and "/" not in path[len(prefix):] and path not in self.document["paths"]
            if fits and method.lower() in methods:
                return pattern, methods[method.lower()]
        return None, None

    def check(self, method, path, content, answer):
        status, media_type, body = answer
        what = f"{method} {path} -> {status}"
        _, operation = self.operation(method, path)
        if operation is None:
            schema, types = {"$ref": "#/components/schemas/Problem"}, {"application/problem+json"}
            if status not in (404, 405):
                return self.fail(what, "not in the document, and neither 404 nor 405")
        else:
            allowed = content is None or self.matches(
                self.whole(operation["requestBody"])["content"]["application/json"]["schema"], content) is None
            if allowed and status == 400 and content is not None:
                return self.fail(what, "the document allows this content")
            if not allowed and status < 400:
                return self.fail(what, "the document does not allow this content")
            responses = operation["responses"]
            stated = responses.get(str(status)) or responses.get(f"{status // 100}XX")
            if stated is None:
                return self.fail(what, "a status that is not in the document")
            kinds = self.whole(stated)["content"]
            types = set(kinds)
            if media_type not in types:
                return self.fail(what, f"{media_type} is not in the document")
            schema = kinds[media_type]["schema"]
        if media_type not in types:
            return self.fail(what, f"{media_type} is not in the document")
        value = json.loads(body) if media_type.endswith("json") else body.decode()
        wrong = self.matches(schema, value)
        if wrong:
            return self.fail(what, wrong)
        print(f"ok   {what}")


def validate(document, where):
    """By a validator that others wrote."""
    (where / "openapi.json").write_text(json.dumps(document))
    if not (MODULES / "@seriousme").exists():
        print("skipped: @seriousme/openapi-schema-validator is not installed")
        return os.environ.get("FOREBAY_ORIGINS") != "required"
    done = subprocess.run(["node", str(HERE / "validate.mjs"), str(MODULES), str(where / "openapi.json")],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=processes.PATIENCE)
    print("ok   valid OpenAPI 3.1" if done.returncode == 0 else f"FAIL not valid: {done.stderr}")
    return done.returncode == 0


def main():
    try:
        import jsonschema
    except ImportError:
        # Debian's Python has what scripts/install-deps.sh installs, where another Python comes first.
        if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
            os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
        print("Python's jsonschema is not installed")
        return 1 if os.environ.get("FOREBAY_ORIGINS") == "required" else 77
    origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    folder = processes.folder()
    where = pathlib.Path(folder.name)
    (where / "forebay.yaml").write_text(f"""
listen: "127.0.0.1:0"
origin: http://127.0.0.1:{origin.server_port}
admin: {{ listen: "127.0.0.1:0", token: {TOKEN} }}
log: {{ access: {{ output: "{where}/access.log" }} }}
routes:
  - {{ name: shop, path: "/shop/**", ttl: 60s }}
  - {{ name: rest, path: "/**" }}
""")
    ports = where / "ports"
    daemon = processes.Process([str(pathlib.Path(sys.argv[1]).resolve()), "run", "-c", "forebay.yaml", "--port-file", str(ports)],
                               where / "log", cwd=where)
    try:
        processes.until(lambda: not daemon.running or ports.exists(), "the daemon")
        port = {name: int(number) for name, number in (line.rsplit(" ", 1) for line in ports.read_text().splitlines())}
        web, admin = next(number for name, number in port.items() if name != "admin"), port["admin"]
        for path in ("/shop/1", "/shop/1", "/shop/2", "/other"):
            ask(web, "GET", path, fields={"X-Request-Id": "openapi-1"})
        document = json.loads(ask(admin, "GET", "/api/v1/openapi.json")[2])
        checker = Checker(jsonschema, document)
        if not validate(document, where):
            checker.failures += 1
        for method, path, content in REQUESTS:
            checker.check(method, path, content, ask(admin, method, path, content))
        # Who may: refused with a wrong token, and from this machine under another name, unless it is for everybody.
        for pattern, methods in document["paths"].items():
            path = pattern.replace("{name}", "shop").replace("{id}", "0" * 32)
            for method, operation in methods.items():
                public = operation.get("security") == []
                for fields, refusal in (({"Authorization": "Bearer wrong"}, 401), (FOREIGN, 403)):
                    answer = ask(admin, method.upper(), path, None, fields)
                    if not public and answer[0] != refusal:
                        checker.fail(f"{method.upper()} {path} {fields}", f"{answer[0]} instead of {refusal}")
                    checker.check(method.upper(), path, None, answer)
        # Every operation is performed with what it is for.
        for method, pattern in ((m, p) for p, ms in document["paths"].items() for m in ms):
            if not any(m.lower() == method and checker.operation(m, p)[0] == pattern for m, p, _ in REQUESTS):
                checker.fail(f"{method.upper()} {pattern}", "REQUESTS has no such request")
        if checker.failures:
            print(daemon.said())
        return 1 if checker.failures else 0
    finally:
        daemon.stop()


if __name__ == "__main__":
    sys.exit(main())
