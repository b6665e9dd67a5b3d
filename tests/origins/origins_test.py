#!/usr/bin/env python3
"""Forebay before real servers: nginx, Apache httpd, Express, PHP, dynalite, Apollo Server, s3rver and verdaccio, each on a free port of loopback.

Usage: origins_test.py FOREBAY SERVER [--only TEXT] [--show N] [--results FILE] [--jobs N]

SERVER is nginx, nginx_recipe, apache, express, php, dynalite, dynalite_tags, apollo, s3, apt, npm or edge (real clients before a small
origin); the module SERVER_cases has its sequences. Every case runs beside others of the
same server, on paths of its own. Ends with 77 where the server is not installed; with FOREBAY_ORIGINS=required in the
environment that is a failure. --only takes the cases with this text in their names, --show prints so many differences
of a case that fails, --results writes what scripts/summary.py reads.
"""

import argparse
import concurrent.futures
import importlib
import json
import os
import pathlib
import sys
import time
import traceback

sys.dont_write_bytecode = True

import cases
import processes

SKIPPED = 77


def perform(name, function, server, daemon):
    """What was wrong with one case, and the seconds that it took."""
    begun, case = time.monotonic(), cases.Case(name, server, daemon)
    try:
        function(case)
    except Exception as error:
        case.wrong.append("".join(traceback.format_exception(error)))
    return case.wrong, time.monotonic() - begun


def write_results(path, suite, results):
    report = {"testsuites": [{"name": f"Origins.{suite}", "testsuite": [
        {"name": name, "result": "COMPLETED", "time": f"{seconds:.2f}s",
         **({"failures": [{"failure": "\n".join(wrong)}]} if wrong else {})} for name, wrong, seconds in results]}]}
    pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(path).write_text(json.dumps(report))


def run(options, module, where):
    server = module.SERVER(where)
    print(f"{options.server}: {server.version()}", flush=True)
    server.start()
    daemon, results = None, []
    try:
        daemon = processes.Daemon(options.forebay, pathlib.Path(where, "forebay"), server.configuration())
        chosen = [(name, function) for name, function in cases.cases_of(module) if options.only in name]
        with concurrent.futures.ThreadPoolExecutor(min(options.jobs, server.jobs)) as pool:
            waiting = {pool.submit(perform, name, function, server, daemon): name for name, function in chosen}
            for done in concurrent.futures.as_completed(waiting):
                name, (wrong, seconds) = waiting[done], done.result()
                results.append((name, wrong, seconds))
                print(f"{'FAIL' if wrong else 'ok  '}  {name}  {seconds:.1f} s", flush=True)
                for text in wrong[:options.show]:
                    print(f"    {text}")
                if len(wrong) > options.show:
                    print(f"    ... and {len(wrong) - options.show} more")
    finally:
        if daemon:
            said = daemon.stop()
            if said:
                results.append(("the_daemon_ends_in_order", [said], 0))
                print(said)
        server.stop()
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("forebay")
    parser.add_argument("server", choices=["nginx", "nginx_recipe", "apache", "express", "php", "dynalite", "dynalite_tags", "apollo", "s3", "apt", "npm", "edge"])
    parser.add_argument("--only", default="")
    parser.add_argument("--results")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--show", type=int, default=3)
    options = parser.parse_args()
    options.forebay = str(pathlib.Path(options.forebay).resolve())
    begun, required = time.monotonic(), os.environ.get("FOREBAY_ORIGINS") == "required"
    module = importlib.import_module(f"{options.server}_cases")
    try:
        with processes.folder() as where:
            results = run(options, module, where)
    except processes.Missing as missing:
        print(f"{'FAIL' if required else 'SKIPPED'}: {missing} (scripts/install-deps.sh origins)")
        return 1 if required else SKIPPED
    if options.results:
        write_results(options.results, options.server, results)
    wrong = sum(1 for _, found, _ in results if found)
    print(f"{options.server}: {len(results)} cases, {wrong} failed, {time.monotonic() - begun:.1f} s")
    return 1 if wrong or not results else 0


if __name__ == "__main__":
    sys.exit(main())
