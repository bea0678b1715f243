#!/usr/bin/env bash
# What the documents say of the code is so: README.md's table of settings is that of core/config_table.c, its
# paths are those of scripts/lib/programs, every page is reached from it, and every link leads somewhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec /usr/bin/python3 - <<'END'
import glob
import os
import re
import sys

faults = []


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def same(what, documented, real):
    for item in sorted(set(documented) ^ set(real)):
        faults.append(f"{what}: {item} is only in {'README.md' if item in documented else 'the code'}")


readme = read("README.md")
real = dict(re.findall(r'"([A-Z][A-Z0-9_]+)",\s*(NULL|"[^"]*")', read("shared/core/config_table.c")))
table = readme[readme.index("<!-- settings"):].split("\n\n")[0]
documented = {}
for names, defaults in re.findall(r"^\| ([A-Z][A-Z0-9_, ]+) \| ([^|]*) \|", table, re.M):
    names, defaults = names.split(", "), defaults.strip().split(", ")
    documented.update(zip(names, defaults if len(defaults) == len(names) else defaults * len(names)))
same("settings", documented, real)
for name in documented.keys() & real.keys():
    default = {"NULL": "required", '""': "-"}.get(real[name], real[name].strip('"'))
    if documented[name] != default and (name, documented[name]) != ("TOKEN_SECRET", "SERVICE_ROLE_KEY"):
        faults.append(f"settings: {name} is {default} by default, README.md says {documented[name]}")

programs = [line.split() for line in read("scripts/lib/programs").splitlines() if line and not line.startswith("#")]
paths = {p[1] for p in programs if p[1] != "-" and (not p[1].startswith("/tools/") or p[1] == "/tools/call_log_summary")}
same("paths", re.findall(r"`(?:GET|POST|GET, POST) (/[a-z_/-]+)`", readme), paths)

pages = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", *glob.glob("docs/*.md")]
links = {page: re.findall(r"\]\(([^)#]+)[^)]*\)", read(page)) for page in pages}
for page in pages:
    if page != "README.md" and page not in links["README.md"]:
        faults.append(f"{page}: not linked from README.md")
    for link in links[page]:
        if not link.startswith("http") and not os.path.exists(os.path.join(os.path.dirname(page), link)):
            faults.append(f"{page}: {link} does not exist")

if len(real) < 40 or len(paths) < 8:
    faults.append("the code was not understood")
print("\n".join(faults) or f"docs: {len(real)} settings, {len(paths)} paths and all links as they should be")
sys.exit(1 if faults else 0)
END
