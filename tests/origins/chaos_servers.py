"""nginx, Node.js and Apache httpd with the same answers, which can be killed, frozen and slowed."""

import http.client
import os
import signal
import time

import processes
import wire

COUNTS = {"object": 40, "live": 40, "large": 4}  # paths of each kind
LARGE_BYTES = 300_000

NODE = """\
const http = require('http'), fs = require('fs');
const [address, port, www, log] = process.argv.slice(2);
let delay = 0;
http.createServer((q, r) => {
  const [path, query] = q.url.split('?');
  if (path == '/delay') { delay = +query; r.end(); return; }
  r.setHeader('X-Server', 'node');
  const cached = path.startsWith('/object/');
  r.setHeader('Cache-Control', cached ? 'max-age=1, stale-if-error=600' : 'no-store');
  if (!cached && q.headers['x-id']) r.setHeader('X-Echo', q.headers['x-id']);
  if (q.method == 'POST') fs.appendFileSync(log, q.headers['x-id'] + '\\n');
  const body = q.method == 'POST' || path == '/health' ? Buffer.from('done') : fs.readFileSync(www + path);
  r.setHeader('Content-Length', body.length);
  q.resume();
  setTimeout(() => r.end(body), delay);
}).listen(+port, address);
"""

NGINX = """\
daemon off;
master_process off;
pid run/nginx.pid;
error_log run/nginx-error.log;
{user}
events {{ worker_connections 512; }}
http {{
  access_log off;
  log_format ids $http_x_id;
  client_body_temp_path run/b; proxy_temp_path run/p; fastcgi_temp_path run/f; uwsgi_temp_path run/u;
  scgi_temp_path run/s;
  server {{
    listen {address}:{port};
    root www;
    add_header X-Server nginx;
    location = /health {{ return 200 done; }}
    location / {{
      add_header X-Server nginx;
      add_header Cache-Control no-store;
      add_header X-Echo $http_x_id;
    }}
    location /object/ {{
      add_header X-Server nginx;
      add_header Cache-Control "max-age=1, stale-if-error=600";
    }}
    location = /post {{
      access_log nginx-posts ids;
      add_header X-Server nginx;
      add_header X-Echo $http_x_id;
      return 200 done;
    }}
  }}
}}
"""

APACHE_MODULES = ["mpm_event", "authz_core", "unixd", "mime", "headers", "rewrite", "log_forensic"]
APACHE_PLACES = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/libexec/apache2"]
# The forensic log has each request once its head has come.
APACHE = """\
ServerName localhost
ServerRoot {where}
Listen {address}:{port}
PidFile run/apache.pid
ErrorLog run/apache-error.log
DefaultRuntimeDir run
Mutex posixsem
{modules}{user}TypesConfig /dev/null
DocumentRoot {where}/www
ForensicLog apache-requests
ThreadsPerChild 64
MaxRequestWorkers 64
MaxKeepAliveRequests 0
KeepAliveTimeout 60
RewriteEngine On
RewriteRule ^/post$ - [R=204,L]
Header always set X-Server apache
Header always set Cache-Control no-store
Header always set X-Echo "expr=%{{req:X-Id}}"
<Directory {where}/www>
  Require all granted
</Directory>
<Location /object/>
  Header always set Cache-Control "max-age=1, stale-if-error=600"
  Header always unset X-Echo
</Location>
"""


def content(path):
    if path.startswith("/large/"):
        return (path.encode() * (LARGE_BYTES // len(path) + 1))[:LARGE_BYTES]
    return f"this is {path}\n".encode() * 40


class Server:
    """One of the three. It keeps its port over its deaths."""

    def __init__(self, bench, name):
        self.bench, self.name = bench, name
        self.address, self.port = processes.own_address()
        self.url = f"http://{self.address}:{self.port}"

    def start(self):
        # KILL ends it even while it is stopped.
        self.process = processes.Process(self.command(), self.bench.where / f"{self.name}.log", cwd=self.bench.where,
                                         parting=signal.SIGKILL)
        processes.until(lambda: self.answers() or not self.process.running, self.name)
        if not self.process.running:
            raise processes.Failed(f"{self.name} does not start:\n{self.process.said()}")

    def ask(self, target):
        connection = http.client.HTTPConnection(self.address, self.port, timeout=wire.PATIENCE)
        try:
            connection.request("GET", target)
            return connection.getresponse().read()
        finally:
            connection.close()

    def answers(self):
        try:
            return self.ask("/health") is not None
        except OSError:
            return False

    def signal(self, number):
        os.killpg(self.process.process.pid, number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.process.wait()

    def stop(self):
        if hasattr(self, "process") and self.process.running:
            self.signal(signal.SIGCONT)
            self.process.stop()

    def slow(self, seconds):
        """It works half of the time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.signal(signal.SIGSTOP)
            time.sleep(0.06)
            self.signal(signal.SIGCONT)
            time.sleep(0.06)

    def posts(self):
        """The ids of the POSTs that it got."""
        log = self.bench.where / f"{self.name}-posts"
        return log.read_text().split() if log.exists() else []


class Nginx(Server):
    def command(self):
        user = "user root;" if os.geteuid() == 0 else ""
        (self.bench.where / "nginx.conf").write_text(NGINX.format(address=self.address, port=self.port, user=user))
        return [self.bench.programs["nginx"], "-p", str(self.bench.where), "-c", "nginx.conf", "-e",
                "run/nginx-error.log"]


class Node(Server):
    def command(self):
        (self.bench.where / "node.js").write_text(NODE)
        return [self.bench.programs["node"], "node.js", self.address, str(self.port), "www", "node-posts"]

    def slow(self, seconds):
        self.ask("/delay?300")
        time.sleep(seconds)
        self.ask("/delay?0")


class Apache(Server):
    def command(self):
        where = self.bench.where
        place = next((each for each in APACHE_PLACES if os.path.isdir(each)), None)
        if not place:
            raise processes.Missing("the modules of Apache httpd are not installed")
        modules = "".join(f"LoadModule {name}_module {place}/mod_{name}.so\n" for name in APACHE_MODULES
                          if os.path.exists(f"{place}/mod_{name}.so"))
        user = "User www-data\nGroup www-data\n" if os.geteuid() == 0 else ""
        (where / "apache.conf").write_text(APACHE.format(where=where, address=self.address, port=self.port,
                                                         modules=modules, user=user))
        (where / "run/apache.pid").unlink(missing_ok=True)
        return [self.bench.programs["apache"], "-X", "-f", str(where / "apache.conf")]

    def posts(self):
        found = []
        for line in (self.bench.where / "apache-requests").read_text(errors="replace").splitlines():
            if line.startswith("+") and "|POST " in line:
                found += [field.partition(":")[2] for field in line.split("|") if field.lower().startswith("x-id:")]
        return found
