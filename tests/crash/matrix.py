#!/usr/bin/env python3
"""Faults x steps: what must come of each fault at each step, which test drives it there, and what came of it in this run.

matrix.py [--sweep FILE] [--loop FILE] [--write FILE] [--list]

--sweep and --loop are what sweep.py and kill_loop.py saved with --save. With --write the tables take the place of those in FILE,
between the two marks; else they are printed. Steps: A read and verify, B durable store, C person and conversation, D agent,
E commit of the turn, F claim, G send, H finish, I report.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BUILD = os.environ.get("OMNI_BUILD_DIR", os.path.join(ROOT, "build"))
PLAIN = os.environ.get("OMNI_PLAIN_BUILD_DIR", BUILD)  # for the ctests: the build without crash points, where there is one
MARKS = ("<!-- tables: made by scripts/check crash -->", "<!-- end of tables -->")

# (fault, step, what must come of it, what drives it). sweep: PROGRAM/POINT; e2e: test_FILE.Class[.test]; ctest: a name; story: a title
# of the conformance suite; loop: the kill loop. No driver: it is not driven, and the last text says what stands in for it.
FAULTS = [
    ("kill -9", "A", "no 200; the gateway comes again: one row", ["sweep:sms-inbound-webhook/serve_read", "sweep:wa-webhook-core/serve_read"]),
    ("kill -9", "B, after the commit, before the 200", "the repeat is a duplicate: one row",
     ["sweep:sms-inbound-webhook/inbound_after_store", "sweep:wa-webhook-core/inbound_after_store", "sweep:sms-inbound-webhook/serve_before_answer"]),
    ("kill -9", "C, D", "the lease lapses, another turn, one answer", ["sweep:message-worker/turn_claimed", "sweep:message-worker/turn_asked",
                                                                    "sweep:message-worker/turn_answered", "e2e:test_faults.Killed.test_in_the_middle_of_a_turn"]),
    ("kill -9", "E, before the commit", "nothing is visible; the turn is repeated", ["sweep:message-worker/turn_before_finish"]),
    ("kill -9", "E, after the commit", "its messages go, the turn is not repeated", ["sweep:message-worker/turn_after_finish"]),
    ("kill -9", "F", "unknown after the lease; at most one more send, marked", ["sweep:message-worker/delivery_claimed",
                                                                               "sweep:message-retry/delivery_claimed"]),
    ("kill -9", "G", "the same; a report heals it", ["sweep:message-worker/delivery_started", "sweep:message-worker/delivery_answered",
                                                     "e2e:test_faults.Killed.test_in_the_middle_of_a_send"]),
    ("kill -9", "H", "the same", ["sweep:message-worker/delivery_before_finish", "sweep:message-worker/delivery_after_finish"]),
    ("kill -9", "I", "the report comes again, or was kept", ["sweep:sms-status-webhook/status_before_store",
                                                            "sweep:sms-status-webhook/status_after_store", "sweep:wa-webhook-core/status_after_store"]),
    ("kill -9", "a call is picked up", "taken up again after the lease, with the same answer; its person is told once",
     ["sweep:wa-webhook-voice-calls/call_action_started:3", "sweep:wa-webhook-voice-calls/call_action_answered:3",
      "sweep:wa-webhook-voice-calls/call_action_noted", "sweep:openai-sip-webhook/call_action_answered",
      "sweep:message-worker/call_action_answered:3", "sweep:message-retry/call_action_answered:3"]),
    ("kill -9", "a call's summary is made", "made by another; its person is told once", ["sweep:message-worker/summary_asked",
                                                                                      "sweep:message-worker/summary_answered", "sweep:message-retry/summary_before_finish"]),
    ("kill -9", "a tool sends, in a turn or for a caller", "under the same key it sends once", ["sweep:message-worker/turn_tool",
     "sweep:message-worker/tool_written", "sweep:message-worker/tool_sent", "sweep:messaging_send_dual_channel/tool_written",
     "sweep:messaging_send_dual_channel/tool_sent", "sweep:mcp/tool_sent"]),
    ("kill -9 while PostgreSQL is away", "A-B", "what was answered 200 is on the disk, and stored once", ["sweep:sms-inbound-webhook/spool_written",
     "sweep:sms-inbound-webhook/spool_kept", "sweep:message-worker/respool_taken", "sweep:message-retry/respool_taken",
     "e2e:test_spool.WorkerKilled"]),
    ("PostgreSQL restarts at once (immediate, kill -9)", "any", "as kill -9 of that step; nothing acknowledged is lost",
     ["e2e:test_spool.Killed.test_postmaster_killed_under_load", "loop:"]),
    ("PostgreSQL stopped", "A-B", "the spool grows, 200; it is stored in order; the sum is equal", ["e2e:test_spool.Frozen.test_two_hundred_events"]),
    ("... and the spool is full or cannot be written", "B", "503, no half file, it recovers alone",
     ["e2e:test_spool.Full", "e2e:test_spool.Frozen.test_unwritable_with_a_database", "ctest:unit_spool"]),
    ("PostgreSQL slow", "all", "deadlines, then the spool or 503; processes are not stuck", ["ctest:io_db_away", "e2e:test_spool.Frozen"]),
    ("COMMIT sent, connection cut", "B, E, F, H", "the repeat is a no-op", ["ctest:io_db_away", "e2e:test_spool.WorkerKilled.test_a_commit_without_its_removal",
                                                                       "loop:"]),
    ("disk full under PostgreSQL", "B", "as stopped", [], "SQLSTATE 53100 is treated as the database being away (io_db)"),
    ("provider refuses connections", "G", "not sent, backoff, the breaker opens, no attempt is lost", ["ctest:unit_http", "ctest:sql_pgtap"]),
    ("provider accepts, then closes or hangs", "G", "unknown, held, one resend, marked", ["ctest:unit_http_cut", "loop:",
     "e2e:test_faults.Gateway.test_hangs_after_accepting_the_caller_is_answered_and_nothing_is_sent_blindly"]),
    ("provider hangs, and a caller waits", "G", "the caller is answered, the process takes the next request, the send ends by itself",
     ["e2e:test_faults.HungGateway"]),
    ("503, 429 with Retry-After", "G", "tried again; a pause is no failure", ["e2e:test_faults.Gateway.test_down_then_up",
                                                                             "story:429 with Retry-After in the middle"]),
    ("400", "G", "dead, the code is kept, replayed by hand", ["e2e:test_faults.Gateway.test_refused_for_good", "e2e:test_failover.DeadLetters"]),
    ("401, 302", "G", "held: no attempt counts, the breaker opens", ["e2e:test_failover.Breaker.test_refused_credentials_open_at_once_and_cost_no_attempt",
                                                                   "e2e:test_faults.Redirected"]),
    ("500, 502, 504, garbage, 1 GB", "G", "unknown, or taken; never a blind resend", ["ctest:unit_sms_mtn", "ctest:unit_wa_cloud", "ctest:unit_http", "loop:"]),
    ("30 s of latency, one byte a second", "G", "the total deadline ends it; the lease is not exceeded", ["ctest:unit_http_cut"]),
    ("DNS gone, TLS expired", "G", "not sent", [], "unit_http drives a refused connection; libcurl reports all three as 'nothing left'"),
    ("WhatsApp blocks us (131048, 368)", "G", "SMS carries at once, until it is back", ["e2e:test_failover.Blocked", "ctest:sql_pgtap"]),
    ("breaker open, prober killed", "F", "the next probe follows", ["ctest:sql_pgtap", "loop:"]),
    ("reports x20, shuffled, early, for unknown ids, late", "I", "the highest rank stays; unknown ids are kept",
     ["e2e:test_failover.Reports.test_reports_in_any_order_and_before_the_answer", "story:all orders of sent, delivered, read",
      "story:a receipt before the send's answer"]),
    ("one bad report in a batch", "I", "the others are applied, the bad one is kept", ["e2e:test_edges.Edges.test_one_bad_report_does_not_take_the_others_along"]),
    ("inbound x50 in parallel; both channels at once; several in a row", "A-E", "one row, one conversation, one or few turns", ["e2e:test_once.Once"]),
    ("a call's end x3, never, before the call", "-", "one summary", ["e2e:test_once.Once", "story:post-call three times, and before the call"]),
    ("agent down, slow, talking nonsense", "D", "one fallback, the real answer later", ["e2e:test_faults.Agent", "e2e:test_faults.SlowAgent"]),
    ("clock of PostgreSQL or of the host jumps", "all", "no loss", [], "the model check lets leases lapse at any moment (model_check)"),
    ("SIGSTOP of a worker, then SIGCONT", "F-H", "the fence refuses the zombie", ["story:a worker that stands still", "ctest:model_check"]),
    ("the N-th malloc, fsync or write fails", "all", "a clean end, no half state", ["ctest:unit_spool"]),
    ("a program is stopped or has done its share", "A-H", "what is in hand is finished", ["e2e:test_faults.HungGateway.test_told_to_stop_it_finishes_what_is_in_hand",
                                                                                    "ctest:scripts_serve"]),
    ("cron overlaps; cron alone; the worker dies", "F", "nothing twice, nothing late", ["story:eight runs of message-retry at once",
     "e2e:test_faults.Killed.test_cron_alone_does_it_all", "e2e:test_faults.Restarted"]),
]


def run(command, **more):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more).stdout


def drivers(kind):
    return sorted({d.split(":", 1)[1] for row in FAULTS for d in row[3] if d.split(":", 1)[0] == kind})


def run_e2e():
    """{name: (passed, of)}: every test a driver names, each module in one run."""
    verdicts = {}
    for module in sorted({d.split(".")[0] for d in drivers("e2e")}):
        wanted = [d for d in drivers("e2e") if d.split(".")[0] == module]
        whole = {d for d in wanted if d.count(".") == 1}
        names = [d for d in wanted if d in whole or d.rsplit(".", 1)[0] not in whole]
        text = run(["/usr/bin/python3", "-m", "unittest", "-v", *names], cwd=os.path.join(ROOT, "tests/e2e"), env={**os.environ, "OMNI_BUILD_DIR": PLAIN})
        name = None  # what a test prints may stand between its name and its verdict
        for line in text.splitlines():
            began, verdict = re.match(r"test_\w+ \(([\w.]+)\)", line), re.search(r"(?:^|\.\.\. |\b)(ok|FAIL|ERROR)$", line)
            name = began.group(1) if began else name
            if name and verdict:
                verdicts[name], name = verdict.group(1) == "ok", None
    return {d: judge([ok for name, ok in verdicts.items() if name == d or name.startswith(d + ".")]) for d in drivers("e2e")}


def judge(verdicts):
    return sum(verdicts), len(verdicts)


def run_ctest():
    names = drivers("ctest")
    text = run(["ctest", "--test-dir", PLAIN, "-R", "^(" + "|".join(names) + ")$"])
    return {n: judge([bool(re.search(rf": {n} \.+ +Passed", text))]) for n in names}


def run_stories():
    with tempfile.TemporaryDirectory() as folder:
        card = os.path.join(folder, "card.json")
        run(["/usr/bin/python3", os.path.join(ROOT, "tests/conformance/conformance.py"), "--json", card], env={**os.environ, "OMNI_BUILD_DIR": PLAIN})
        stories = load(card)["stories"] if os.path.exists(card) else []
    return {title: judge([s["result"] == "pass" for s in stories if s["story"] == title]) for title in drivers("story")}


def of_sweep(saved):
    """{PROGRAM/POINT: (passed, of)} from what the sweep saved."""
    by_point = {}
    for program, point, _, word in saved["cells"]:
        by_point.setdefault(f"{program}/{point}", []).append(word.startswith("ok"))
    return {d: judge(by_point.get(d, [])) for d in drivers("sweep")}


def load(path):
    if path is None:
        return None
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def fault_table(results):
    lines = ["| fault | at | must be | driven by | outcome |", "|---|---|---|---|---|"]
    failed = 0
    for row in FAULTS:
        fault, step, must, by = row[:4]
        found = [results.get(d.split(":", 1)[0], {}).get(d.split(":", 1)[1], (0, 0)) for d in by]
        passed, of = sum(f[0] for f in found), sum(f[1] for f in found)
        if not by:
            outcome = "not driven: " + row[4]
        elif any(f[1] == 0 for f in found):
            outcome = f"{passed} of {of}, {sum(f[1] == 0 for f in found)} drivers did not run"
        else:
            outcome = "ok" if passed == of else f"**{of - passed} of {of} failed**"
        failed += bool(by) and (passed < of or of == 0)
        lines.append(f"| {fault} | {step} | {must} | {', '.join('`' + d.rstrip(':') + '`' for d in by) or '-'} | {outcome} |")
    return lines, failed


def sweep_table(saved):
    scenarios, rows = [], {}
    for program, point, scenario, word in saved["cells"]:
        if scenario not in scenarios:
            scenarios.append(scenario)
        rows.setdefault((program, point), {})[scenario] = word
    lines = ["| program | killed at | " + " | ".join(scenarios) + " |", "|---" * (len(scenarios) + 2) + "|"]
    return lines + [f"| {p} | {k} | " + " | ".join(row.get(s, "") for s in scenarios) + " |" for (p, k), row in rows.items()]


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--sweep")
    options.add_argument("--loop")
    options.add_argument("--write")
    options.add_argument("--list", action="store_true")
    given = options.parse_args()
    if given.list:
        for row in FAULTS:
            print(f"{row[0]} [{row[1]}]: {', '.join(row[3]) or 'not driven'}")
        return 0
    sweep, loop = load(given.sweep), load(given.loop)
    results = {"e2e": run_e2e(), "ctest": run_ctest(), "story": run_stories(), "sweep": of_sweep(sweep) if sweep else {},
               "loop": {"": judge([loop["passed"]])} if loop else {}}
    faults, failed = fault_table(results)
    parts = [f"Run of {time.strftime('%Y-%m-%d', time.gmtime())}.", "", "### Faults x steps", "", *faults, ""]
    if sweep:
        parts += ["### Crash points x scenarios", "", f"{len(sweep['cells'])} deaths, order by seed {sweep['seed']}. \"+N\": gateways had to come "
                  "N times more; \"Nx\": so many acceptances too many, all of them marked.", "", *sweep_table(sweep), ""]
    if loop:
        parts += ["### The kill loop", "", f"Seed {loop['seed']}.", "", "| figure | value |", "|---|---|",
                  *(f"| {name} | {value} |" for name, value in loop["figures"].items()), ""]
    if given.write:
        with open(given.write, encoding="utf-8") as f:
            before, rest = f.read().split(MARKS[0], 1)
        after = rest.split(MARKS[1], 1)[1]
        with open(given.write, "w", encoding="utf-8") as f:
            f.write(before + MARKS[0] + "\n\n" + "\n".join(parts) + "\n" + MARKS[1] + after)
    else:
        print("\n".join(parts))
    print(f"{len(FAULTS)} faults, {sum(not r[3] for r in FAULTS)} not driven, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
