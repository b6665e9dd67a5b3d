"""Real clients before Forebay: curl, nghttp, h2load, openssl, Node.js, ws and Chromium, over clear text and TLS."""

import base64
import hashlib
import json
import os
import pathlib
import re
import subprocess

import processes
from server import Server, require
from express_server import PACKAGES

HERE = pathlib.Path(__file__).resolve().parent
DAYS = 30


class Edge(Server):
    name = "edge"
    jobs = 4

    def __init__(self, where):
        self.node = require("node")
        for program in ("curl", "nghttp", "h2load", "openssl", "chromium-headless-shell"):
            setattr(self, program.split("-")[0], require(program))
        if not (PACKAGES / "ws").is_dir():
            raise processes.Missing(f"ws is not in {PACKAGES}; it")
        super().__init__(where)
        self.make_certificates()

    def version(self):
        first = [processes.output(*command).splitlines()[0] for command in (
            [self.node, "--version"], [self.curl, "--version"], [self.nghttp, "--version"], [self.openssl, "version"],
            [self.chromium, "--version"])]
        return f"node {', '.join(each.strip() for each in first)}"

    @property
    def environment(self):
        return {**os.environ, "NODE_PATH": str(PACKAGES)}

    def start(self):
        self.process = processes.Process([self.node, str(HERE / "edge/server.js"), str(self.where)],
                                         self.where / "log", env=self.environment)

        def begun():
            return re.search(r"port (\d+)", self.process.said()) or not self.process.running
        said = processes.until(begun, self.name)
        if not self.process.running:
            raise processes.Failed(f"the origin does not start:\n{self.process.said()}")
        self.port = int(said.group(1))

    def host(self, target):
        return "shop.test"

    # --- certificates: a CA of this run, and what it has signed ---

    def file_of(self, name):
        return str(self.where / "tls" / name)

    def make_certificates(self):
        (self.where / "tls").mkdir()
        self.command("req", "-x509", *self.key_of("ec"), "-nodes", "-days", str(DAYS), "-subj", "/CN=test CA",
                     "-keyout", self.file_of("ca.key"), "-out", self.file_of("ca.pem"))
        for name, kind, names in (("ec", "ec", "DNS:shop.test,DNS:localhost,IP:127.0.0.1"),
                                  ("rsa", "rsa", "DNS:shop.test,DNS:localhost"),
                                  ("wild", "ec", "DNS:*.wild.test"), ("client", "ec", "DNS:client.test")):
            self.sign(name, kind, names)

    @staticmethod
    def key_of(kind):
        return ["-newkey", "rsa:2048"] if kind == "rsa" else ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]

    def sign(self, name, kind, names, days=DAYS):
        extensions = self.where / "tls" / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        self.command("req", "-new", *self.key_of(kind), "-nodes", "-subj", f"/O=Forebay tests/CN={name}",
                     "-keyout", self.file_of(f"{name}.key"), "-out", self.file_of(f"{name}.csr"))
        self.command("x509", "-req", "-in", self.file_of(f"{name}.csr"), "-CA", self.file_of("ca.pem"),
                     "-CAkey", self.file_of("ca.key"), "-CAcreateserial", "-days", str(days),
                     "-extfile", str(extensions), "-out", self.file_of(f"{name}.pem"))

    def command(self, *arguments):
        done = subprocess.run([self.openssl, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise processes.Failed(f"openssl {' '.join(arguments)}:\n{done.stderr}")
        return done.stdout

    def spki(self):
        """What Chromium takes as the name of the public key that it is to trust."""
        public = self.command("x509", "-in", self.file_of("ec.pem"), "-pubkey", "-noout")
        der = base64.b64decode("".join(line for line in public.splitlines() if not line.startswith("-")))
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    def pair(self, name):
        return f'cert: "{self.file_of(name + ".pem")}", key: "{self.file_of(name + ".key")}"'

    def configuration(self):
        ca = self.file_of("ca.pem")
        return f"""\
origin: http://127.0.0.1:{self.port}
listen:
  - {{ name: clear, address: "127.0.0.1:0" }}
  - {{ name: one, address: "127.0.0.1:0", http2: false }}
  - name: tls
    address: "127.0.0.1:0"
    tls: {{ certs: [ {{ {self.pair("ec")} }}, {{ {self.pair("rsa")} }}, {{ {self.pair("wild")} }} ] }}
  - {{ name: tls_one, address: "127.0.0.1:0", http2: false, tls: {{ {self.pair("ec")} }} }}
  - {{ name: modern, address: "127.0.0.1:0", tls: {{ {self.pair("ec")}, min_version: "1.3" }} }}
  - {{ name: mutual, address: "127.0.0.1:0", tls: {{ {self.pair("ec")}, client_ca: "{ca}" }} }}
routes:
  - {{ path: /socket, cache: false, upgrade: [websocket] }}
  - {{ path: /events, cache: false }}
  - {{ path: /** }}
"""


SERVER = Edge
