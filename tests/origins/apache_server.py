"""Apache httpd 2.4: mod_deflate and mod_brotli with their suffixes of ETag, content negotiation, mod_expires,
mod_headers, AddDefaultCharset and WebDAV for writes."""

import os
import shutil
import urllib.parse

import processes
from server import Server, require

MODULES = ["mpm_event", "authz_core", "unixd", "mime", "dir", "env", "negotiation", "filter", "deflate", "brotli",
           "expires", "headers", "setenvif", "log_forensic", "dav", "dav_fs"]
PLACES = ["/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/libexec/apache2"]

CONFIGURATION = """\
ServerName shop.test
ServerRoot {where}
Listen 127.0.0.1:{port}
PidFile run/apache.pid
ErrorLog run/error.log
DefaultRuntimeDir run
Mutex posixsem
{modules}
ForensicLog requests
StartServers 1
ServerLimit 2
ThreadsPerChild 16
MaxRequestWorkers 32
MinSpareThreads 1
MaxSpareThreads 32
KeepAliveTimeout 60
TypesConfig /dev/null
AddType text/plain .txt
AddType text/html .html .shtml
AddType application/json .json
AddType application/octet-stream .bin
AddDefaultCharset utf-8
DocumentRoot {where}/www
DavLockDB run/DavLock
LimitRequestFields 200
<Directory {where}/www>
  Require all granted
  Options +FollowSymLinks
  FileETag MTime Size
  AddOutputFilterByType DEFLATE text/plain text/html application/json
  Header set Cache-Control "max-age=600"
  <If "-f '%{{REQUEST_FILENAME}}.short'">
    Header set Cache-Control "max-age=1"
  </If>
</Directory>
# WebDAV has its own way with GET of a file that is not there, so writes have a folder of their own.
<Directory {where}/www/dav>
  Dav On
</Directory>
<Directory {where}/www/br>
  SetOutputFilter BROTLI_COMPRESS;DEFLATE
</Directory>
# mod_expires writes Expires and Cache-Control.
<Directory {where}/www/expires>
  Header unset Cache-Control
  ExpiresActive On
  ExpiresByType text/plain "access plus 10 minutes"
  ExpiresByType application/octet-stream "access plus 10 minutes"
</Directory>
# Content negotiation: name.html is name.html.en, name.html.de, and what is compressed of them, name.html.en.gz.
<Directory {where}/www/multi>
  Options +MultiViews
  SetEnv no-gzip 1
  AddLanguage en .en
  AddLanguage de .de
  AddEncoding gzip .gz
  LanguagePriority en de
  ForceLanguagePriority Prefer Fallback
  <If "%{{REQUEST_FILENAME}} =~ m#^(.*)/[^/]*$# && -f '$1/page.short'">
    Header set Cache-Control "max-age=1"
  </If>
</Directory>
# The same where what no one accepts is 406 and what several do is 300.
<Directory {where}/www/strict>
  Options +MultiViews
  SetEnv no-gzip 1
  AddLanguage en .en
  AddLanguage de .de
  ForceLanguagePriority None
</Directory>
<Directory {where}/www/private>
  Header set Cache-Control private
</Directory>
<Directory {where}/www/limited>
  Dav On
  LimitRequestBody 100000
</Directory>
<Directory {where}/www/silent>
  Header unset Cache-Control
</Directory>
<Location /denied>
  Require all denied
</Location>
# The ETag of a compressed answer is that of the plain one, as httpd 2.2 had it; or there is none.
<VirtualHost *:{port}>
  ServerName shop.test
</VirtualHost>
<VirtualHost *:{port}>
  ServerName nochange.test
  DeflateAlterETag NoChange
</VirtualHost>
<VirtualHost *:{port}>
  ServerName noetag.test
  DeflateAlterETag Remove
</VirtualHost>
"""


class Apache(Server):
    name = "apache"
    routes = """\
  - { name: writes, path: /dav/**, methods: [PUT, DELETE], cache: false }
  - { name: silent, path: /silent/**, ttl: 60s }
  - { path: /denied/**, ttl: 60s }
  - { path: /** }
"""

    def __init__(self, where):
        self.program = require("apache2", "httpd")
        super().__init__(where)
        for folder in ("dav", "limited"):  # WebDAV writes into folders that are there
            (self.files / folder).mkdir()
            self.own(self.files / folder)

    def own(self, path):
        # As root it becomes this user; httpd refuses to be root.
        if os.geteuid() == 0:
            shutil.chown(path, "www-data", "www-data")

    def host(self, target):
        folder = target.split("/")[1]
        return f"{folder}.test" if folder in ("nochange", "noetag") else super().host(target)

    def alike(self, name, first, second):
        # httpd calls the ETag of what changed within the last second weak, and then strong.
        if name == "ETag" and first and second:
            return first.removeprefix("W/") == second.removeprefix("W/")
        return first == second

    def version(self):
        return processes.output(self.program, "-v").splitlines()[0].strip()

    def launch(self):
        place = next((place for place in PLACES if os.path.isdir(place)), None)
        if not place:
            raise processes.Missing("the modules of Apache httpd are not installed")
        modules = "\n".join(f"LoadModule {name}_module {place}/mod_{name}.so" for name in MODULES
                            if os.path.exists(f"{place}/mod_{name}.so"))  # the others are built in
        (self.where / "apache.conf").write_text(CONFIGURATION.format(where=self.where, port=self.port, modules=modules))
        self.own(self.where / "run")
        return processes.Process([self.program, "-f", str(self.where / "apache.conf"), "-DFOREGROUND"],
                                 self.where / "log", user="www-data")

    def configuration(self):
        return f"origin: http://127.0.0.1:{self.port}\nroutes:\n{self.routes}"

    def read(self, line):
        # mod_log_forensic writes a request down when its head has come: +ID|GET /path HTTP/1.1|Name:value|...
        if not line.startswith("+"):
            return None
        _, first, *fields = line.split("|")
        method, target, *_ = first.split(" ")
        pairs = (field.partition(":") for field in fields)
        return {"method": method, "target": target,
                "headers": {name.lower(): urllib.parse.unquote(value) for name, _, value in pairs}}
