/*
 * call_run - the life of one action. The outcome is written behind the fence; a call that is not
 * taken is turned away only then, so that its person is told in any case.
 */
#include "flow/call_run.h"

#include "base/clk.h"
#include "base/crash.h"
#include "base/str.h"
#include "flow/call_actions.h"
#include "model/call_log.h"

#define CONNECT_TIMEOUT_MS 3000
#define STEP_TIMEOUT_MS    6000
#define LAST_TIMEOUT_MS    6000  /* of what comes after the outcome, when the lease is over */
#define WRITE_FOR_MS       60000 /* an outcome the database does not take */
#define FETCH_TRIES        12    /* of a transcript; it appears within minutes or not at all */
#define REFUSED_TRIES      3

struct call_run *
call_run_new(struct flow *f, const char *id)
{
    struct arena *a = arena_new();
    struct call_run *r = arena_alloc(a, sizeof(*r));

    *r = (struct call_run){ .id = arena_strdup(a, id), .began_ms = clk_mono_ms() };
    r->job = (struct call_job){
        .arena = a, .config = f->config, .sdp = "", .url = "", .transcript = "", .sip_status = 603
    };
    return r;
}

static void
end_run(struct call_run *r, const struct call_action_end *end, enum call_step last)
{
    r->end = *end;
    r->last = last;
    r->state = RUN_ENDED;
}

static bool
is_offer(const struct call_run *r)
{
    return r->job.row.kind == CALL_ACTION_ANSWER || r->job.row.kind == CALL_ACTION_ACCEPT;
}

static void
on_answer(void *ctx, const struct http_response *r)
{
    struct call_run *run = ctx;
    struct arena *a = run->job.arena;

    CRASH_POINT("call_action_answered");
    run->answer = *r;
    run->answer.body = arena_strndup(a, r->body, r->body_len);
    run->answer.why = arena_strdup(a, r->why);
    run->state = RUN_ANSWERED;
}

/* How long the next request may take: what is left of the lease, short of its end. */
static int
time_left_ms(const struct flow *f, const struct call_run *r)
{
    int64_t left = r->began_ms + call_actions_lease_s(f) * 900LL - clk_mono_ms();

    if (r->is_last)
        return LAST_TIMEOUT_MS;
    return left < STEP_TIMEOUT_MS ? (int)left : STEP_TIMEOUT_MS;
}

/* False when the action is somebody else's by now. A database that is away does not keep the caller
 * waiting. */
static bool
note_acceptance(struct flow *f, struct call_run *r)
{
    struct err e = { 0 };
    bool held = true;

    if (!call_action_note(f->db, r->job.arena, r->id, r->job.row.token, r->job.sdp, &held, &e))
        log_event(f->log, DATABASE_AWAY, LF_ID("action_id", r->id), LF_ERR(&e));
    if (!held)
        log_event(f->log, STALE_FENCE, LF_ID("action_id", r->id), LF_ID("outcome", "accept"));
    CRASH_POINT("call_action_noted");
    return held;
}

static void
start_step(struct flow *f, struct call_run *r, enum call_step step)
{
    struct http_request req;
    int left;

    if (r->step != step)
        r->tried = false;
    r->step = step;
    if (call_step_may_have_connected(step) && !r->tried && !note_acceptance(f, r)) {
        r->state = RUN_OVER;
        return;
    }
    left = time_left_ms(f, r);
    if (left <= 0) {
        r->answer = (struct http_response){ .reach = HTTP_NOT_SENT, .body = "", .why = "too slow" };
        r->tried = true;
        r->state = RUN_ANSWERED;
        return;
    }
    call_step_build(&r->job, step, &req);
    req.timeout_ms = left;
    req.connect_timeout_ms = left < CONNECT_TIMEOUT_MS ? left : CONNECT_TIMEOUT_MS;
    r->state = RUN_ON_WIRE;
    http_start(f->http, &req, on_answer, r);
    CRASH_POINT("call_action_started");
}

/* An offer that is not taken: the caller hears it at once, and reads it. A step that may have
 * connected the call all the same is left alone: the call's end will tell. */
static void
give_up_offer(struct call_run *r, const struct call_answer *answer)
{
    bool unknown = r->maybe && call_step_may_have_connected(r->step);

    r->job.sip_status = answer->verdict == CALL_AGAIN ? 486 : 603; /* busy now, or not at all */
    end_run(
        r, &(struct call_action_end){ .error_code = answer->code, .retry_s = -1, .lost = !unknown },
        unknown ? STEP_NONE : call_step_after_failure(r->step));
}

static void
put_off(struct flow *f, struct call_run *r, const struct call_answer *answer)
{
    int64_t tries = r->job.row.attempts;
    bool over = answer->verdict == CALL_REFUSED ? tries >= REFUSED_TRIES : tries >= FETCH_TRIES;
    double wait_s = 5.0 * (double)(1LL << (tries < 7 ? tries : 7)); /* ten seconds to ten minutes */

    end_run(r,
            &(struct call_action_end){ .error_code = answer->code,
                                       .retry_s = over ? -1 : wait_s * f->config->backoff_scale },
            call_step_after_failure(r->step));
}

static void
take_answer(struct flow *f, struct call_run *r)
{
    struct call_answer answer = call_step_read(&r->job, r->step, &r->answer);
    enum call_step next = call_step_next(r->step);
    bool again = answer.verdict == CALL_AGAIN;

    if (answer.verdict == CALL_UNKNOWN && call_step_may_have_connected(r->step))
        r->maybe = again = true; /* asked twice, the far end says how it stands */
    if (r->is_last) {            /* whatever it was: the next courtesy, or the end */
        next = call_step_after_failure(r->step);
        if (next == STEP_NONE || str_empty(r->job.sdp))
            r->state = RUN_OVER;
        else
            start_step(f, r, next);
    } else if (answer.verdict == CALL_TAKEN && next != STEP_NONE) {
        start_step(f, r, next);
    } else if (answer.verdict == CALL_TAKEN) {
        end_run(r,
                &(struct call_action_end){
                    .done = true, .error_code = "", .answered = r->step == STEP_SIP_ACCEPT },
                STEP_NONE);
    } else if (again && !r->tried) {
        r->tried = true;
        start_step(f, r, r->step);
    } else if (is_offer(r)) {
        give_up_offer(r, &answer);
    } else {
        put_off(f, r, &answer);
    }
}

/* What there is no use in trying, and why; "" for nothing. */
static const char *
futile(const struct call_run *r)
{
    if (is_offer(r) && r->job.row.is_over)
        return "call_over";
    if (r->job.row.is_expired)
        return "expired";
    return call_step_first(&r->job) == STEP_NONE ? "not_configured" : "";
}

static void
begin_run(struct flow *f, struct call_run *r, const struct call_action *row)
{
    const char *why;

    r->job.row = *row;
    r->maybe = row->may_be_taken;
    why = futile(r);
    if (str_empty(why) && r->maybe) { /* the same once more: a second offer would end the first */
        r->job.sdp = row->answer_sdp;
        start_step(f, r, row->kind == CALL_ACTION_ANSWER ? STEP_ACCEPT : STEP_SIP_ACCEPT);
        return;
    }
    if (str_empty(why)) {
        start_step(f, r, call_step_first(&r->job));
        return;
    }
    end_run(r,
            &(struct call_action_end){ .error_code = why,
                                       .retry_s = -1,
                                       .lost = is_offer(r) && !row->is_over && !r->maybe },
            /* Somebody before us may have opened a session. */
            row->kind == CALL_ACTION_ANSWER && row->attempts > 1 && (row->is_over || !r->maybe)
                ? STEP_REJECT
                : STEP_NONE);
    if (r->last != STEP_NONE)
        r->job.sdp = "unknown";
}

/* False while the database is away. */
static bool
load_run(struct flow *f, struct call_run *r)
{
    struct call_action *row;
    struct err e = { 0 };
    size_t n = 0;

    if (call_action_load(f->db, r->job.arena, &r->id, 1, f->worker, &row, &n, &e)) {
        if (n == 0) /* its lease has gone to somebody else */
            r->state = RUN_OVER;
        else
            begin_run(f, r, row);
        return true;
    }
    log_event(f->log, DATABASE_AWAY, LF_ID("action_id", r->id), LF_ERR(&e));
    if (clk_mono_ms() - r->began_ms > call_actions_lease_s(f) * 1000LL)
        r->state = RUN_OVER;
    return false;
}

/* Without our address its agent has no tools: no notes, and a summary without a text. */
static void
log_without_tools(struct flow *f, const struct call_run *r)
{
    if (r->end.done && r->job.row.kind == CALL_ACTION_ACCEPT && str_empty(f->config->public_url))
        log_event(f->log, CALL_WITHOUT_TOOLS, LF_ID("call_id", r->job.row.call_id));
}

static void
log_end(struct flow *f, const struct call_run *r)
{
    const struct call_action *row = &r->job.row;
    const char *kind = call_action_text(row->kind);

    if (r->end.done && is_offer(r))
        log_event(f->log, CALL_ACCEPTED, LF_ID("call_id", row->call_id), LF_ID("kind", kind),
                  LF_ID("session_id", row->session_id),
                  LF_INT("took_ms", clk_mono_ms() - r->began_ms));
    else if (r->end.done)
        log_event(f->log, CALL_ACTION_DONE, LF_ID("call_id", row->call_id), LF_ID("kind", kind),
                  LF_TEXT("transcript", r->job.transcript));
    else if (r->end.lost)
        log_event(f->log, CALL_REJECTED, LF_ID("call_id", row->call_id), LF_ID("kind", kind),
                  LF_ID("session_id", row->session_id), LF_ID("reason", r->end.error_code),
                  LF_INT("step", r->step));
    else
        log_event(f->log, CALL_ACTION_FAILED, LF_ID("call_id", row->call_id), LF_ID("kind", kind),
                  LF_ID("reason", r->end.error_code), LF_INT("attempt", row->attempts),
                  LF_INT("retry_s", (int64_t)r->end.retry_s));
    log_without_tools(f, r);
}

/* The text of a call that is over; an empty or broken one leaves the call as it is. */
static bool
store_transcript(struct flow *f, const struct call_run *r, struct err *e)
{
    const struct call_facts facts = { .call_id = r->job.row.call_id,
                                      .transcript = r->job.transcript,
                                      .answered = "t",
                                      .is_over = true,
                                      .wait_s = f->config->summary_wait_s };
    struct call_stored stored;

    return str_empty(r->job.transcript) || !r->end.done ||
           call_log_record(f->db, r->job.arena, &facts, &stored, e);
}

/* False while the database is away. */
static bool
write_end(struct flow *f, struct call_run *r)
{
    struct err e = { 0 };
    bool held = false;

    CRASH_POINT("call_action_before_finish");
    if (!store_transcript(f, r, &e) ||
        !call_action_finish(f->db, r->job.arena, r->id, r->job.row.token, &r->end, &held, &e)) {
        log_event(f->log, DATABASE_AWAY, LF_ID("action_id", r->id), LF_ERR(&e));
        if (e.kind != ERR_TEMP || clk_mono_ms() - r->began_ms > WRITE_FOR_MS)
            r->state = RUN_OVER;
        return e.kind != ERR_TEMP;
    }
    CRASH_POINT("call_action_after_finish");
    r->is_last = true;
    if (held)
        log_end(f, r);
    else
        log_event(f->log, STALE_FENCE, LF_ID("action_id", r->id),
                  LF_ID("outcome", r->end.error_code));
    if (held && (r->end.lost || !str_empty(r->job.transcript)))
        wake_send(f->config->wake_socket); /* there is something to tell */
    if (held && r->last != STEP_NONE)
        start_step(f, r, r->last);
    else
        r->state = RUN_OVER;
    return true;
}

bool
call_run_advance(struct flow *f, struct call_run *r)
{
    if (r->state != RUN_ON_WIRE)
        log_set_correlation(f->log, r->id);
    if (r->state == RUN_ADDED && !load_run(f, r))
        return false;
    while (r->state == RUN_ANSWERED)
        take_answer(f, r);
    return r->state != RUN_ENDED || write_end(f, r);
}
