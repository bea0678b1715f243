"""The programs of tests/mcp, run by Node with packages that npm installs into the build directory, once per lock file."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess

import harness

SOURCE = os.path.join(harness.ROOT, "tests/mcp")
TARGET = os.path.join(harness.BUILD, "tests/mcp")


def _read(path):
    with open(path, "rb") as f:
        return f.read()


def _install():
    """npm ci, unless what stands there came from these very files and this Node."""
    version = subprocess.run(["node", "--version"], capture_output=True, check=True).stdout
    wanted = hashlib.sha256(version + b"".join(_read(os.path.join(SOURCE, f)) for f in ("package.json", "package-lock.json"))).hexdigest()
    stamp = os.path.join(TARGET, "installed")
    if os.path.exists(stamp) and _read(stamp).decode() == wanted:
        return
    shutil.rmtree(os.path.join(TARGET, "node_modules"), ignore_errors=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(SOURCE, name), TARGET)
    done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=TARGET, capture_output=True, text=True,
                          timeout=400, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"npm ci: {done.stderr}")
    with open(stamp, "w", encoding="utf-8") as f:
        f.write(wanted)


def run(script, given):
    """The script's answer (JSON on its standard output) to what it is given (JSON on its standard input)."""
    os.makedirs(TARGET, exist_ok=True)
    with open(os.path.join(TARGET, "lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two tests may want it at once
        _install()
        shutil.copy(os.path.join(SOURCE, script), TARGET)
    done = subprocess.run(["node", script], cwd=TARGET, input=json.dumps(given), capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{script}: {done.stderr}")
    return json.loads(done.stdout)
