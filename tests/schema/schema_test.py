#!/usr/bin/env python3
"""Checks the JSON Schema of `forebay schema`: schema_test.py FOREBAY

1. It is a valid schema (draft 2020-12), and so is the one of included files.
2. It accepts every configuration of config/, docs/ and README.md, and what `check --print` makes of them.
3. It rejects every configuration of tests/contract/bad_configs with an unknown key, and others with values that editors
   should mark.
4. Every key of config/forebay.yaml has a description.

Ends with 77 (skipped) without the Python packages jsonschema and yaml, unless FOREBAY_ORIGINS=required.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

try:
    import jsonschema
    import yaml
except ImportError as missing:
    # Debian's Python has what scripts/install-deps.sh installs, where another Python comes first.
    if os.path.realpath(sys.executable) != os.path.realpath("/usr/bin/python3") and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
    print(f"skipped: {missing}")
    sys.exit(1 if os.environ.get("FOREBAY_ORIGINS") == "required" else 77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "deploy"))
os.chdir(ROOT)
import docs_check  # noqa: E402


class Core(yaml.SafeLoader):
    """Scalars as YAML 1.2 reads them, and so do editors: `off` is a text."""


Core.yaml_implicit_resolvers = {}
for tag, pattern, first in (
        ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
        ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
        ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
        ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
        ("merge", r"^<<$", "<")):
    Core.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), first)


def mapping(loader, node):
    """Keys are texts, as in JSON."""
    loader.flatten_mapping(node)
    return {str(getattr(key, "value", key)): loader.construct_object(value, deep=True) for key, value in node.value}


Core.add_constructor("tag:yaml.org,2002:map", mapping)


def load(text):
    return yaml.load(text, Core)


class Check:
    def __init__(self, schema):
        self.validator = jsonschema.Draft202012Validator(schema)

    def fault(self, text):
        """Where the schema refuses this configuration; nothing where it accepts it."""
        try:
            tree = load(text)
        except yaml.YAMLError as wrong:
            return f"not YAML: {wrong}"
        found = sorted(self.validator.iter_errors(tree), key=lambda error: list(map(str, error.absolute_path)))
        return "; ".join(f"{error.json_path}: {error.message[:200]}" for error in found[:3])


# What is wrong with the value of a key that exists.
BAD_VALUES = """
defaults: { ttl: 30 }
defaults: { ttl: soon }
defaults: { ttl: { default: 1s1m } }
cache: { memory: 5k }
cache: { max_object: 12 }
server: { threads: few }
server: { max_connections: -1 }
server: { max_connections: many }
server: { timeouts: 5s }
log: { level: loud }
log: { access: { sample: 200 } }
admin: { allow_loopback: "yes" }
admin: { listen: 8081 }
routes: { path: /a }
routes: [ { name: a } ]
routes: [ { path: a } ]
routes: [ { path: /a, redirect: { status: 305, to: /b } } ]
routes: [ { path: /a, respond: soon } ]
routes: [ { path: /a, key: { query: { exclude: [a] } } } ]
routes: [ { path: /a, ttl: { status: { "404": 10 } } } ]
origins: { web: { url: web:80 } }
origins: { web: { url: "http://web", pool: 5 } }
listen: 8080
"""
GOOD_VALUES = """
defaults: { ttl: 0 }
defaults: { ttl: 1m30s }
defaults: { ttl: "${TTL}" }
defaults: { ttl: { default: 1.5h, jitter: 0.1, status: { 404: 10s, 5xx: 0, "500-504": 1s } } }
cache: { memory: 40% }
cache: { memory: "${MEMORY:-1GiB}" }
server: { threads: auto }
server: { threads: 4 }
server: { threads: "4" }
server: { trusted_proxies: unix }
listen: ":8080"
listen: { address: ":8080" }
listen: [ ":8080", { address: "unix:/run/f", mode: 0660, x-note: 1 } ]
listen: [ { address: ":8443", tls: { cert: a, key: b, min_version: 1.2 } } ]
log: { access: { output: off, when: errors, format: "{method} {path}" } }
admin: { listen: off }
routes: [ { path: /a, methods: POST, key: { query: none, body: [ /a ] } } ]
routes: [ { path: /a, key: { query: { except: utm_* } } } ]
routes: [ { path: /a, key: { query: [ a, 1 ] } } ]
routes: [ { path: /a, redirect: https } ]
routes: [ { path: /a, respond: 404 } ]
routes: [ { path: "~ ^/a$", match: { headers: { X-A: [ a, b ], X-B: true }, body: { /a: null, /b: [ 1, "2" ] } } } ]
routes: [ { path: /a, bypass: { headers: [ X-A ], query: { a: b } } } ]
routes: [ { path: /a, request_headers: { set: { X-A: 1, x-b: "c" }, remove: Cookie } } ]
origins: { web: "http://web", two: [ "http://a", "http://b" ], x: { urls: [ "http://a", { url: "http://b", weight: 2 } ] } }
origin: [ "http://a", "http://b" ]
version: 1
x-mine: { any: [ thing ] }
"""


def configurations(forebay):
    """(name, text) of every configuration of the repository, and as `check --print` writes it."""
    for path in [*sorted(pathlib.Path("config").rglob("*.yaml")), *sorted(pathlib.Path("deploy").rglob("forebay.yaml"))]:
        yield str(path), path.read_text()
        printed = subprocess.run([forebay, "check", "--print", "--quiet", "-c", path], capture_output=True, text=True,
                                 stdin=subprocess.DEVNULL, timeout=60)
        if printed.returncode == 0:
            yield f"{path} as printed", printed.stdout
    for page in docs_check.PAGES:
        for info, line, text in docs_check.fences(page):
            if info in ("yaml", "yaml recipe"):
                yield f"{page}:{line}", text


def unknown_keys():
    for path in sorted(pathlib.Path("tests/contract/bad_configs").glob("*.expected")):
        if re.search(rf"^{re.escape(path.stem)}\.yaml:.* unknown key ", path.read_text(), re.MULTILINE):
            yield path.with_suffix(".yaml")


def descriptions(schema):
    """(path, property) of every key."""
    def walk(node, path):
        if isinstance(node, list):
            for item in node:
                yield from walk(item, path)
        elif isinstance(node, dict):
            for name, value in node.get("properties", {}).items():
                yield f"{path}.{name}", value
                yield from walk(value, f"{path}.{name}")
            for word in ("anyOf", "items", "additionalProperties"):
                yield from walk(node.get(word), path)
    yield from walk(schema, "")
    for name in ("policy", "route"):
        yield from walk(schema["$defs"][name], name)


def main(forebay):
    faults, checked = [], 0

    def expect(condition, words):
        nonlocal checked
        checked += 1
        if not condition:
            faults.append(words)

    def schema_of(*flags):
        return json.loads(subprocess.run([forebay, "schema", *flags], check=True, capture_output=True, timeout=60).stdout)

    schema, included = schema_of(), schema_of("--include")
    for one in (schema, included):
        jsonschema.Draft202012Validator.check_schema(one)
        expect('"$comment"' not in json.dumps(one), f"a type without a schema: {re.findall('no schema for[^}]*', json.dumps(one))}")
    check, check_included = Check(schema), Check(included)

    for name, text in configurations(forebay):
        fault = check.fault(text)
        expect(not fault, f"{name} is refused: {fault}")
    for page in docs_check.PAGES:
        for info, line, text in docs_check.fences(page):
            if info == "yaml routes":
                fault = check_included.fault(text)
                expect(not fault, f"{page}:{line} is refused: {fault}")
    expect(check_included.fault("- { path: /a, tls: 1s }"), "an unknown key of an included route is accepted")

    unknown = list(unknown_keys())
    expect(len(unknown) > 10, "there are no bad configurations")
    for path in unknown:
        expect(check.fault(path.read_text()), f"{path} is accepted")
    base = "origin: http://a\n"
    for line in BAD_VALUES.strip().splitlines():
        expect(check.fault(base + line), f"{line} is accepted")
        refused = subprocess.run([forebay, "check", "-c", "-"], input=base + line, capture_output=True, text=True, timeout=60)
        expect(refused.returncode == 3, f"forebay check takes {line}")
    for line in GOOD_VALUES.strip().splitlines():
        fault = check.fault(line)
        expect(not fault, f"{line} is refused: {fault}")

    for path, value in descriptions(schema):
        is_map = "$ref" in value or value.get("type") == "object"
        expect("description" in value or is_map or path.endswith((".except", ".file")), f"{path} has no description")

    for words in faults:
        print(words)
    print(f"{checked} checks, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(str(pathlib.Path(sys.argv[1]).resolve())))
