#!/usr/bin/env python3
"""Every state that one outbound message can come to, with two workers and everything that may happen to them, and whether what must
hold does hold in all of them. With a protection taken away the search must find how it breaks.

model_check.py [ok | all | MUTANT]      'all' (the default) checks the protocol as it is, and that every mutant is caught

The model follows the functions of migrations/*_delivery.sql, step by step, with small numbers: one message, two workers, one
gateway that reports what it took (and may lose, repeat, reorder and hasten its reports), at most TRIES attempts and one resend.
Time is left out: a lease may lapse and a hold may end at any moment, which covers slow workers, sleeping machines and clocks that jump.

A worker, named after the claim it holds, is idle, has the row claimed under its fence, or knows an answer that it has not written
yet. It may die at any of these.
"""

import sys
from collections import deque, namedtuple

TRIES = 3    # attempts that count, before the message is given up (the product: eight)
FENCES = 4   # claims in all: what bounds the search
RESENDS = 1

# Which status leads where: the table delivery_arrows, which a trigger enforces.
ARROWS = {
    "pending": {"sending", "suppressed", "dead"},
    "failed": {"sending", "suppressed", "dead", "sent", "delivered", "read", "undelivered"},
    "sending": {"sent", "failed", "unknown", "dead", "delivered", "read", "undelivered"},
    "unknown": {"sent", "delivered", "read", "undelivered", "failed", "dead"},
    "sent": {"delivered", "read", "undelivered"},
    "undelivered": {"delivered", "read"},
    "delivered": {"read"},
    "read": set(),
    "dead": {"sent", "delivered", "read", "undelivered"},
    "suppressed": set(),
}
RANK = {s: i for i, s in enumerate(["pending", "failed", "sending", "unknown", "dead", "sent", "undelivered", "delivered", "read"])}
REPORTS = ("sent", "undelivered", "delivered", "read")
AT_REST = {"sent", "undelivered", "delivered", "read", "dead", "suppressed"}

# resends: ambiguous_resends. marked: possible_duplicate. tried: a first attempt has failed (failed_at), so that the next claim counts.
# live: the fence whose lease has not lapsed, 0 for none. refused: the person has said STOP. taken: how often the gateway accepted; what
# it took it may report at any time, in any order, or never. by_ref, by_id: the best stored report under our reference and under the
# gateway's own id. replaced: its SMS went instead. has_id: that id is in the row. workers: None | ("claimed", fence) | ("knows", fence, answer).
State = namedtuple("State", "status fence retries resends marked tried live refused replaced taken by_ref by_id has_id workers")
START = State("pending", 0, 0, 0, False, False, 0, False, False, 0, "", "", False, (None, None))
ANSWERS = ("accepted", "ambiguous", "retry", "permanent", "hold")

MUTANTS = {
    "no_fence": "finish_outbound() does not compare the fence",
    "lapsed_is_failed": "a lapsed lease leads to failed instead of unknown",
    "lapsed_is_pending": "a lapsed lease leads back to pending",
    "ambiguous_is_retry": "an answer that was lost counts as a refusal",
    "reports_overwrite": "the last report wins instead of the best",
    "resend_unmarked": "the resend does not set possible_duplicate",
    "second_resend": "a held unknown is sent again each time",
    "claims_unknown": "claim_outbound() takes unknown rows too",
    "hold_never_ends": "the sweep forgets rows in unknown",
    "early_report_forgotten": "finish_outbound() does not come back to the reports that came before the answer",
    "finish_downgrades": "an answer is written over what a report has raised",
    "replaced_ignored": "a message that went by SMS instead is put back in the queue",
    "stop_ignored": "finish_outbound() puts a message back in the queue whose person has said STOP",
}


class Illegal(Exception):
    """The referee has refused an arrow: in the product an exception, here a fault of the model or of a mutant."""


def move(s, status, **more):
    if status != s.status and status not in ARROWS[s.status]:
        raise Illegal(f"{s.status} does not lead to {status}")
    return s._replace(status=status, **more)


def with_worker(s, i, what):
    return s._replace(workers=tuple(what if j == i else w for j, w in enumerate(s.workers)))


def best_known(s):
    return max(s.by_ref, s.by_id if s.has_id else "", key=lambda e: RANK.get(e, -1))


def apply_reports(s):
    """apply_status_events(): the best of the stored reports, if it is better than what the row says. By our reference, so that it
    needs no id; a gateway that only knows its own id reports in vain until the answer has brought it."""
    best = best_known(s)
    if best == "":
        return s
    if RANK[best] > RANK.get(s.status, 99) and best in ARROWS[s.status]:
        s = move(s, best, live=0)
    return s


def claim(s, i, mutant):
    """claim_outbound(): what is due is committed as sending before a byte leaves; the fence goes up."""
    may = {"pending", "failed"} | ({"unknown"} if mutant == "claims_unknown" else set())
    if s.status in may and s.fence < FENCES:
        moved = s._replace(status="sending") if mutant == "claims_unknown" else move(s, "sending")
        counted = s.retries + 1 if s.tried else s.retries
        yield f"claim {s.fence + 1}", with_worker(moved._replace(fence=s.fence + 1, live=s.fence + 1, retries=counted), i, ("claimed", s.fence + 1))


def send(s, i):
    """On the wire: the gateway takes it or not, its answer comes or not."""
    _, fence = s.workers[i]
    took = s._replace(taken=s.taken + 1)
    yield f"worker {fence} sends, accepted", with_worker(took, i, ("knows", fence, "accepted"))
    yield f"worker {fence} sends, accepted, answer lost", with_worker(took, i, ("knows", fence, "ambiguous"))
    for answer in ("ambiguous", "retry", "permanent", "hold"):
        yield f"worker {fence} sends, not accepted: {answer}", with_worker(s, i, ("knows", fence, answer))


def finish(s, i, mutant):
    """finish_outbound(): the answer is written behind the fence."""
    _, fence, answer = s.workers[i]
    idle = with_worker(s, i, None)
    if fence != s.fence and mutant != "no_fence":
        return idle
    if s.status in ("pending", "failed", "suppressed"):
        return idle
    if answer == "accepted":
        idle = idle._replace(has_id=True)
    overtaken = not (s.status in ("sending", "unknown") or (s.status == "dead" and answer == "accepted"))
    if overtaken and mutant == "finish_downgrades":
        return apply_reports(idle._replace(status={"accepted": "sent", "ambiguous": "unknown"}.get(answer, "failed"), live=0))
    if overtaken:
        return apply_reports(idle._replace(live=0))
    if mutant == "ambiguous_is_retry" and answer == "ambiguous":
        answer = "retry"
    new = {"accepted": "sent", "permanent": "dead", "ambiguous": "unknown", "hold": "failed"}.get(
        answer, "dead" if s.retries >= TRIES - 1 else "failed")
    done = move(idle, new, live=0 if fence == s.live else s.live)
    if new in ("failed", "dead") and answer != "hold":
        done = done._replace(tried=True)
    if answer == "hold":
        done = done._replace(retries=max(0, s.retries - 1))
    if new == "failed" and (s.refused and mutant != "stop_ignored" or s.replaced and mutant != "replaced_ignored"):
        done = move(done, "suppressed")
    return done if mutant == "early_report_forgotten" else apply_reports(done)


def sweep(s, mutant):
    """sweep_outbound(): what time has overtaken. Nobody knows whether a lapsed lease's message left."""
    if s.status == "sending":
        to = {"lapsed_is_failed": "failed", "lapsed_is_pending": "pending"}.get(mutant, "unknown")
        yield "the lease lapses", s._replace(status=to, live=0)
    if s.status == "unknown" and mutant != "hold_never_ends":
        again = (s.resends < RESENDS or mutant == "second_resend") and s.retries < TRIES - 1 and not s.refused and not s.replaced
        if again:
            yield "held long enough: once more", move(s, "failed", resends=s.resends + 1, tried=True, live=0,
                                                      marked=s.marked or mutant != "resend_unmarked")
        else:
            yield "held long enough: given up", move(s, "dead", tried=True, live=0)
    if s.status in ("pending", "failed"):
        yield "expires", move(s, "dead", tried=True)


def report(s, mutant):
    """record_status_events(): what the gateway says of a message it took is kept as evidence, then applied."""
    if s.taken == 0:
        return
    for word in REPORTS:
        for key in ("by_ref", "by_id"):
            if mutant == "reports_overwrite" and (s.has_id or key == "by_ref"):
                yield f"report {word} {key}", s._replace(status=word, live=0)
            else:
                best = max(getattr(s, key), word, key=lambda e: RANK.get(e, -1))
                yield f"report {word} {key}", apply_reports(s._replace(**{key: best}))


def steps(s, mutant):
    for i, w in enumerate(s.workers):
        if w is None:
            yield from claim(s, i, mutant)
            continue
        yield f"worker {w[1]} dies", with_worker(s, i, None)
        if w[0] == "claimed":
            yield from send(s, i)
        else:
            yield f"worker {w[1]} writes {w[2]}", finish(s, i, mutant)
    yield from sweep(s, mutant)
    yield from report(s, mutant)
    if not s.replaced and s.status in ("pending", "failed", "sending", "unknown"):
        # messages_fall_back(): what has not left is given up, what is in flight is not sent again
        waits = s.status in ("pending", "failed")
        yield "the SMS goes instead", move(s, "suppressed", replaced=True) if waits else s._replace(replaced=True)
    if not s.refused:
        # record_inbound_message() with STOP suppresses what is in the queue; what is in flight is finish_outbound()'s business
        yield "the person says STOP", (move(s, "suppressed", refused=True) if s.status in ("pending", "failed") else s._replace(refused=True))


def fault(before, step, s, mutant):
    """What must never be; None when all is well."""
    if s.status in ("sent", "delivered", "read") and s.taken == 0:
        return "said to be sent, but the gateway never took it"
    if s.taken > 1 + s.resends:
        return "sent more often than it was resent"
    if s.resends > RESENDS:
        return "resent more often than allowed"
    if s.taken > 1 and not s.marked:
        return "doubled and not marked"
    if RANK.get(before.status, 0) > RANK.get(s.status, 99) and before.status in REPORTS:
        return f"{before.status} became {s.status}"
    if step.startswith("claim") and before.live != 0:
        return "claimed while somebody's lease runs"
    if s.status in ("pending", "failed") and s.refused and mutant in ("ok", "stop_ignored"):  # or every mutant would end here
        return "waits to be sent to somebody who has said STOP"
    if s.status in ("pending", "failed") and s.replaced and mutant in ("ok", "replaced_ignored"):
        return "waits to be sent though its SMS has gone"
    best = best_known(s)
    if best and s.status in ("sent", "undelivered", "delivered") and RANK[best] > RANK[s.status]:
        return "a better report is known and was not applied"
    if s.retries >= TRIES:
        return "more attempts than allowed"
    return None


def small(s):
    """The same state for all that follows: who of the two workers is who does not matter."""
    a, b = s.workers
    key = lambda w: "" if w is None else repr(w)  # noqa: E731
    return s if key(a) <= key(b) else s._replace(workers=(b, a))


def search(mutant):
    """Breadth first, so that what is found is found by the shortest way. Returns (states, edges, complaint or None, way)."""
    came = {START: None}
    back = {}
    queue = deque([START])
    while queue:
        s = queue.popleft()
        try:
            for step, raw in steps(s, mutant):
                n = small(raw)
                back.setdefault(n, []).append(s)
                wrong = fault(s, step, raw, mutant)
                if n not in came:
                    came[n] = (s, step)
                    queue.append(n)
                if wrong:
                    return came, back, wrong, way_to(came, s) + [step]
        except Illegal as e:
            return came, back, f"the referee refuses: {e}", way_to(came, s)
    return came, back, None, []


def way_to(came, s):
    steps_back = []
    while came[s] is not None:
        s, step = came[s]
        steps_back.append(step)
    return steps_back[::-1]


def stuck(came, back):
    """States from which nothing leads to rest any more: a message that hangs for ever."""
    good = {s for s in came if s.status in AT_REST}
    queue = deque(good)
    while queue:
        for before in back.get(queue.popleft(), []):
            if before not in good:
                good.add(before)
                queue.append(before)
    return [s for s in came if s not in good]


def examine(mutant):
    came, back, wrong, way = search(mutant)
    if wrong is None:
        hanging = stuck(came, back)
        if hanging:
            wrong, way = "hangs for ever", way_to(came, hanging[0])
    return len(came), wrong, way


def main():
    asked = sys.argv[1] if len(sys.argv) > 1 else "all"
    names = ["ok", *MUTANTS] if asked == "all" else [asked]
    failures = 0
    for name in names:
        if name != "ok" and name not in MUTANTS:
            sys.exit(f"no such mutant: {name}; there are {', '.join(MUTANTS)}")
        states, wrong, way = examine(name)
        failures += (wrong is None) != (name == "ok")
        if wrong is None:
            print(f"{name:<22} {states:>7} states, nothing wrong, nothing stuck" + ("" if name == "ok" else "  NOT CAUGHT"), flush=True)
        else:
            print(f"{name:<22} after {len(way)} steps: {wrong}\n    {'; '.join(way)}", flush=True)
    print(f"{len(names)} models, {failures} not as expected")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
