"""Origins over TLS: nginx, Apache httpd, Node.js and openssl s_server behind Forebay, with certificates of a CA that
this test makes: good ones, and such as have to be refused.

    python3 tests/origins/tls_test.py build/asan/forebay
"""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading

import processes
from server import require

NODE = """\
const https = require('https'), fs = require('fs'), crypto = require('crypto');
const [port, cert, key] = process.argv.slice(2);
https.createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) }, (q, r) => {
  if (q.url == '/chunked') { r.write('one '); setImmediate(() => r.end('two')); return; }
  if (q.url == '/to-the-end') {
    r.useChunkedEncodingByDefault = false; r.shouldKeepAlive = false; r.write('until '); r.end('close'); return;
  }
  const body = 'node ' + q.method + ' ' + q.socket.getProtocol() + ' ' + q.socket.servername;
  r.setHeader('Content-Length', body.length);
  q.resume(); q.on('end', () => r.end(body));
}).on('upgrade', (q, s) => {
  const accept = crypto.createHash('sha1').update(q.headers['sec-websocket-key'] +
    '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64');
  s.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n' +
    'Sec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  s.on('data', d => s.write(d)); s.on('end', () => s.end());
}).listen(+port, '127.0.0.1');
"""

APACHE_MODULES = ["mpm_event", "authz_core", "unixd", "mime", "ssl", "socache_shmcb"]
APACHE_PLACES = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/libexec/apache2"]


class Authority:
    """A CA, and what it signs."""

    def __init__(self, where, name):
        self.where, self.name = where, name
        self.run("req", "-x509", *self.key(), "-days", "30", "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out",
                 f"{name}.pem")

    def run(self, *arguments):
        done = subprocess.run(["openssl", *arguments], cwd=self.where, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise processes.Failed(f"openssl {' '.join(arguments)}:\n{done.stderr}")

    @staticmethod
    def key():
        return ["-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]

    def sign(self, name, alternatives, *dates):
        (self.where / f"{name}.ext").write_text(f"subjectAltName={alternatives}\n")
        self.run("req", "-new", *self.key(), "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")
        if not dates:
            self.run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{self.name}.pem", "-CAkey", f"{self.name}.key",
                     "-CAcreateserial", "-days", "20", "-extfile", f"{name}.ext", "-out", f"{name}.pem")
            return
        # Dates of the past are for `openssl ca` alone.
        index, serial = self.where / "index.txt", self.where / "serial"
        index.write_text("")
        serial.write_text(os.urandom(8).hex() + "\n")
        (self.where / "ca.cnf").write_text(
            f"[ca]\ndefault_ca=d\n[d]\ndatabase={index}\nserial={serial}\nnew_certs_dir={self.where}\n"
            "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        self.run("ca", "-batch", "-config", "ca.cnf", "-cert", f"{self.name}.pem", "-keyfile", f"{self.name}.key",
                 "-startdate", dates[0], "-enddate", dates[1], "-extfile", f"{name}.ext", "-in", f"{name}.csr", "-out",
                 f"{name}.pem", "-notext")


class Peer:
    """A server on a thread, for what servers of others do not do: it accepts and calls `serve` for each connection."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.serve, self.heard = serve, b""
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            try:
                self.serve(self, connection)
            except OSError:
                pass
            finally:
                connection.close()


def truncated(context):
    """Answers without a length, and ends the connection without close_notify."""
    def serve(_, connection):
        secure = context.wrap_socket(connection, server_side=True, do_handshake_on_connect=True)
        secure.recv(65536)
        secure.sendall(b"HTTP/1.1 200 OK\r\nCache-Control: max-age=600\r\n\r\nhalf of it")
        raw = socket.socket(fileno=secure.detach())
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(65536):
            pass
        raw.close()
    return serve


def plain(peer, connection):
    """Speaks plain HTTP, and remembers what it hears."""
    heard = connection.recv(65536)
    peer.heard += heard
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


class Bench:
    """All servers, and Forebay before them."""

    def __init__(self, forebay, where):
        self.forebay, self.where = forebay, where
        self.running = []
        self.nginx, self.node = require("nginx"), require("node")
        self.apache = require("apache2", "httpd")
        for folder in ("run", "www"):
            (where / folder).mkdir()
        (where / "www/index.html").write_text("apache")
        self.ca = Authority(where, "ca")
        self.other = Authority(where, "stranger")
        self.ca.sign("good", "DNS:localhost,IP:127.0.0.1")
        self.ca.sign("wild", "DNS:*.internal.test")
        self.ca.sign("name", "DNS:other.test")
        self.ca.sign("expired", "DNS:localhost", "20200101000000Z", "20200201000000Z")
        self.ca.sign("future", "DNS:localhost", "20490101000000Z", "20490201000000Z")
        self.other.sign("unknown", "DNS:localhost")
        self.ca.run("req", "-x509", *self.ca.key(), "-days", "30", "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", "self.key", "-out", "self.pem")
        self.ca.sign("me", "DNS:forebay.test")

    def port(self):
        return processes.free_port()

    def start(self, command, log, ports, **more):
        process = processes.Process(command, self.where / log, cwd=self.where, **more)
        self.running.append(process)

        def listens():
            try:
                for port in ports:
                    socket.create_connection(("127.0.0.1", port), 5).close()
            except OSError:
                return not process.running
            return True
        processes.until(listens, log)
        if not process.running:
            raise processes.Failed(f"{command[0]} does not start:\n{process.said()}")
        return process

    def start_nginx(self):
        kinds = {name: (name, "TLSv1.2 TLSv1.3", "") for name in
                 ("good", "wild", "name", "expired", "future", "unknown", "self")}
        kinds["tls12"] = ("good", "TLSv1.2", "")
        kinds["tls11"] = ("good", "TLSv1.1", "ssl_ciphers ALL:@SECLEVEL=0;")
        kinds["mutual"] = ("good", "TLSv1.2 TLSv1.3", f"ssl_verify_client on; ssl_client_certificate {self.where}/ca.pem;")
        self.ports = {kind: self.port() for kind in kinds}
        servers = "".join(f"""
  server {{
    listen 127.0.0.1:{self.ports[kind]} ssl;
    ssl_certificate {self.where}/{cert}.pem; ssl_certificate_key {self.where}/{cert}.key;
    ssl_protocols {versions}; ssl_session_cache shared:{kind}:1m; {more}
    location / {{
      add_header X-Reused "$ssl_session_reused";
      add_header X-Connection "$connection";
      return 200 "nginx $ssl_protocol $ssl_server_name $ssl_client_verify $http_x_forwarded_proto";
    }}
    location /once/ {{ keepalive_timeout 0; add_header X-Reused "$ssl_session_reused"; return 200 "once"; }}
  }}""" for kind, (cert, versions, more) in kinds.items())
        user = "user root;" if os.geteuid() == 0 else ""
        (self.where / "nginx.conf").write_text(f"""\
daemon off;
pid run/nginx.pid;
error_log run/nginx-error.log;
{user}
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path run/b; proxy_temp_path run/p; fastcgi_temp_path run/f; uwsgi_temp_path run/u;
  scgi_temp_path run/s;{servers}
}}
""")
        self.web = self.start([self.nginx, "-p", str(self.where), "-c", "nginx.conf"], "nginx.log", self.ports.values())

    def start_apache(self):
        port = self.ports["apache"] = self.port()
        place = next(each for each in APACHE_PLACES if os.path.isdir(each))
        modules = "".join(f"LoadModule {name}_module {place}/mod_{name}.so\n" for name in APACHE_MODULES
                          if os.path.exists(f"{place}/mod_{name}.so"))
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        (self.where / "apache.conf").write_text(f"""\
ServerName localhost
ServerRoot {self.where}
Listen 127.0.0.1:{port}
PidFile run/apache.pid
ErrorLog run/apache-error.log
DefaultRuntimeDir run
Mutex posixsem
{modules}{user}TypesConfig /dev/null
DocumentRoot {self.where}/www
SSLEngine on
SSLProtocol TLSv1.2 TLSv1.3
SSLCertificateFile {self.where}/good.pem
SSLCertificateKeyFile {self.where}/good.key
SSLCACertificateFile {self.where}/ca.pem
SSLVerifyClient require
<Directory {self.where}/www>
  Require all granted
</Directory>
""")
        self.start([self.apache, "-X", "-f", str(self.where / "apache.conf")], "apache.log", [port])

    def start_others(self):
        (self.where / "node.js").write_text(NODE)
        port = self.ports["node"] = self.port()
        self.start([self.node, "node.js", str(port), "good.pem", "good.key"], "node.log", [port])
        port = self.ports["s_server"] = self.port()
        self.start(["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", "good.pem", "-key", "good.key",
                    "-www", "-tls1_3"], "s_server.log", [port])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.where / "good.pem", self.where / "good.key")
        self.peers = {"truncated": Peer(truncated(context)), "plain": Peer(plain)}
        self.ports.update({name: peer.port for name, peer in self.peers.items()})

    def configuration(self, ca="ca.pem"):
        mine = f"cert: {self.where}/me.pem, key: {self.where}/me.key"
        more = {"wild": ', sni: "www.internal.test"', "mutual": f", {mine}", "apache": f", {mine}"}
        origins = "".join(
            f'  {kind}: {{ url: "https://localhost:{port}", retries: 0, tls: {{ ca: {self.where}/{ca}{more.get(kind, "")} }} }}\n'
            for kind, port in self.ports.items())
        origins += "".join(f'  {name}: {{ url: "https://{host}:{self.ports[kind]}", retries: 0, tls: {{ {tls} }} }}\n'
                           for name, host, kind, tls in (
                               ("address", "127.0.0.1", "good", f"ca: {self.where}/ca.pem"),
                               ("unverified", "localhost", "expired", "verify: false"),
                               ("pinned", "localhost", "self", f"ca: {self.where}/self.pem"),
                               ("nocert", "localhost", "apache", f"ca: {self.where}/ca.pem"),
                               ("only13", "localhost", "tls12", f'ca: {self.where}/ca.pem, min_version: "1.3"'),
                               ("system", "localhost", "good", "verify: true")))
        names = [*self.ports, "address", "unverified", "pinned", "nocert", "only13", "system"]
        routes = "".join(f"  - {{ name: {name}, path: /{name}/**, origin: {name}, cache: false, upgrade: [websocket], "
                         f"rewrite: {{ strip_prefix: /{name} }} }}\n" for name in names)
        stored = "  - { name: stored, path: /stored/**, origin: truncated, close_delimited: store }\n"
        return (f"listen: 127.0.0.1:0\nadmin: {{ listen: 127.0.0.1:0 }}\nserver: {{ threads: 2 }}\n"
                f"log: {{ access: {{ output: access.log, format: json, flush: 10ms }} }}\n"
                f"origins:\n{origins}origin: good\nroutes:\n{routes}{stored}")

    def start_forebay(self):
        (self.where / "forebay.yaml").write_text(self.configuration())
        ports = self.where / "ports"
        self.daemon = processes.Process([self.forebay, "run", "-c", "forebay.yaml", "--port-file", str(ports)],
                                        self.where / "forebay.log", cwd=self.where)
        self.running.append(self.daemon)
        processes.until(lambda: not self.daemon.running or ports.exists(), "the daemon")
        if not self.daemon.running:
            raise processes.Failed(self.daemon.said())
        found = dict(line.rsplit(" ", 1) for line in ports.read_text().splitlines())
        self.admin = int(found.pop("admin"))
        self.front = int(next(iter(found.values())))

    def stop(self):
        status = self.daemon.stop() if hasattr(self, "daemon") else 0
        for process in self.running[::-1]:
            process.stop()
        for peer in getattr(self, "peers", {}).values():
            peer.listener.close()
        return status

    def get(self, path, method="GET", body=None, fields=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.front, timeout=60)
        try:
            connection.request(method, path, body=body, headers=fields or {})
            answer = connection.getresponse()
            try:
                answer.text = answer.read().decode()
                answer.whole = True
            except (http.client.IncompleteRead, ConnectionError) as error:
                answer.text = getattr(error, "partial", b"").decode()
                answer.whole = False
            return answer
        finally:
            connection.close()

    def metric(self, name, **labels):
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=60)
        connection.request("GET", "/metrics")
        total = 0.0
        for line in connection.getresponse().read().decode().splitlines():
            if line.startswith(name + "{") and all(f'{key}="{value}"' in line for key, value in labels.items()):
                total += float(line.rsplit(" ", 1)[1])
        connection.close()
        return total

    def logged(self, path):
        """The last line of the access log about this path."""
        def found():
            lines = [json.loads(line) for line in (self.where / "access.log").read_text().splitlines()]
            return [line for line in lines if line.get("target", line.get("path")) == path]
        return processes.until(found, f"a line about {path}")[-1]

    def reload(self, configuration):
        before = self.metric("forebay_config_reloads_total")
        (self.where / "forebay.yaml").write_text(configuration)
        self.daemon.process.send_signal(signal.SIGHUP)
        processes.until(lambda: self.metric("forebay_config_reloads_total") > before, "the reload")


CASES = []


def case(function):
    CASES.append(function)
    return function


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


@case
def good_certificates(bench):
    """nginx, Apache httpd, Node.js and s_server are reached by a name, a wildcard and an address."""
    for path, wanted in (("/good/", "nginx TLSv1.3 localhost"), ("/tls12/", "nginx TLSv1.2 localhost"),
                         ("/wild/", "nginx TLSv1.3 www.internal.test"), ("/address/", "nginx TLSv1.3  "),
                         ("/node/", "node GET TLSv1.3 localhost"), ("/apache/index.html", "apache"),
                         ("/s_server/", "TLSv1.3"), ("/unverified/", "nginx"), ("/pinned/", "nginx")):
        answer = bench.get(path)
        expect(answer.status == 200 and wanted in answer.text, f"{path}: {answer.status} {answer.text[:200]}")


@case
def bad_certificates(bench):
    """What has to be refused is a 502 without the reason, which stands in the log and the metrics."""
    for kind, wanted in (("name", 'its certificate is not for "localhost"'), ("expired", "its certificate has expired"),
                         ("future", "its certificate is not valid yet"),
                         ("self", "its certificate is self-signed, and not a trusted one"),
                         ("unknown", "the issuer of its certificate is not trusted"),
                         ("system", "the issuer of its certificate is not trusted"),
                         ("tls11", "it has no version of TLS in common with us"),
                         ("only13", "it has no version of TLS in common with us"),
                         ("nocert", 'it refuses with the alert "certificate required"'),
                         ("plain", "it speaks HTTP without TLS")):
        answer = bench.get(f"/{kind}/secret")
        expect(answer.status == 502, f"{kind}: {answer.status} {answer.text[:200]}")
        expect("The TLS handshake with the origin failed." in answer.text, answer.text)
        line = bench.logged(f"/{kind}/secret")
        origin = line.get("origin", line)
        said = origin.get("detail", line.get("origin.detail"))
        error = origin.get("error", line.get("origin.error"))
        expect(error == "tls" and wanted in said, f"{kind}: {line}")
        expect(bench.metric("forebay_origin_errors_total", origin=kind, reason="tls") == 1, kind)
    expect(b"secret" not in bench.peers["plain"].heard and bench.peers["plain"].heard[:1] == b"\x16",
           bench.peers["plain"].heard)


@case
def certificates_of_ours(bench):
    """An origin that asks for a certificate gets ours."""
    expect("SUCCESS" in bench.get("/mutual/").text, bench.get("/mutual/").text)
    expect(bench.get("/apache/index.html").text == "apache", "apache")


@case
def connections_are_kept(bench):
    """A connection is used again, and the scheme that the origin hears of is the client's."""
    for kind in ("good", "tls12", "node"):
        for _ in range(20):
            bench.get(f"/{kind}/")
        connects = bench.metric("forebay_origin_connects_total", origin=kind)
        expect(connects <= 3, f"{kind}: {connects} connections")
    expect(bench.get("/good/").text.endswith(" http"), bench.get("/good/").text)


@case
def sessions_are_resumed(bench):
    """A new connection resumes a session of TLS 1.2 and 1.3."""
    for kind in ("good", "tls12"):
        answers = [bench.get(f"/{kind}/once/").getheader("X-Reused") for _ in range(8)]
        expect(answers.count("r") >= 5, f"{kind}: {answers}")
        resumed = bench.metric("forebay_origin_tls_handshakes_total", origin=kind, result="resumed")
        expect(resumed >= 5, f"{kind}: {resumed}")
    expect(bench.metric("forebay_origin_tls_handshakes_total", origin="name", result="certificate") >= 1, "name")


@case
def bodies(bench):
    """Content by length, by chunks and to the end of the connection; and content of requests."""
    expect(bench.get("/node/chunked").text == "one two", "chunked")
    answer = bench.get("/node/to-the-end")
    expect(answer.text == "until close" and answer.whole, answer.text)
    expect(bench.get("/node/", "POST", b"x" * 300000).text.startswith("node POST"), "POST")


@case
def cut_answers(bench):
    """An answer that ends without close_notify is cut for the client too, and is not stored."""
    for path in ("/truncated/", "/stored/a", "/stored/a"):
        answer = bench.get(path)
        expect(answer.status == 200 and answer.text == "half of it" and not answer.whole, f"{path}: {answer.text}")
    expect(bench.metric("forebay_origin_errors_total", origin="truncated", reason="reset") == 3, "counted")


@case
def websockets(bench):
    """A WebSocket to an https origin."""
    with socket.create_connection(("127.0.0.1", bench.front), 60) as client:
        client.sendall(b"GET /node/ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        heard = b""
        while b"\r\n\r\n" not in heard:
            more = client.recv(65536)
            expect(more, heard)
            heard += more
        expect(heard.startswith(b"HTTP/1.1 101 "), heard)
        frame = b"\x81\x85\x01\x02\x03\x04" + bytes(a ^ b for a, b in zip(b"hello", b"\x01\x02\x03\x04\x01"))
        client.sendall(frame)
        back = b""
        while len(back) < len(frame):
            more = client.recv(65536)
            expect(more, back)
            back += more
        expect(back == frame, back)


@case
def probe(bench):
    """`check --probe` asks an https origin, and tells why it cannot."""
    for kind, wanted in (("good", "probed "), ("name", 'TLS: its certificate is not for "localhost"')):
        done = subprocess.run(
            [bench.forebay, "check", "-c", "-", "--probe", "--probe-path", "/a"], cwd=bench.where, capture_output=True,
            input=f"origins: {{ a: {{ url: 'https://localhost:{bench.ports[kind]}', tls: {{ ca: ca.pem }} }} }}\n"
                  "origin: a\ndefaults: { ttl: 60s }\n", text=True, timeout=600)
        said = done.stdout + done.stderr
        expect(wanted in said and (done.returncode == 0) == (kind == "good"), f"{done.returncode} {said}")


@case
def rotation(bench):
    """New certificates of an origin and a new CA: a reload reads the files again, and a bad file changes nothing."""
    expect(bench.get("/good/").status == 200, "before")
    bench.other.sign("good", "DNS:localhost,IP:127.0.0.1")
    bench.web.process.send_signal(signal.SIGHUP)
    processes.until(lambda: bench.get("/good/once/").status == 502, "the origin's new certificate")
    (bench.where / "broken.pem").write_text("nothing")
    bench.reload(bench.configuration("broken.pem"))
    expect(bench.metric("forebay_config_reloads_total", outcome="rejected") == 1, "rejected")
    expect("FB1021" in bench.daemon.said(), bench.daemon.said())
    (bench.where / "ca.pem").write_text((bench.where / "stranger.pem").read_text())
    bench.reload(bench.configuration())
    expect(bench.metric("forebay_config_reloads_total", outcome="applied") >= 1, bench.daemon.said())
    answer = bench.get("/good/once/")
    expect(answer.status == 200, f"{answer.status} {answer.text}")


def main():
    folder = processes.folder()
    where = pathlib.Path(folder.name)
    bench, failures = None, 0
    try:
        print(processes.output("openssl", "version").strip())
        bench = Bench(str(pathlib.Path(sys.argv[1]).resolve()), where)
        bench.start_nginx()
        bench.start_apache()
        bench.start_others()
        bench.start_forebay()
        for each in CASES:
            try:
                each(bench)
                print(f"ok   {each.__name__}")
            except (AssertionError, processes.Failed, OSError, http.client.HTTPException) as error:
                failures += 1
                print(f"FAIL {each.__name__}: {error!r}")
    except processes.Missing as error:
        print(error)
        return 1 if os.environ.get("FOREBAY_ORIGINS") == "required" else 77
    finally:
        status = bench.stop() if bench else 0
    said = bench.daemon.said()
    if status != 0 or re.search(r"Sanitizer|runtime error:", said):
        failures += 1
        print(f"FAIL the daemon ended with {status}")
    if failures:
        print(said)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
