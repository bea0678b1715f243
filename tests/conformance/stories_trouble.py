"""What happens to the machine: a slow agent, a broken schema, a worker that stands still, a killed database, eight jobs at once."""

import os
import re
import signal
import threading
import time

from story import story
from target import expect, same, until


@story("a slow agent", "the agent takes 10 s; 20 SMS meanwhile")
def slow_agent(t):
    people = t.people(20)
    t.fault("agent", "delay", "take your time", times=-1, delay_ms=10000)
    took = []
    began = time.monotonic()
    for number in people:
        at = time.monotonic()
        t.sms(number, "take your time")
        took.append((time.monotonic() - at) * 1000)
    in_time = time.monotonic() - began < 9
    if in_time:
        same(t.phone(people[0], 1, wait_s=0), [], "replies before the agent has spoken")
    expect(max(took) < 5000, f"a webhook took {max(took):.0f} ms")
    t.gets(people[0], 1)
    t.lab("DELETE", "/lab/faults")
    for number in people:
        t.gets(number, 1)
    return f"webhook median {sorted(took)[10]:.1f} ms, worst {max(took):.1f} ms; all answered"


def in_database(t, ids):
    """How many of these inbound messages the database has: (present, of those more than once, as poison)."""
    values = ", ".join(f"('{i}')" for i in ids)
    return [int(n) for n in t.sql(f"""
        SELECT count(*) FILTER (WHERE n > 0), count(*) FILTER (WHERE n > 1), count(*) FILTER (WHERE n = 0 AND poison)
          FROM (SELECT (SELECT count(*) FROM message_delivery_log m WHERE m.external_message_id = v.id AND m.direction = 'inbound') AS n,
                       EXISTS (SELECT 1 FROM inbound_poison p WHERE position(convert_to(v.id, 'UTF8') IN p.body) > 0) AS poison
                  FROM (VALUES {values}) AS v (id)) AS found""")[0]]


@story("a column is missing", "a column of the schema is renamed, 4 messages come, it is renamed back, the refused ones come again", "database")
def missing_column(t):
    people = t.people(4)
    bodies = [{"from": n, "to": "8080", "message": t.say("Muraho"), "messageId": t.id("broken")} for n in people]
    ids = [b["messageId"] for b in bodies]
    rename = "SET lock_timeout = '10s'; ALTER TABLE conversation_threads RENAME COLUMN {} TO {}"
    t.sql(rename.format("message_count", "message_count_away"))
    try:
        statuses = [t.post_sms(b) for b in bodies]
    finally:
        t.sql(rename.format("message_count_away", "message_count"))
    expect(all(s in (200, 500, 503) for s in statuses), f"answers while it is missing: {statuses}")
    for body, status in zip(bodies, statuses):
        if status != 200:
            until("the repeat is taken", lambda b=body: t.post_sms(b) == 200)
    t.accepted += [("mtn", i) for i in ids]
    until("all four are kept", lambda: sum(in_database(t, ids)[::2]) == 4)
    present, twice, poison = in_database(t, ids)
    same(twice, 0, "messages stored twice")
    if poison == 0:
        for number in people:
            t.gets(number, 1)
    return f"answers {sorted(set(statuses))}; then {present} stored, {poison} kept as poison"


@story("a worker that stands still", "SIGSTOP; 5 persons write twice; SIGCONT", "state")
def stopped_worker(t):
    people = t.people(5)
    with t.stopped_worker():
        took = []
        for number in people * 2:
            at = time.monotonic()
            t.sms(number, f"message {len(took)}.")
            took.append(time.monotonic() - at)
        got = t.phone(people[0], 1, wait_s=1.5)
    same(got, [], "replies while no worker runs")
    expect(max(took) < 5, f"a webhook took {max(took):.1f} s")
    for number in people:
        t.gets(number, 1)
        t.sms(number, "and this")
        replies = until("the last reply", lambda n=number: (
            lambda g: g if any("and this" in m["text"] for m in g) else None)(t.phone(n, 0)))
        same(len(replies), 2, "replies: one to the two that waited, one to the last")
    return "all answered after it went on, none twice"


def postmaster(t):
    """Its pid; None while it is only about to start."""
    pid = t.pids("postgresql")[0]
    return pid if os.path.basename(os.readlink(f"/proc/{pid}/exe")) == "postgres" else None


@story("PostgreSQL killed under load", "8 senders without pause, kill -9 of the postmaster; every 200 must be there once", "database", "state")
def killed_database(t):
    victim = postmaster(t)
    expect(victim, "run/postgresql.pid does not name PostgreSQL")
    people = t.people(8)
    taken, refused, answers = [], [], {}
    over = threading.Event()

    def sender(number):
        while not over.is_set():
            body = {"from": number, "to": "8080", "message": t.say("still there?"), "messageId": t.id("load")}
            status = t.post_sms(body)
            answers[status] = answers.get(status, 0) + 1
            (taken if status == 200 else refused).append(body)
            time.sleep(0.02 if status == 200 else 0.2)

    threads = [threading.Thread(target=sender, args=(n,)) for n in people]
    for thread in threads:
        thread.start()
    try:
        until("40 messages taken", lambda: len(taken) >= 40)
        os.kill(victim, signal.SIGKILL)
        until("PostgreSQL runs again", lambda: alive_again(t, victim), 60)
        after = len(taken)
        until("40 more taken", lambda: len(taken) >= after + 40)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    expect(set(answers) <= {0, 200, 500, 503, 502, 504}, f"answers: {answers}")
    for body in refused:
        until("the repeat is taken", lambda b=body: t.post_sms(b) == 200)
    ids = [b["messageId"] for b in taken + refused]
    t.accepted += [("mtn", i) for i in ids]
    until("every message that was taken is in the database", lambda: in_database(t, ids)[0] == len(ids), 300)
    same(in_database(t, ids)[1:], [0, 0], "messages stored twice, kept as poison")
    for number in people:
        t.gets(number, 1)
    return f"{len(taken)} taken, {len(refused)} refused and sent again ({answers}); each there once"


def alive_again(t, victim):
    try:
        return postmaster(t) not in (None, victim) and t.value("SELECT 1") == "1"
    except (RuntimeError, OSError, IndexError):
        return False


@story("eight runs of message-retry at once", "40 due messages while the worker stands still; each must be sent once", "state", "job")
def eight_jobs(t):
    people = t.people(40)
    with t.stopped_worker():
        for number in people:
            same(t.call(number, t.id("job"), wait=False)[0], 202, "the answer to the call's end")
        jobs = [t.start_job() for _ in range(8)]
        try:
            codes = [job.wait(90) for job in jobs]
        finally:
            for job in jobs:
                if job.poll() is None:
                    job.kill()
                job.communicate()
        same(codes, [0] * 8, "the jobs' exit codes")
        counts = [len(t.phone(number, 1)) for number in people]
    same([counts.count(0), sum(c > 1 for c in counts)], [0, 0], "messages not sent, sent more than once")
    return "40 messages, each sent once"


@story("nothing personal in a log", "all numbers, names, texts and keys of this run are searched in the logs", "state")
def logs(t):
    found = leaks(t)
    expect(not found, f"{len(found)} lines: {found[:3]}")
    return f"{len(t.numbers)} numbers, the run's marker and the keys in none of {len(t.logs())} files"


def markers(t):
    """What no log may hold: numbers without their country, the marker of every text and name, and the secrets."""
    return [n[4:] for n in t.numbers] + [t.secrets[k] for k in ("key", "mtn", "wa") if t.secrets[k]] + [t.marker]


def leaks(t):
    pattern = re.compile("|".join(re.escape(m) for m in markers(t)))
    found = []
    for path in t.logs():
        with open(path, encoding="utf-8", errors="replace") as f:
            found += [f"{os.path.basename(path)}:{n}" for n, line in enumerate(f, 1) if pattern.search(line)]
    return found
