"""nginx with the lines of the recipe, and beside it servers of which some lines are missing. Forebay has the configuration of the
recipe."""

import re

import processes
from nginx_server import Nginx
from server import recipe, recipe_block

PAGE = "nginx-origin.md"

# What surrounds the server of the recipe. {bare} and {no_vary} are ports.
CONFIGURATION = """\
daemon off;
worker_processes 1;
pid run/nginx.pid;
error_log run/error.log;
{user}
events {{ worker_connections 512; }}
http {{
  types {{ text/html html; text/css css; text/plain txt; }}
  log_format request escape=json '{{"method":"$request_method","target":"$request_uri","address":"$remote_addr",'
    '"headers":{{"via":"$http_via","if-none-match":"$http_if_none_match"}}}}';
  access_log requests request;
  client_body_temp_path run/body;
  proxy_temp_path run/proxy;
  fastcgi_temp_path run/fastcgi;
  uwsgi_temp_path run/uwsgi;
  scgi_temp_path run/scgi;
{server}
  server {{
    listen 127.0.0.1:{bare};
    root www;
    gzip on;
    gzip_types text/css;
    location / {{ add_header Cache-Control "max-age=60"; }}
  }}
  server {{
    listen 127.0.0.1:{no_vary};
    root www;
    gzip on;
    gzip_proxied any;
    gzip_types text/css;
    location / {{ add_header Cache-Control "max-age=60"; }}
  }}
}}
"""


class NginxRecipe(Nginx):
    name = "nginx_recipe"

    def launch(self):
        self.bare, self.no_vary = processes.free_port(), processes.free_port()
        server = recipe_block(PAGE, "nginx").replace("listen 3000", f"listen 127.0.0.1:{self.port}")
        server = server.replace("/srv/www", str(self.files))
        return self.nginx(CONFIGURATION.format(server=server, user=self.user(), bare=self.bare, no_vary=self.no_vary))

    def configuration(self):
        text = recipe(PAGE, self.port)
        return re.sub("^routes:\n", f"""\
routes:
  - {{ path: /bare/**, origin: "http://127.0.0.1:{self.bare}" }}
  - {{ path: /no-vary/**, origin: "http://127.0.0.1:{self.no_vary}" }}
""", text, flags=re.M)
