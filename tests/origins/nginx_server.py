"""nginx: static files, gzip with gzip_vary, precompressed files, WebDAV for writes, and answers that show the request."""

import json

import processes
import wire
from server import Server, require

FIELDS = ["via", "host", "accept-encoding", "if-none-match", "if-modified-since", "if-match", "if-unmodified-since",
          "if-range", "range", "authorization", "cookie", "origin", "expect", "x-tenant", "x-api-key", "x-real-ip",
          "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port", "x-forwarded-server",
          "x-original-url", "x-rewrite-url", "x-http-method-override", "forwarded", "true-client-ip"]

CONFIGURATION = """\
daemon off;
worker_processes 1;
pid run/nginx.pid;
error_log run/error.log;
{user}
events {{ worker_connections 512; }}
http {{
  types {{ text/html html; text/plain txt; text/css css; application/json json; application/octet-stream bin; }}
  default_type application/octet-stream;
  log_format request escape=json '{{"method":"$request_method","target":"$request_uri","sent":$body_bytes_sent,'
    '"headers":{{{fields}}}}}';
  access_log requests request;
  client_body_temp_path run/body;
  proxy_temp_path run/proxy;
  fastcgi_temp_path run/fastcgi;
  uwsgi_temp_path run/uwsgi;
  scgi_temp_path run/scgi;
  charset utf-8;
  gzip on;
  gzip_vary on;
  gzip_proxied any;
  gzip_min_length 20;
  gzip_types text/plain text/css application/json;
  underscores_in_headers on;
  server {{
    listen 127.0.0.1:{port};
    root www;
    # Answers state ten minutes, or one second while a file NAME.short stands beside the file.
    set $lifetime "max-age=600";
    if (-f $request_filename.short) {{ set $lifetime "max-age=1"; }}
    location / {{ add_header Cache-Control $lifetime; }}
    # gzip -k beside the files.
    location /static/ {{ gzip_static on; add_header Cache-Control $lifetime; }}
    # Validated by Last-Modified alone.
    location /dated/ {{ etag off; add_header Cache-Control $lifetime; }}
    # Neither Last-Modified nor ETag.
    location /bare/ {{ etag off; add_header Last-Modified ""; add_header Cache-Control $lifetime; }}
    # As many have it: compressed, and nothing said of that.
    location /novary/ {{ gzip_vary off; add_header Cache-Control $lifetime; }}
    # As nginx is without a line about proxies: nothing that carries Via is compressed.
    location /squeezed/ {{ gzip_proxied off; add_header Cache-Control $lifetime; }}
    location /squeezed-private/ {{ add_header Cache-Control private; }}
    # expires writes both Expires and Cache-Control.
    location /expires/ {{ expires 10m; }}
    location /private/ {{ add_header Cache-Control private; }}
    location /silent/ {{ }}
    location /silent/denied/ {{ deny all; }}
    location /written/ {{
      add_header Cache-Control $lifetime;
      dav_methods PUT DELETE;
      create_full_put_path on;
      client_max_body_size 100k;
    }}
    location = /key {{ return 200 "key:$http_x_api_key auth:$http_authorization cookie:$http_cookie $args\\n"; }}
    location = /login {{
      if ($http_cookie ~ "session=") {{ return 200 "welcome $http_cookie\\n"; }}
      return 200 "please log in\\n";
    }}
    location = /link {{
      add_header Cache-Control "max-age=600";
      set $link "$http_x_forwarded_proto://$http_x_forwarded_host:$http_x_forwarded_port$http_x_forwarded_prefix";
      return 200 "$link to $http_x_original_url$http_x_rewrite_url by $http_x_forwarded_server ($http_forwarded)\\n";
    }}
    # Chosen by fields that a proxy writes.
    location = /scheme {{
      add_header Cache-Control "max-age=600";
      add_header Vary "X-Forwarded-Proto";
      return 200 "by $http_x_forwarded_proto\\n";
    }}
    location = /address {{
      add_header Cache-Control "max-age=600";
      add_header Vary "X-Forwarded-For";
      return 200 "from $http_x_forwarded_for\\n";
    }}
  }}
}}
"""


class Nginx(Server):
    name = "nginx"
    routes = """\
  - { name: writes, path: /written/**, methods: [PUT, DELETE], cache: false }
  - { name: set, path: /silent/**, ttl: 60s }
  - { name: key, path: /key, ttl: 60s }
  - { name: login, path: /login, ttl: 60s }
  - { name: squeezed, path: /squeezed/**, compress: [zstd, br, gzip] }
  - { name: squeezed-private, path: /squeezed-private/**, compress: [zstd, br, gzip] }
  - { path: /** }
"""

    def __init__(self, where):
        super().__init__(where)
        self.program = require("nginx")

    def version(self):
        return processes.output(self.program, "-v").strip()

    def launch(self):
        fields = ",".join(f'"{name}":"$http_{name.replace("-", "_")}"' for name in FIELDS)
        return self.nginx(CONFIGURATION.format(fields=fields, port=self.port, user=self.user()))

    @staticmethod
    def user():
        """A line for the configuration: as root nginx would become another user, to whom the folder does not belong."""
        return "user root;" if processes.os.geteuid() == 0 else ""

    def nginx(self, configuration):
        (self.where / "nginx.conf").write_text(configuration)
        return processes.Process([self.program, "-p", str(self.where), "-c", "nginx.conf", "-e", "run/error.log"],
                                 self.where / "log")

    def configuration(self):
        return f"""\
origin: http://127.0.0.1:{self.port}
server: {{ trusted_proxies: [127.0.0.0/8] }}
routes:
{self.routes}"""

    def settle(self):
        # One process with one loop: when this request is in the record, all that were answered before it are.
        mark = f"/ready.txt?{processes.os.urandom(8).hex()}"
        wire.ask(self.port, "GET", mark)
        processes.until(lambda: self.came(mark), "nginx's record")

    def read(self, line):
        request = json.loads(line)
        # nginx has no word for "absent".
        request["headers"] = {name: value for name, value in request["headers"].items() if value}
        return request
