#!/usr/bin/env python3
"""The run stage of the Dockerfile installs every package that the binary's shared libraries come from.

Usage: image_check.py DOCKERFILE FOREBAY. Meant for Debian 12, of which the image is made; elsewhere there is nothing to
compare.
"""

import pathlib
import re
import subprocess
import sys

# In debian:12-slim already, as dependencies of what every Debian has.
BASE = {"libc6", "libgcc-s1", "libstdc++6", "zlib1g"}
# Of builds for tests.
SANITIZERS = re.compile(r"lib(asan|ubsan|tsan|lsan)\.")


def main():
    dockerfile, binary = sys.argv[1], sys.argv[2]
    release = pathlib.Path("/etc/os-release")
    if not release.exists() or 'VERSION_ID="12"' not in release.read_text() or "ID=debian" not in release.read_text():
        print("this is not Debian 12: nothing to compare")
        return 0
    run_stage = pathlib.Path(dockerfile).read_text().rsplit("\nFROM ", 1)[1]
    listed = set(re.findall(r"^\s+(lib[a-z0-9.+-]+) \\$", run_stage, re.MULTILINE))
    for package in sorted(listed):
        depends = subprocess.run(["dpkg-query", "-W", "-f", "${Depends}", package], stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True).stdout
        listed.update(re.findall(r"(?:^|, )([a-z0-9.+-]+)", depends))
    out = subprocess.run(["ldd", binary], stdout=subprocess.PIPE, text=True, check=True).stdout
    # What only its libraries use comes with their packages.
    direct = subprocess.run(["readelf", "-d", binary], stdout=subprocess.PIPE, text=True, check=True).stdout
    needed = set(re.findall(r"\(NEEDED\).*\[(.+)\]", direct))
    wrong = 0
    for line in out.splitlines():
        library = re.match(r"\s+(\S+) => (\S+)", line)
        if not library or library.group(1) not in needed or SANITIZERS.match(library.group(1)):
            continue
        found = subprocess.run(["dpkg-query", "-S", "*/" + pathlib.Path(library.group(2)).name],
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        packages = {entry.split(":")[0] for entry in found.splitlines()}
        if not packages & (listed | BASE):
            print(f"{library.group(1)} is of {' or '.join(sorted(packages)) or 'no package'}, which the image does not have")
            wrong += 1
    return 1 if wrong else 0


sys.exit(main())
