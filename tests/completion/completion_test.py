#!/usr/bin/env python3
"""Completes words in bash, zsh and fish by the scripts of `forebay completion`: completion_test.py FOREBAY

bash and zsh are started on a terminal, the script is installed where their users install it, and the words are typed
with TAB. In place of forebay a function prints its arguments. Ends with 77 (skipped) where a shell is missing, unless
FOREBAY_ORIGINS=required.
"""

import os
import pathlib
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

PATIENCE = 60
LEVELS = {"trace", "debug", "info", "warn", "error"}

# What is typed, and the words that the command gets when the last one is completed.
TYPED = [
    ("rel", ["reload"]),
    ("drai", ["drain"]),
    ("undr", ["undrain"]),
    ("check --fo", ["check", "--format"]),
    ("check --format js", ["check", "--format", "json"]),
    ("check --format=git", ["check", "--format=github"]),
    ("--orig", ["--origin"]),
    ("--log-format js", ["--log-format", "json"]),
    ("run -c fore", ["run", "-c", "forebay-test.yaml"]),
    ("check fore", ["check", "forebay-test.yaml"]),
    ("log-level tra", ["log-level", "trace"]),
    ("log-level debug --f", ["log-level", "debug", "--for"]),
    ("entries --so", ["entries", "--sort"]),
    ("entries --sort si", ["entries", "--sort", "size"]),
    ("help expl", ["help", "explain"]),
    ("completion zs", ["completion", "zsh"]),
    ("demo --no-a", ["demo", "--no-access-log"]),
]


class Terminal:
    """A shell on a terminal."""

    def __init__(self, command, env, folder):
        pid, self.fd = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, env)
        self.pid = pid
        self.seen = ""

    def wait_for(self, pattern, what):
        until = time.monotonic() + PATIENCE
        while not (found := re.search(pattern, self.seen, re.S)):
            ready, _, _ = select.select([self.fd], [], [], max(0, until - time.monotonic()))
            try:
                data = os.read(self.fd, 65536) if ready else b""
            except OSError:
                data = b""
            if not data:
                raise SystemExit(f"{what}: the shell printed {self.seen!r}")
            self.seen += data.decode(errors="replace")
        self.seen = self.seen[found.end():]
        return found

    def type(self, text):
        os.write(self.fd, text.encode())

    def end(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def on_terminal(shell, command, env, folder, setup):
    """{typed: words}, and what is listed behind `log-level `."""
    terminal = Terminal(command, env, folder)
    try:
        terminal.type(setup + "\rprintf '%s%s\\n' rea dy.\r")
        terminal.wait_for(r"ready\.\r?\n", f"{shell} does not start")
        words = {}
        for number, (typed, _) in enumerate(TYPED):
            # The TAB is a key of its own: the shell reads it when it has drawn what was typed before.
            terminal.type(f"forebay {typed}\t")
            terminal.type(f"\rprintf '%s%s\\n' don e{number}.\r")
            found = terminal.wait_for(rf"<<(.*?)>>.*?done{number}\.\r?\n", f"{shell}: forebay {typed}<TAB>")
            words[typed] = found.group(1).split("|")
        terminal.type("forebay log-level \t\t")
        listed = set()
        until = time.monotonic() + PATIENCE
        while listed != LEVELS and time.monotonic() < until:
            found = terminal.wait_for(r"\b(trace|debug|info|warn|error)\b", f"{shell} lists {listed}")
            listed.add(found.group(1))
        return words, listed
    finally:
        terminal.end()


def environment(folder, **more):
    env = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return {**env, "HOME": str(folder), "TERM": "dumb", "PS1": "> ", "INPUTRC": "/dev/null", **more}


FUNCTION = "forebay() { local IFS='|'; printf '<<%s>>\\n' \"$*\"; }"


def bash(script, folder):
    # bash-completion loads it from the user's folder when it is needed.
    place = folder / "bash-completion" / "completions"
    place.mkdir(parents=True)
    (place / "forebay").write_text(script)
    env = environment(folder, XDG_DATA_HOME=str(folder), BASH_SILENCE_DEPRECATION_WARNING="1")
    loader = "/usr/share/bash-completion/bash_completion"
    setup = f"source {loader}; bind 'set bell-style none'; {FUNCTION}"
    return on_terminal("bash", ["bash", "--norc", "--noprofile", "-i"], env, folder, setup)


def zsh(script, folder):
    place = folder / "functions"
    place.mkdir()
    (place / "_forebay").write_text(script)
    setup = (f"unsetopt zle_bracketed_paste prompt_sp 2>/dev/null; unset zle_bracketed_paste; fpath=({place} $fpath); "
             f"autoload -Uz compinit; compinit -u -D; unsetopt beep; {FUNCTION}")
    return on_terminal("zsh", ["zsh", "-f", "-i"], environment(folder), folder, setup)


def fish(script, folder):
    place = folder / "fish" / "completions"
    place.mkdir(parents=True)
    (place / "forebay.fish").write_text(script)
    # It loads completions of commands that exist.
    (folder / "bin").mkdir()
    (folder / "bin" / "forebay").symlink_to("/bin/true")
    env = environment(folder, XDG_CONFIG_HOME=str(folder))
    env["PATH"] = f"{folder}/bin:{env['PATH']}"

    def complete(typed):
        done = subprocess.run(["fish", "-c", "complete -C $argv[1]", f"forebay {typed}"], env=env, cwd=folder, check=True,
                              capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL)
        return [line.split("\t")[0] for line in done.stdout.splitlines()]

    words = {}
    for typed, _ in TYPED:
        given = complete(typed)
        words[typed] = typed.split(" ")[:-1] + (given if len(given) == 1 else [f"one of {given}"])
    return words, set(complete("log-level "))


SHELLS = {"bash": bash, "zsh": zsh, "fish": fish}


def main(forebay):
    missing = [shell for shell in SHELLS if not shutil.which(shell)]
    if not os.path.exists("/usr/share/bash-completion/bash_completion"):
        missing.append("bash-completion")
    if missing:
        print(f"skipped: {', '.join(missing)} not installed")
        return 1 if os.environ.get("FOREBAY_ORIGINS") == "required" else 77
    wrong = 0
    for shell, complete in SHELLS.items():
        script = subprocess.run([forebay, "completion", shell], check=True, capture_output=True, text=True,
                                timeout=PATIENCE).stdout
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "forebay-test.yaml").write_text("origin: http://localhost:3000\n")
            words, levels = complete(script, folder)
        for typed, expected in TYPED:
            if words[typed] != expected:
                wrong += 1
                print(f"{shell}: forebay {typed}<TAB> gives {words[typed]}, not {expected}")
        if levels != LEVELS:
            wrong += 1
            print(f"{shell}: forebay log-level <TAB> lists {levels}")
    print(f"{len(SHELLS)} shells, {len(TYPED) + 1} completions each, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(str(pathlib.Path(sys.argv[1]).resolve())))
