#!/usr/bin/env python3
"""The failure stories of this field, played against a running server by HTTP, as a score card.

Without --base the system under test is this tree: scripts/serve and the lab, started by the harness of tests/e2e.
Ends 0 when no story and no invariant failed. See docs/conformance.md.
"""

import argparse
import json
import os
import sys
import time
import traceback

import invariants
import stories_inbound  # noqa: F401  (each registers its stories)
import stories_delivery  # noqa: F401
import stories_trouble
from story import STORIES
from target import Failed, Skipped, Target

import harness  # found by target

WORDS = {True: "pass", False: "FAIL", None: "skip"}


def options():
    env = os.environ.get
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--base", default=env("CONFORMANCE_BASE", ""), help="the server's URL; without it the system is started here")
    p.add_argument("--lab", default=env("CONFORMANCE_LAB", ""), help="the URL of the lab that plays its providers")
    p.add_argument("--database", default=env("CONFORMANCE_DATABASE", ""), help="conninfo that sees every row and may alter the schema")
    p.add_argument("--state", default=env("CONFORMANCE_STATE", ""), help="the server's state folder: run/*.pid, log/, env")
    p.add_argument("--job", default=env("CONFORMANCE_JOB", ""), help="the program message-retry")
    p.add_argument("--seed", type=int, default=int(env("CONFORMANCE_SEED", "0")) or time.time_ns() % 10 ** 9)
    p.add_argument("--only", default="", help="only stories whose title contains this")
    p.add_argument("--server", default="lighttpd", choices=("lighttpd", "apache"), help="the web server, when the system is started here")
    p.add_argument("--json", metavar="FILE", help="write the score card as JSON; - for standard output")
    p.add_argument("--list", action="store_true", help="list the stories and end")
    chosen = p.parse_args()
    if chosen.base and not chosen.lab:
        p.error("--base needs --lab")
    return chosen


def secrets():
    """Of a server that was not started here, under the names its own settings have."""
    return {"key": os.environ.get("SERVICE_ROLE_KEY", ""), "mtn": os.environ.get("MTN_WEBHOOK_SECRET", ""),
            "wa": os.environ.get("WA_APP_SECRET", ""), "phone_id": os.environ.get("WHATSAPP_PHONE_ID", "")}


class OwnSystem(harness.SystemTest):
    """scripts/serve, its own PostgreSQL and the lab, for as long as the run takes."""


def start(chosen):
    """The target, and what stops it."""
    if chosen.base:
        target = Target(chosen.base, chosen.lab, secrets(), chosen.seed, chosen.database, chosen.state, chosen.job)
        if not target.lab("GET", "/lab/config").get("target"):
            target.lab("POST", "/lab/config", {"target": chosen.base})
        return target, lambda: None
    OwnSystem.server = chosen.server
    OwnSystem.setUpClass()
    own = {"key": harness.KEY, "mtn": harness.MTN_SECRET, "wa": harness.WA_SECRET, "phone_id": "1122334455"}
    return Target(OwnSystem.base, OwnSystem.lab, own, chosen.seed, OwnSystem.database, os.path.join(OwnSystem.state, "var"),
                  os.path.join(harness.BUILD, "handlers/message-retry")), OwnSystem.tearDownClass


def calm(target):
    """The lab as a story expects to find it."""
    target.lab("DELETE", "/lab/faults")
    target.lab("POST", "/lab/agent", {})
    target.receipts(True)


def play(target, story):
    """(ok, what happened, seconds)."""
    began = time.monotonic()
    try:
        target.need(*story.needs)
        calm(target)
        target.reseed(story.title)
        ok, happened = True, story.play(target)
    except Skipped as why:
        ok, happened = None, f"skipped: {why}"
    except Failed as why:
        ok, happened = False, str(why)
    except Exception as e:  # a story that cannot go on is a failed one; the others are played
        where = traceback.extract_tb(e.__traceback__)[-1]
        ok, happened = False, f"{type(e).__name__} at {os.path.basename(where.filename)}:{where.lineno}: {e}"
    return ok, happened, round(time.monotonic() - began, 1)


def line(out, ok, seconds, title, happened):
    print(f"{WORDS[ok]}  {seconds:6.1f} s  {title}\n      {'':9}{happened}", file=out, flush=True)


def play_all(target, chosen, out):
    card = []
    for story in STORIES:
        if chosen.only not in story.title:
            continue
        ok, happened, seconds = play(target, story)
        card.append({"story": story.title, "tried": story.tried, "happened": happened, "result": WORDS[ok].lower(), "seconds": seconds})
        line(out, ok, seconds, f"{story.title}: {story.tried}", happened)
    return card


def check_all(target, since, out):
    """The invariants, once the system is at rest."""
    if not target.database:
        print("skip             the invariants: no database given", file=out)
        return []
    calm(target)
    began = time.monotonic()
    rests = invariants.settle(target.sql)
    line(out, rests, time.monotonic() - began, "the system comes to rest", "and then:")
    began = time.monotonic()
    found = invariants.check(target.sql, target.lab, target.accepted, target.logs(), stories_trouble.markers(target), since)
    for name, ok, detail in found:
        line(out, ok, (time.monotonic() - began) / len(found), name, detail)
    return [{"invariant": name, "result": WORDS[ok].lower(), "detail": detail} for name, ok, detail in found]


def main():
    chosen = options()
    if chosen.list:
        for story in STORIES:
            print(f"{story.title}: {story.tried}" + (f" (needs {', '.join(story.needs)})" if story.needs else ""))
        return 0
    out = sys.stderr if chosen.json == "-" else sys.stdout
    began = time.monotonic()
    print(f"seed {chosen.seed}", file=out, flush=True)
    target, end = start(chosen)
    try:
        since = target.value("SELECT clock_timestamp()") if chosen.base and chosen.database else "-infinity"
        card = play_all(target, chosen, out)
        held = check_all(target, since, out)
    finally:
        end()
    results = [r["result"] for r in card + held]
    total = {word: results.count(word) for word in ("pass", "fail", "skip")}
    total["seconds"] = round(time.monotonic() - began, 1)
    print("seed {}: {pass} passed, {fail} failed, {skip} skipped in {seconds} s".format(chosen.seed, **total), file=out)
    if chosen.json:
        text = json.dumps({"seed": chosen.seed, "base": target.base, **total, "stories": card, "invariants": held}, indent=1)
        if chosen.json == "-":
            print(text)
        else:
            with open(chosen.json, "w", encoding="utf-8") as f:
                f.write(text + "\n")
    return 1 if total["fail"] else 0


if __name__ == "__main__":
    sys.exit(main())
