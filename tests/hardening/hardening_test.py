#!/usr/bin/env python3
"""Checks by readelf that a binary was built with the flags of cmake/hardening.cmake:

    hardening_test.py BINARY [--fortify] [--cet]

--fortify: an optimised build without sanitizers, which calls the checked forms of libc. --cet: a build for x86. What is
not asked for is said to be skipped. Ends with 1 when something is missing.
"""

import argparse
import re
import subprocess
import sys


def readelf(binary, *options):
    return subprocess.run(["readelf", "-W", *options, binary], check=True, capture_output=True, text=True).stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--fortify", action="store_true")
    parser.add_argument("--cet", action="store_true")
    args = parser.parse_args()

    header = readelf(args.binary, "--file-header")
    segments = readelf(args.binary, "--program-headers")
    dynamic = readelf(args.binary, "--dynamic")
    symbols = readelf(args.binary, "--dyn-syms")
    sections = readelf(args.binary, "--section-headers")

    def flags(segment):
        """The permissions of all segments of this kind, such as {"RW "}."""
        return {m.group(1).replace(" ", "") for m in
                re.finditer(rf"^\s*{segment}(?:\s+0x[0-9a-f]+){{5}}\s+([R ][W ][E ])", segments, re.M)}

    def landing_pads():
        """How many functions begin with ENDBR64 or ENDBR32. (The note that turns CET on is the system's startup files' to
        give: without theirs the linker leaves it out.)"""
        at, size = (int(n, 16) for n in re.search(
            r"\s\.text\s+PROGBITS\s+[0-9a-f]+\s+([0-9a-f]+)\s+([0-9a-f]+)", sections).groups())
        with open(args.binary, "rb") as file:
            file.seek(at)
            text = file.read(size)
        return text.count(b"\xf3\x0f\x1e\xfa") + text.count(b"\xf3\x0f\x1e\xfb")

    checks = [
        ("a position-independent executable",
         re.search(r"Type:\s+DYN", header) and re.search(r"FLAGS_1.*\bPIE\b", dynamic)),
        ("relocations are read-only", flags("GNU_RELRO")),
        ("all symbols are bound at start", re.search(r"\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*\bNOW\b", dynamic)),
        ("the stack is not executable", flags("GNU_STACK") == {"RW"}),
        ("no segment is writable and executable", flags("LOAD") and "RWE" not in flags("LOAD")),
        ("no library path of the build", not re.search(r"\((RPATH|RUNPATH)\)", dynamic)),
        ("stack canaries", "__stack_chk_fail" in symbols),
    ]
    if args.fortify:
        checks.append(("checked calls of libc", re.search(r"\b__(mem|str|v?s?n?printf|fdelt|read|recv|poll)\w*_chk\b", symbols)))
    if args.cet:
        checks.append(("CET: landing pads of indirect branches", landing_pads() > 100))

    failed = 0
    for what, holds in checks:
        print(f"{'ok  ' if holds else 'FAIL'}  {what}")
        failed += not holds
    for what, asked in (("checked calls of libc (not optimised, or a sanitizer)", args.fortify),
                        ("CET (not x86)", args.cet)):
        if not asked:
            print(f"skip  {what}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
