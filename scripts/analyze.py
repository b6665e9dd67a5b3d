#!/usr/bin/env python3
"""clang's analyses over src/, by the compile commands of build/analyze (scripts/analyze.sh makes them):

    analyze.py threads [FILE...]     -Wthread-safety
    analyze.py tidy [FILE...]        the checks of .clang-tidy

Without files it is every file. Ends with 1 when something is found.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "analyze"


def threads(command):
    words = re.sub(r" -o \S+ -c ", " -fsyntax-only -Wthread-safety -Werror=thread-safety ", command["command"])
    return subprocess.run(words, shell=True, cwd=command["directory"], capture_output=True, text=True)


def tidy(command):
    return subprocess.run(["clang-tidy", "--quiet", "-p", BUILD, command["file"]], capture_output=True, text=True)


def main():
    checks = {"threads": threads, "tidy": tidy}
    if len(sys.argv) < 2 or sys.argv[1] not in checks:
        print(__doc__, file=sys.stderr)
        return 2
    check = checks[sys.argv[1]]
    chosen = {str(pathlib.Path(f).resolve()) for f in sys.argv[2:]}
    commands = [c for c in json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
                if c["file"].startswith(f"{ROOT}/src/") and (not chosen or c["file"] in chosen)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS") or os.cpu_count())) as pool:
        for result in pool.map(check, commands):
            if result.returncode != 0:
                failed += 1
                print(result.stdout + result.stderr, flush=True)
    print(f"{sys.argv[1]}: {len(commands)} files, {failed} with findings")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
