#!/usr/bin/env python3
"""Checks the docs.

Usage: docs_check.py WHAT FOREBAY EXPOSITION
  blocks   every YAML block of README.md and docs/ is a valid configuration
  lines    no line of them has more than 120 columns, except in tables and code, and for a link; needs no binary
  links    every relative link and anchor in them exists
  names    every metric that is named in docs/ and deploy/prometheus/ is in docs/metrics.md
  metrics  docs/metrics.md and the output of /metrics have the same names, types and labels;
           writes that output to EXPOSITION
"""

import http.client
import http.server
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

PAGES = [pathlib.Path("README.md"), *sorted(pathlib.Path("docs").glob("**/*.md"))]
METRIC = re.compile(r"\b(?:forebay|process)_[a-z0-9]+(?:_[a-z0-9]+)+\b")


def fences(page):
    """(info, line, text) of the fenced blocks."""
    info, start, block = None, 0, []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("```"):
            if info is None:
                info, start, block = line[3:].strip(), number, []
            else:
                yield info, start, "\n".join(block) + "\n"
                info = None
        elif info is not None:
            block.append(line)


def make_pair(stem):
    """A certificate and its key: STEM.crt and STEM.key."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days",
                    "90", "-subj", "/CN=example.com", "-addext", f"subjectAltName=DNS:{stem.name}.example.com",
                    "-keyout", f"{stem}.key", "-out", f"{stem}.crt"], check=True, capture_output=True)


def with_files(text, folder):
    """The text with the files that docs name below /etc/forebay/tls and /run/secrets, and routes.d, made in a folder."""
    place = "/etc/forebay/tls/"
    for stem in set(re.findall(re.escape(place) + r"(\w[\w-]*)\.(?:crt|key)", text)):
        if not (folder / f"{stem}.crt").exists():
            make_pair(folder / stem)
    for name in re.findall(r"/run/secrets/(\w+)", text):
        (folder / name).write_text("secret\n")
    (folder / "routes.d").mkdir(exist_ok=True)
    for old in (place, "/run/secrets/"):
        text = text.replace(old, f"{folder}/")
    return text.replace("routes.d/", f"{folder}/routes.d/")


def blocks(forebay, _):
    with tempfile.TemporaryDirectory() as folder:
        return check_blocks(forebay, pathlib.Path(folder))


def check_blocks(forebay, folder):
    wrong = checked = 0
    for page in PAGES:
        for info, line, text in fences(page):
            if info != "yaml":
                continue
            checked += 1
            done = subprocess.run([forebay, "check", "-c", "-"], input=with_files(text, folder), stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                wrong += 1
                print(f"{page}:{line}: forebay check gives {done.returncode}:\n{done.stdout}")
    print(f"{checked} blocks")
    return wrong or not checked


def anchors(page):
    found = set()
    for line in page.read_text().splitlines():
        if line.startswith("#"):
            title = line.lstrip("#").strip().lower()
            found.add(re.sub(r"[^a-z0-9 _-]", "", title).replace(" ", "-"))
    return found


def lines(*_):
    wrong = 0
    for page in PAGES:
        fenced = False
        for number, line in enumerate(page.read_text().splitlines(), 1):
            if line.startswith("```"):
                fenced = not fenced
            if fenced or line.lstrip().startswith("|") or line.startswith("    "):
                continue
            if len(re.sub(r"\]\([^)]*\)", "]()", line)) > 120:
                wrong += 1
                print(f"{page}:{number}: {len(line)} columns")
    return wrong


def links(*_):
    wrong = 0
    for page in PAGES:
        text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            other = (page.parent / path).resolve() if path else page.resolve()
            if not other.exists() or (anchor and anchor not in anchors(other)):
                wrong += 1
                print(f"{page}: {target} leads nowhere")
    return wrong


def table():
    """name -> (type, labels) of docs/metrics.md."""
    found = {}
    row = re.compile(r"^\| `((?:forebay|process)_\w+)` \| (\w+) \|([^|]*)\|")
    for line in pathlib.Path("docs/metrics.md").read_text().splitlines():
        if m := row.match(line):
            labels = set()
            for part in m.group(3).split(";"):
                labels.update(name.strip() for name in part.split(":")[0].split(",") if name.strip())
            found[m.group(1)] = (m.group(2), labels)
    return found


def names(*_):
    known, wrong = table(), 0
    files = [*PAGES, *sorted(pathlib.Path("deploy/prometheus").iterdir())]
    for file in files:
        for name in sorted(set(METRIC.findall(file.read_text()))):
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            if name.startswith("forebay_micro") or name in known:
                continue
            if base in known and known[base][0] == "histogram":
                continue
            wrong += 1
            print(f"{file}: there is no metric {name}")
    return wrong


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.headers.get("Upgrade"):
            return self.echo()
        body = b"hello\n"
        if self.path == "/hinted":
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=60" if self.path.startswith("/fresh") else "no-store")
        self.end_headers()
        self.wfile.write(body)

    def echo(self):
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n")
        self.wfile.write(self.rfile.read(5))
        self.close_connection = True

    def log_message(self, *_):
        pass


def get(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def raw(port, head, more=b""):
    """What comes for a head of these lines, then for these bytes, until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        connection.sendall("\r\n".join([*head, "Host: a", "", ""]).encode())
        answer = connection.recv(65536)
        connection.sendall(more)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            answer += piece
        return answer


def scrape(forebay):
    """/metrics of a daemon that has had a request of each kind."""
    origin = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Origin)
    origin.daemon_threads = True
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        config, ports = pathlib.Path(folder, "forebay.yaml"), pathlib.Path(folder, "ports")
        make_pair(pathlib.Path(folder, "tls"))
        config.write_text(f"""\
listen:
  - {{ address: "127.0.0.1:0", name: plain }}
  - {{ address: "127.0.0.1:0", name: tls, tls: {{ cert: {folder}/tls.crt, key: {folder}/tls.key }} }}
admin: {{ listen: 127.0.0.1:0 }}
origins:
  good: {{ url: "http://127.0.0.1:{origin.server_address[1]}", max_concurrency: 100, health: {{ path: /fresh }} }}
  gone: http://127.0.0.1:1
  secure: {{ url: "https://127.0.0.1:1", failover: gone }}
log: {{ access: {{ output: "off" }} }}
server: {{ threads: 2 }}
routes:
  - {{ name: gone, path: /gone, origin: gone }}
  - {{ name: rest, path: /**, origin: good }}
""")
        log = open(pathlib.Path(folder, "log"), "w+")
        daemon = subprocess.Popen([forebay, "run", "-c", config, "--port-file", ports], stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log)
        try:
            until = time.monotonic() + 60
            while not ports.exists():
                if daemon.poll() is not None or time.monotonic() > until:
                    log.seek(0)
                    raise SystemExit(f"the daemon does not start:\n{log.read()}")
                time.sleep(0.02)
            port = dict(line.rsplit(" ", 1) for line in ports.read_text().splitlines())
            admin = int(port.pop("admin"))
            client = int(next(iter(port.values())))
            expected = [("/fresh", 200), ("/fresh", 200), ("/never", 200), ("/gone", 502)]
            for path, status in expected:
                got, body = get(client, path)
                if got != status:
                    raise SystemExit(f"{path} gives {got}, not {status}:\n{body}")
            get(admin, "/readyz")
            raw(client, ["GET /hinted HTTP/1.1", "Sec-Fetch-Mode: navigate", "Connection: close"])
            raw(client, ["GET /socket HTTP/1.1", "Connection: upgrade", "Upgrade: websocket"], b"hello")
            while (text := get(admin, "/metrics")[1]).find("forebay_tunnels_closed_total{") < 0:
                if time.monotonic() > until:
                    raise SystemExit("a tunnel does not end")
                time.sleep(0.02)
            return text
        finally:
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(60)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
            log.close()
            origin.shutdown()


def metrics(forebay, exposition):
    text = scrape(forebay)
    pathlib.Path(exposition).write_text(text)
    given = {name: (kind, set()) for name, kind in re.findall(r"^# TYPE (\S+) (\w+)$", text, re.MULTILINE)}
    for name, labels in re.findall(r"^([a-z_0-9]+)(?:\{(.*)\})? \S+$", text, re.MULTILINE):
        if name not in given:
            name = re.sub(r"_(bucket|sum|count)$", "", name)
        given[name][1].update(set(re.findall(r'(\w+)="', labels)) - {"le"})
    told, wrong = table(), 0
    for name in sorted(told.keys() | given.keys()):
        if told.get(name) == given.get(name):
            continue
        wrong += 1
        print(f"{name}: docs/metrics.md says {told.get(name)}, the daemon {given.get(name)}")
    print(f"{len(given)} metrics")
    return wrong


CHECKS = {"blocks": blocks, "lines": lines, "links": links, "names": names, "metrics": metrics}

if __name__ == "__main__":
    sys.exit(1 if CHECKS[sys.argv[1]](*sys.argv[2:]) else 0)
