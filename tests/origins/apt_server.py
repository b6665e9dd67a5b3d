"""A mirror of Debian packages: files that nginx serves, as it comes. Forebay has the first configuration of the recipe, and apt-get has
roots of its own."""

import email.utils
import hashlib
import os
import pathlib
import shutil
import subprocess
import time

import processes
from nginx_server import Nginx
from server import recipe, require

CONFIGURATION = """\
daemon off;
worker_processes 1;
pid run/nginx.pid;
error_log run/error.log;
{user}
events {{ worker_connections 512; }}
http {{
  default_type application/octet-stream;
  log_format request escape=json '{{"method":"$request_method","target":"$request_uri","status":$status,'
    '"headers":{{"via":"$http_via","if-modified-since":"$http_if_modified_since"}}}}';
  access_log requests request;
  client_body_temp_path run/body;
  proxy_temp_path run/proxy;
  fastcgi_temp_path run/fastcgi;
  uwsgi_temp_path run/uwsgi;
  scgi_temp_path run/scgi;
  server {{ listen 127.0.0.1:{port}; root www; }}
}}
"""

# {root} is a folder; nothing of the machine's own configuration is read.
APT_CONF = """\
Dir "{root}/";
Dir::Bin::Methods "/usr/lib/apt/methods";
Dir::State::Status "{root}/status";
APT::Sandbox::User "";
APT::Architecture "amd64";
Acquire::Languages "none";
Acquire::Retries "0";
Acquire::http::Proxy::127.0.0.1 "DIRECT";
Acquire::By-Hash "{by_hash}";
Debug::NoLocking "true";
"""


class Apt(Nginx):
    name = "apt"

    def __init__(self, where):
        self.apt, self.dpkg_deb = require("apt-get"), require("dpkg-deb")
        super().__init__(where)

    def version(self):
        return f"{processes.output(self.apt, '--version').splitlines()[0]}, {super().version()}"

    def launch(self):
        return self.nginx(CONFIGURATION.format(port=self.port, user=self.user()))

    def configuration(self):
        return recipe("package-mirrors.md", self.port)

    def package(self, mirror, version, age):
        """Puts teacosy_VERSION into the pool of a mirror and makes its indexes anew, changed `age` seconds ago."""
        made = self.where / f"package-{mirror}-{version}"
        (made / "DEBIAN").mkdir(parents=True)
        (made / "DEBIAN/control").write_text(
            f"Package: teacosy\nVersion: {version}\nArchitecture: all\nMaintainer: Tea <tea@shop.test>\nDescription: A cosy\n")
        file = f"pool/t/teacosy_{version}_all.deb"
        subprocess.run([self.dpkg_deb, "--root-owner-group", "-b", str(made), str(made) + ".deb"], check=True,
                       stdout=subprocess.DEVNULL)
        content = pathlib.Path(str(made) + ".deb").read_bytes()
        packages = ((made / "DEBIAN/control").read_text() + f"Filename: {file}\nSize: {len(content)}\n"
                    f"SHA256: {hashlib.sha256(content).hexdigest()}\n")
        digest = hashlib.sha256(packages.encode()).hexdigest()
        index = "dists/stable/main/binary-amd64"
        date = email.utils.formatdate(time.time() - age, usegmt=True)
        release = (f"Suite: stable\nCodename: stable\nArchitectures: amd64 all\nComponents: main\nAcquire-By-Hash: yes\nDate: {date}\n"
                   f"SHA256:\n {digest} {len(packages)} main/binary-amd64/Packages\n")
        for name, what in ((file, content), (f"{index}/by-hash/SHA256/{digest}", packages), (f"{index}/Packages", packages),
                           ("dists/stable/Release", release)):
            self.put(f"{mirror}/{name}", what, age)


class Machine:
    """A root for apt-get, with the mirror as its only source."""

    def __init__(self, t, name, by_hash="yes"):
        self.root = t.server.where / f"root-{t.name}-{name}"
        self.apt = t.server.apt
        for each in ("etc/apt/apt.conf.d", "etc/apt/preferences.d", "etc/apt/sources.list.d", "etc/apt/trusted.gpg.d", "work",
                     "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/log/apt"):
            (self.root / each).mkdir(parents=True)
        (self.root / "status").touch()
        (self.root / "apt.conf").write_text(APT_CONF.format(root=self.root, by_hash=by_hash))
        (self.root / "etc/apt/sources.list").write_text(
            f"deb [trusted=yes] http://127.0.0.1:{t.daemon.port}/{t.name} stable main\n")

    def run(self, *words):
        done = subprocess.run([self.apt, *words], cwd=self.root / "work", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=processes.PATIENCE,
                              env={"PATH": os.environ["PATH"], "LC_ALL": "C", "APT_CONFIG": str(self.root / "apt.conf")})
        # apt-get update ends with 0 where an index could not be fetched.
        if done.returncode != 0 or "Err:" in done.stdout or "\nW:" in done.stdout:
            raise processes.Failed(f"apt-get {' '.join(words)} ends with {done.returncode}:\n{done.stdout}")
        return done.stdout

    def update(self):
        """What apt then takes for the newest version, after it has downloaded it."""
        self.run("update")
        shutil.rmtree(self.root / "work")
        (self.root / "work").mkdir()
        self.run("download", "teacosy")
        return [each.name.split("_")[1] for each in (self.root / "work").glob("*.deb")]
