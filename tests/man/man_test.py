#!/usr/bin/env python3
"""docs/man/forebay.1 says of every command and flag what the binary says of it:

    man_test.py BINARY [--write]

The page is made of `forebay help` and the tables of docs/operations.md; --write writes it anew. Where groff is installed,
it has no complaint about the page.
"""

import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/man/forebay.1"
SIGNALS = "## Signals"
EXIT_CODES = "## Exit codes"


def roff(text):
    """Text in which nothing means anything to roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "")
    return "\\&" + text if text[:1] in ".'" else text


def plain(markdown):
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", markdown).replace(", see below", "")


def help_of(binary, *words):
    done = subprocess.run([binary, "help", *words], capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def rows(lines, heading):
    """The lines below a heading of the help: the word and its text."""
    begin = lines.index(heading) + 1 if heading in lines else len(lines)
    for line in lines[begin:]:
        if not line.startswith("  "):
            return
        word, _, text = line.strip().partition("  ")
        yield word, text.strip()


def table(heading):
    """The rows of the table below a heading of docs/operations.md, without its head."""
    lines = (ROOT / "docs/operations.md").read_text().splitlines()
    below = lines[lines.index(heading) + 1:]
    found = [line for line in below[:next(i for i, l in enumerate(below) if l.startswith("## "))] if line.startswith("| ")]
    for line in found[2:]:
        yield [plain(cell.strip()) for cell in line.strip("| ").split(" | ", 1)]


def entry(word, text):
    return [".TP", f".B {roff(word)}", roff(text)]


def page(binary):
    out = ['.\\" Made by tests/man/man_test.py --write.', ".TH FOREBAY 1", ".SH NAME", "forebay \\- a caching reverse proxy",
           ".SH SYNOPSIS", ".B forebay", "[\\fICOMMAND\\fR] [\\fIOPTIONS\\fR]", ".SH DESCRIPTION",
           "Forebay stands in front of HTTP servers and answers from its store what may be reused, POST and GraphQL",
           "requests included. Without a command it runs the proxy, with the configuration of",
           ".BR \\-c ,", "$FOREBAY_CONFIG, ./forebay.yaml or /etc/forebay/forebay.yaml, or in front of one origin",
           "with", ".BR \\-\\-origin .", ".SH COMMANDS"]
    for command, text in rows(help_of(binary), "Subcommands:"):
        lines = help_of(binary, command)
        usage = next((line for line in lines if line.startswith("Usage: ")), "")
        out += [f".SS {roff(command)}", roff(text), ".PP", roff(usage.removeprefix("Usage: "))]
        for heading in ("Positionals:", "Options:"):
            for word, help_text in rows(lines, heading):
                if word != "-h,--help":
                    out += entry(word, help_text)
    out += [".SH EXIT STATUS"]
    for code, meaning in table(EXIT_CODES):
        out += entry(code, meaning)
    out += [".SH SIGNALS"]
    for signal, meaning in table(SIGNALS):
        out += entry(signal, meaning)
    out += [".SH ENVIRONMENT"]
    for name, text in (
            ("FOREBAY_CONFIG", "The configuration file."),
            ("FOREBAY_ORIGIN, FOREBAY_LISTEN, FOREBAY_TTL, FOREBAY_MEMORY, FOREBAY_ADMIN_LISTEN, FOREBAY_LOG_LEVEL, "
             "FOREBAY_LOG_FORMAT", "As the flags of run; flags beat them, and they beat the file."),
            ("FOREBAY_ADMIN", "Where commands find the admin listener of the running daemon."),
            ("FOREBAY_ADMIN_TOKEN, FOREBAY_ADMIN_TOKEN_FILE", "The token that commands show it, or a file with it."),
            ("FOREBAY_ADMIN_CA", "The authorities that its certificate is checked by."),
            ("NO_COLOR", "Switches colours off.")):
        out += entry(name, text)
    out += [".SH FILES", *entry("/etc/forebay/forebay.yaml", "The configuration where no other is named or found."),
            ".SH SEE ALSO", "The documentation in docs/ of the sources; forebay schema for the configuration's keys."]
    return "\n".join(out) + "\n"


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    made = page(binary)
    if "--write" in sys.argv:
        PAGE.write_text(made)
    written = PAGE.read_text() if PAGE.exists() else ""
    failed = written != made
    if failed:
        print("docs/man/forebay.1 is not what the binary says; write it anew by tests/man/man_test.py BINARY --write")
    # Without the page's own way of making it: each command and flag occurs.
    text = written.replace("\\-", "-")
    commands = [word for word, _ in rows(help_of(binary), "Subcommands:")]
    for command in commands:
        section = text.partition(f"\n.SS {command}\n")[2].partition("\n.S")[0]
        flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", "\n".join(help_of(binary, command)))) - {"--help"}
        missing = [flag for flag in sorted(flags) if flag not in section]
        if not section or missing:
            failed = True
            print(f"{command}: not in the page: {' '.join(missing) or 'the command'}")
    if len(commands) < 15:
        failed = True
        print("the help has hardly any commands")
    if shutil.which("groff"):
        groff = subprocess.run(["groff", "-man", "-Tutf8", "-ww", "-z", str(PAGE)], capture_output=True, text=True, timeout=60)
        if groff.returncode != 0 or groff.stderr:
            failed = True
            print(groff.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
