"""What must be true of the database and of the lab's records whenever the system is at rest, whatever went before.

check(sql, lab) -> [(name, ok, detail)]; ok is None where something was not given. sql(statement) returns rows as lists of texts,
lab(method, path, body=None) returns JSON. The lab must have kept its records since the database was made, or 'since' names the
moment they begin with. settle(sql) waits until the system is at rest.
"""

import json
import re
import time
import urllib.parse

REST = """SELECT (SELECT count(*) FROM message_delivery_log WHERE status IN ('pending', 'sending', 'failed', 'unknown')),
       (SELECT count(*) FROM omnichannel_sessions WHERE turn_due_at IS NOT NULL OR turn_lease_until IS NOT NULL),
       (SELECT count(*) FROM turns WHERE status = 'running'),
       (SELECT count(*) FROM call_summaries WHERE notify_due_at IS NOT NULL OR summarise_due_at IS NOT NULL),
       (SELECT count(*) FROM call_actions WHERE finished_at IS NULL AND NOT (kind = 'stop' AND coalesce(next_attempt_at, lease_until)
           > clock_timestamp() + interval '1 minute'))"""  # a call nobody ended is let go of when the longest call is over


def settle(sql, wait_s=60):
    """Waits until nothing is under way, also for a database that is starting; False when the time is over."""
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        try:
            if sql(REST) == [["0"] * 5]:
                return True
        except RuntimeError:
            pass
        time.sleep(0.2)
    return False


def few(found):
    """The first of what is wrong, for the detail."""
    return f"{len(found)}: " + ", ".join(str(f) for f in list(found)[:3])


def column(sql, statement):
    return [row[0] for row in sql(statement)]


class Records:
    """What the lab accepted, and what the database says it sent."""

    def __init__(self, sql, lab, since):
        self.since, self.by_reference, self.by_id, self.order = since, {}, {}, []
        for number in lab("GET", "/lab/phones")["phones"]:
            for m in lab("GET", f"/lab/phones/{urllib.parse.quote(number)}")["messages"]:
                m["number"] = number
                self.by_reference.setdefault((m["channel"], m["reference"]), []).append(m)
                self.by_id[m["provider_message_id"]] = m
                self.order.append(m)
        self.order.sort(key=lambda m: m["seq"])
        names = ("id", "channel", "status", "external", "phone", "segments", "cost", "resends", "marked", "profile", "seq", "group",
                 "part", "plain")
        self.rows = [dict(zip(names, row)) for row in sql(f"""
            SELECT m.id, m.channel, m.status, coalesce(m.external_message_id, ''), coalesce(m.recipient_phone, ''), m.segments,
                   m.cost_rwf, m.ambiguous_resends, m.possible_duplicate, m.profile_id, m.seq, m.group_id, m.part,
                   NOT EXISTS (SELECT 1 FROM delivery_attempts a WHERE a.message_id = m.id AND a.outcome IS DISTINCT FROM 'accepted')
              FROM message_delivery_log m
             WHERE m.direction = 'outbound' AND m.created_at >= '{since}'""")]
        self.known = {(r["channel"], r["id"]) for r in self.rows}

    def of(self, row):
        return self.by_reference.get((row["channel"], row["id"]), [])


def i1(sql, accepted):
    """Every message that was answered 200 is there once (or kept as poison), and done."""
    bad = column(sql, """SELECT provider || ' ' || external_message_id FROM message_delivery_log WHERE direction = 'inbound'
                         GROUP BY provider, external_message_id HAVING count(*) > 1""")
    bad += column(sql, """SELECT 'waits: ' || m.id FROM message_delivery_log m JOIN omnichannel_sessions s ON s.id = m.session_id
                          WHERE m.awaits_turn AND NOT s.needs_human""")
    for start in range(0, len(accepted), 500):
        values = ", ".join("('{}', '{}')".format(p, i.replace("'", "''")) for p, i in accepted[start:start + 500])
        bad += column(sql, f"""SELECT 'lost: ' || v.id FROM (VALUES {values}) AS v (provider, id)
            WHERE NOT EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.direction = 'inbound' AND m.external_message_id = v.id)
              AND NOT EXISTS (SELECT 1 FROM inbound_poison p WHERE position(convert_to(v.id, 'UTF8') IN p.body) > 0)""")
    return not bad, few(bad) if bad else f"{len(accepted)} answered 200, each there once"


def i2(sql):
    """Every call that ended has been told of, or there is a reason why not; and once, unless it went on after it was believed over, or
    two names turned out to be one call's."""
    bad = column(sql, """SELECT call_id FROM call_summaries c WHERE c.end_seen_at IS NOT NULL AND NOT (
        c.notified_at IS NOT NULL AND CASE c.notify_result
            WHEN 'skipped' THEN coalesce(c.notify_reason, '') <> ''
            ELSE EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.call_id = c.call_id AND m.direction = 'outbound'
                            AND m.message_type IN ('summary', 'missed_call')) END)""")
    bad += column(sql, """SELECT 'told ' || count(DISTINCT m.group_id) || ' times: ' || c.call_id
          FROM call_summaries c JOIN message_delivery_log m ON m.call_id = c.call_id AND m.direction = 'outbound'
           AND m.message_type IN ('summary', 'missed_call') AND m.replay_of IS NULL
         WHERE c.told_early IS NULL AND c.merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM call_summaries t WHERE t.merged_into = c.id)
         GROUP BY c.call_id HAVING count(DISTINCT m.group_id) > 1""")
    total = column(sql, "SELECT count(*) FROM call_summaries WHERE end_seen_at IS NOT NULL")[0]
    return not bad, few(bad) if bad else f"{total} calls"


def i3(records):
    """What the database calls sent, the lab has accepted."""
    said = [r for r in records.rows if r["status"] in ("sent", "delivered", "read")]
    bad = [r["id"] for r in said if not records.of(r) and r["external"] not in records.by_id]
    return not bad, few(bad) if bad else f"{len(said)} rows"


def i4(records):
    """Nothing is accepted more often than its row explains, and nothing without a row."""
    bad = []
    for r in records.rows:
        times = len(records.of(r))
        if times > 1 + int(r["resends"]) or (times > 1 and r["marked"] != "t"):
            bad.append(f"{r['id']} {times} times, {r['resends']} resends, marked {r['marked']}")
    if records.since == "-infinity":
        bad += [f"no row: {reference}" for channel, reference in records.by_reference
                if reference and (channel, reference) not in records.known]
    return not bad, few(bad) if bad else f"{len(records.order)} accepted, {sum(r['marked'] == 't' for r in records.rows)} marked"


def i5(sql):
    """No status is below the best that was reported, none was reached without its time, and the referee is on duty."""
    bad = column(sql, """SELECT m.id FROM message_delivery_log m JOIN status_events e
               ON e.our_ref = m.id OR (e.provider = m.provider AND e.external_message_id = m.external_message_id)
        WHERE m.direction = 'outbound' AND e.status IN ('sent', 'undelivered', 'delivered', 'read')
          AND m.status IN ('sent', 'undelivered', 'delivered', 'read') AND delivery_rank(e.status) > delivery_rank(m.status)""")
    bad += column(sql, """SELECT id FROM message_delivery_log WHERE (read_at IS NOT NULL AND status <> 'read')
                          OR (delivered_at IS NOT NULL AND status NOT IN ('delivered', 'read'))""")
    if column(sql, "SELECT count(*) FROM pg_trigger WHERE tgname = 'delivery_referee' AND tgenabled IN ('O', 'A')") != ["1"]:
        bad.append("no referee")
    return not bad, few(bad) if bad else f"{column(sql, 'SELECT count(*) FROM status_events')[0]} reports"


def i6(sql):
    """At most one open conversation per person; one person per address."""
    bad = column(sql, """SELECT profile_id FROM omnichannel_sessions WHERE status <> 'closed' GROUP BY profile_id HAVING count(*) > 1""")
    bad += column(sql, "SELECT min(user_id::text) FROM profiles WHERE phone_number IS NOT NULL GROUP BY phone_number HAVING count(*) > 1")
    return not bad, few(bad) if bad else f"{column(sql, 'SELECT count(*) FROM profiles')[0]} persons"


def i7(sql):
    """Every inbound message has been handled by exactly one turn, of its own conversation; no turn handled nothing. A turn that was
    stopped, because two machines seemed to be talking, leaves its messages to a person."""
    bad = column(sql, """SELECT 'message ' || m.id FROM message_delivery_log m LEFT JOIN turns t ON t.id = m.turn_id
        WHERE m.direction = 'inbound' AND m.turn_id IS NOT NULL
          AND (t.status IS NULL OR t.status NOT IN ('done', 'stopped') OR t.session_id <> m.session_id)""")
    bad += column(sql, """SELECT 'turn ' || t.id FROM turns t WHERE t.status IN ('done', 'stopped') AND NOT EXISTS (
        SELECT 1 FROM message_delivery_log m WHERE m.turn_id = t.id AND m.direction = 'inbound')""")
    # Without a turn are only words of consent and what somebody who refuses answers writes; confirmations tell of both.
    bad += column(sql, """SELECT 'unanswered ' || m.id FROM message_delivery_log m
        WHERE m.direction = 'inbound' AND m.turn_id IS NULL AND NOT m.awaits_turn AND coalesce(m.content, '') <> ''
          AND NOT EXISTS (SELECT 1 FROM message_delivery_log c WHERE c.profile_id = m.profile_id AND c.message_type = 'confirmation')""")
    return not bad, few(bad) if bad else " turns, ".join(
        column(sql, f"SELECT count(*) FROM turns WHERE status = '{status}'")[0] + " " + status for status in ("done", "stopped"))


def i8(sql, records):
    """One reply per turn, and everything only to the person it is for."""
    bad = column(sql, """SELECT 'turn ' || turn_id FROM message_delivery_log WHERE direction = 'outbound' AND message_type = 'reply'
                         AND replay_of IS NULL GROUP BY turn_id HAVING count(DISTINCT group_id) > 1""")
    bad += column(sql, """SELECT 'row ' || m.id FROM message_delivery_log m JOIN omnichannel_sessions s ON s.id = m.session_id
        WHERE s.profile_id <> m.profile_id OR (m.direction = 'outbound' AND m.recipient_phone IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM contact_addresses a WHERE a.profile_id = m.profile_id
               AND ltrim(a.value, '+') = ltrim(m.recipient_phone, '+')))""")
    for r in records.rows:
        bad += [f"accepted for another: {r['id']}" for m in records.of(r)
                if r["phone"] and m["number"].lstrip("+") != r["phone"].lstrip("+")]
    return not bad, few(bad) if bad else f"{len(records.rows)} rows"


def i9(records):
    """In order per person and channel, and part by part, as far as every attempt went well."""
    plain = {(r["channel"], r["id"]): r for r in records.rows if r["plain"] == "t"}
    last, seen, bad = {}, set(), []
    for m in records.order:
        key = (m["channel"], m["reference"])
        if key in seen or key not in plain:
            continue
        seen.add(key)
        row = plain[key]
        seq = int(row["seq"])
        if seq < last.get((row["profile"], row["channel"]), 0):
            bad.append(row["id"])
        last[row["profile"], row["channel"]] = seq
    return not bad, few(bad) if bad else f"{len(seen)} messages"


def i10(lab, records):
    """What the rows cost is what the lab would charge for them."""
    price = float(lab("GET", "/lab/config").get("sms_price_rwf", 15))
    bad, spent, charged = [], 0.0, 0.0
    for r in records.rows:
        took = records.of(r)
        if r["channel"] != "sms" or not took:
            continue
        spent += float(r["cost"])
        charged += took[0]["segments"] * price
        if int(r["segments"]) != took[0]["segments"]:
            bad.append(f"{r['id']}: {r['segments']} segments, not {took[0]['segments']}")
    if abs(spent - charged) > 0.001:
        bad.append(f"{spent} RWF in the rows, {charged} at the lab")
    return not bad, few(bad) if bad else f"{spent:.0f} RWF"


def i11(sql):
    """Nothing is under way."""
    found = sql(REST)[0]
    return found == ["0"] * 5, "messages {}, conversations {}, turns {}, calls {}, actions on calls {} under way".format(*found)


def i12(logs, markers):
    """Nothing personal in any log."""
    if not logs or not markers:
        return None, "no logs given"
    pattern = re.compile("|".join(re.escape(m) for m in markers))
    bad = []
    for path in logs:
        with open(path, encoding="utf-8", errors="replace") as f:
            bad += [f"{path}:{n}" for n, line in enumerate(f, 1) if pattern.search(line)]
    return not bad, few(bad) if bad else f"{len(logs)} files, {len(markers)} markers"


def asked_of_calls(lab):
    """{call: {step: [the SDP of each request]}}: what the far ends were asked to do about calls, oldest first."""
    asked = {}
    for r in lab("GET", "/lab/requests?provider=meta&limit=2000")["requests"]:
        if r["path"].endswith("/calls"):
            body = json.loads(r["body"])
            asked.setdefault(body.get("call_id"), {}).setdefault(body.get("action"), []).append(body.get("session", {}).get("sdp"))
    for r in lab("GET", "/lab/requests?provider=agent&limit=2000")["requests"]:
        found = re.search(r"/realtime/calls/([^/]+)/(\w+)$", r["path"])
        if found:
            asked.setdefault(found.group(1), {}).setdefault(found.group(2), []).append(None)
    for r in lab("GET", "/lab/requests?provider=bridge&limit=2000")["requests"]:
        if r["path"].endswith("/api/sessions"):
            asked.setdefault(json.loads(r["body"]).get("callId"), {}).setdefault("open", []).append(None)
    return asked


def i13(sql, lab):
    """A call is opened, pre-accepted and accepted at most once each time its action is taken up, and accepted with one and the same
    answer: another one would end it. What is done was accepted, and what was not accepted was not picked up."""
    bad = []
    asked = asked_of_calls(lab)
    rows = sql("""SELECT c.call_id, a.kind, a.status, a.attempts FROM call_actions a JOIN call_summaries c ON c.id = a.call
                  WHERE a.kind IN ('answer', 'accept')""")
    for call_id, kind, status, attempts in rows:
        steps = asked.get(call_id, {})
        accepts = steps.get("accept", [])
        bad += [f"{call_id} {step} {len(steps[step])} times in {attempts} attempts" for step in ("open", "pre_accept", "accept")
                if len(steps.get(step, [])) > int(attempts)]
        if len(set(accepts)) > 1:
            bad.append(f"{call_id} accepted with {len(set(accepts))} answers")
        if asked and status == "done" and not accepts:
            bad.append(f"{call_id} {kind} done, not accepted")
    picked = {r[0] for r in rows}
    bad += [f"{call_id}: no action" for call_id, steps in asked.items() if "accept" in steps and call_id not in picked]
    return not bad, few(bad) if bad else f"{len(rows)} calls"


def i14(sql):
    """A tool sends once for each key, one message on a channel, and only what was written down as its own."""
    bad = column(sql, """SELECT tool || ' ' || idem_key FROM tool_calls WHERE idem_key IS NOT NULL
                         GROUP BY tool, profile_id, idem_key HAVING count(*) > 1""")
    bad += column(sql, """SELECT 'row ' || m.id FROM message_delivery_log m
        WHERE m.direction = 'outbound' AND m.idem_key LIKE 'tool:%' AND m.replay_of IS NULL
          AND (SELECT count(*) FROM tool_calls t WHERE m.id = ANY (t.message_ids)) <> 1""")
    bad += column(sql, """SELECT 'call ' || t.id FROM tool_calls t JOIN message_delivery_log m ON m.id = ANY (t.message_ids)
        GROUP BY t.id HAVING count(DISTINCT m.group_id) > 1 OR count(*) > count(DISTINCT m.channel)
            OR min(m.profile_id::text) <> max(m.profile_id::text)""")
    bad += column(sql, """SELECT 'lost: ' || t.id FROM tool_calls t WHERE EXISTS (SELECT 1 FROM unnest(t.message_ids) AS id
        WHERE NOT EXISTS (SELECT 1 FROM message_delivery_log m WHERE m.id = id))""")
    return not bad, few(bad) if bad else f"{column(sql, 'SELECT count(*) FROM tool_calls')[0]} calls of tools"


def check(sql, lab, accepted=(), logs=(), markers=(), since="-infinity"):
    """accepted: (provider, external id) of what was answered 200; logs: paths; markers: what must not be in them."""
    records = Records(sql, lab, since)
    checks = (("I1 every accepted message once", lambda: i1(sql, list(accepted))),
              ("I2 every ended call told of once", lambda: i2(sql)),
              ("I3 what is called sent was accepted", lambda: i3(records)),
              ("I4 no acceptance unexplained", lambda: i4(records)),
              ("I5 no status went back", lambda: i5(sql)),
              ("I6 one open conversation a person", lambda: i6(sql)),
              ("I7 one turn for every message", lambda: i7(sql)),
              ("I8 one reply a turn, to the person", lambda: i8(sql, records)),
              ("I9 in order", lambda: i9(records)),
              ("I10 money", lambda: i10(lab, records)),
              ("I11 nothing under way", lambda: i11(sql)),
              ("I12 nothing personal in a log", lambda: i12(logs, markers)),
              ("I13 a call taken once", lambda: i13(sql, lab)),
              ("I14 a tool's effect once a key", lambda: i14(sql)))
    return [(name, *judged(run)) for name, run in checks]


def judged(run):
    """A check that cannot be made has failed; the others are made."""
    try:
        return run()
    except (RuntimeError, KeyError, ValueError) as e:
        return False, f"{type(e).__name__}: {e}"
