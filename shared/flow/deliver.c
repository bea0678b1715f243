/*
 * deliver - claim, send, finish. The row is committed as 'sending' before the first byte leaves,
 * and no transaction is open while it does.
 */
#include "flow/deliver.h"

#include "base/clk.h"
#include "base/crash.h"
#include "base/str.h"
#include "model/delivery.h"
#include "provider/provider.h"

#define MAX_LANES          8
#define CONNECT_TIMEOUT_MS 5000
#define SEND_TIMEOUT_MS    40000 /* long: every early abort turns an answer into a guess */

/* One provider's share of the wire. */
struct lane {
    const struct provider *provider;
    int active;
};

/* An outcome not written yet; its texts live in the engine's arena until the flush. */
struct finished {
    struct delivery_outcome outcome;
    enum channel channel;
    const char *type;
    const char *session_id;
    const char *correlation_id;
    struct phone phone;
    struct finished *next;
};

struct deliver {
    struct arena *arena;
    struct arena *done_arena; /* what 'done' points to; emptied by each flush */
    struct flow *flow;
    struct lane lanes[MAX_LANES];
    size_t n_lanes;
    int max_in_flight;
    struct finished *done;
    size_t n_done;
};

/* One send in flight; lives in its own arena. */
struct send {
    struct arena *arena;
    struct deliver *engine;
    struct lane *lane;
    struct delivery row;
};

struct deliver *
deliver_new(struct flow *f, int max_in_flight)
{
    struct arena *a = arena_new();
    struct deliver *d = arena_alloc(a, sizeof(*d));

    d->arena = a;
    d->done_arena = arena_new();
    d->flow = f;
    d->max_in_flight = max_in_flight;
    for (size_t i = 0; provider_all[i] != NULL && d->n_lanes < MAX_LANES; i++) {
        if (provider_all[i]->configured(f->config))
            d->lanes[d->n_lanes++].provider = provider_all[i];
    }
    return d;
}

void
deliver_free(struct deliver **d)
{
    struct arena *a;

    if (*d == NULL)
        return;
    arena_free(&(*d)->done_arena);
    a = (*d)->arena;
    *d = NULL;
    arena_free(&a);
}

/* Keeps an outcome for the next flush; everything is copied, the send's own memory goes. */
static void
keep_outcome(struct deliver *d, const struct delivery *row, const struct send_result *result,
             const struct http_response *r)
{
    struct arena *a = d->done_arena;
    struct finished *f = arena_alloc(a, sizeof(*f));

    f->outcome = (struct delivery_outcome){
        .id = arena_strdup(a, row->id),
        .fence = row->fence,
        .outcome = outcome_text(result->outcome),
        .external_id = arena_strdup(a, result->external_id),
        .error_code = arena_strdup(a, result->error_code),
        .error_message = r->reach == HTTP_ANSWERED
                             ? arena_printf(a, "%s answered HTTP %d", row->provider, r->status)
                             : arena_strdup(a, r->why),
        .http_status = r->status,
        .retry_after_s = result->retry_after_s,
        .took_ms = r->took_ms,
        .cost_rwf = result->cost_rwf != NULL ? arena_strdup(a, result->cost_rwf) : NULL,
    };
    f->channel = row->channel;
    f->type = arena_strdup(a, row->type);
    f->session_id = arena_strdup(a, row->session_id);
    f->correlation_id = arena_strdup(a, row->correlation_id);
    f->phone = row->phone;
    f->next = d->done;
    d->done = f;
    d->n_done++;
}

static void
on_answer(void *ctx, const struct http_response *r)
{
    struct send *s = ctx;
    struct arena *a = s->arena;
    struct send_result result = provider_read(s->lane->provider, a, r);

    CRASH_POINT("delivery_answered");
    s->lane->active--;
    keep_outcome(s->engine, &s->row, &result, r);
    arena_free(&a);
}

int
deliver_timeout_ms(const struct config *c)
{
    int half = c->lease_s * 1000 / 2;

    return half < SEND_TIMEOUT_MS ? half : SEND_TIMEOUT_MS;
}

static void
refuse(struct deliver *d, const struct delivery *row, enum outcome outcome, const char *code)
{
    keep_outcome(d, row, &(struct send_result){ outcome, "", code, 0, NULL },
                 &(struct http_response){ .reach = HTTP_NOT_SENT, .body = "", .why = "" });
}

/* Plans are made by the same rule; but settings change, and rows come from outside the programs. */
static bool
is_served(const struct config *c, const struct delivery *row)
{
    return row->channel != CHANNEL_SMS || phone_sms_allowed(&row->phone, c->sms_allowed_prefixes);
}

static void
start_send(struct deliver *d, struct lane *lane, const struct delivery *row)
{
    struct arena *a = arena_new();
    struct send *s = arena_alloc(a, sizeof(*s));
    struct outbound m = {
        .id = row->id,
        .to = str_empty(row->phone.e164) ? row->bsuid : row->phone.e164,
        .to_is_bsuid = str_empty(row->phone.e164),
        .text = row->content,
        .is_template = row->is_template,
        .options = row->options,
        .language = row->language,
        .correlation_id = row->correlation_id,
    };
    struct http_request req;
    struct err e = { 0 };

    *s = (struct send){ .arena = a, .engine = d, .lane = lane };
    s->row = *row;
    s->row.id = arena_strdup(a, row->id);
    s->row.provider = lane->provider->name;
    s->row.type = arena_strdup(a, row->type);
    s->row.session_id = arena_strdup(a, row->session_id);
    s->row.correlation_id = arena_strdup(a, row->correlation_id);
    if (!is_served(d->flow->config, row) ||
        !lane->provider->build(a, d->flow->config, &m, &req, &e)) {
        refuse(d, row, OUTCOME_PERMANENT, e.kind == ERR_NONE ? "number_not_served" : "unsendable");
        arena_free(&a);
        return;
    }
    req.timeout_ms = deliver_timeout_ms(d->flow->config);
    req.connect_timeout_ms =
        req.timeout_ms < CONNECT_TIMEOUT_MS ? req.timeout_ms : CONNECT_TIMEOUT_MS;
    lane->active++;
    http_start(d->flow->http, &req, on_answer, s);
    CRASH_POINT("delivery_started");
}

static bool
pump_lane(struct deliver *d, struct lane *lane, const char *ids, int *started, struct err *e)
{
    struct arena *a = arena_new();
    struct delivery_want want = {
        .provider = lane->provider->name,
        .worker = d->flow->worker,
        .want = d->max_in_flight - lane->active,
        .lease_s = d->flow->config->lease_s,
        .ids = ids,
    };
    int64_t asked = clk_mono_ms();
    struct delivery *rows;
    size_t n = 0;
    /* Claims come in batches: one for every answer would cost more than the sends. */
    bool room = want.want > 0 && want.want >= d->max_in_flight / 2;
    bool ok = !room || delivery_claim(d->flow->db, a, &want, &rows, &n, e);

    if (n > 0)
        CRASH_POINT("delivery_claimed");
    for (size_t i = 0; ok && i < n; i++) {
        /* A claim that took half its lease (a machine that slept) is not begun: somebody else may
         * have it soon. */
        if (clk_mono_ms() - asked < want.lease_s * 500LL) {
            start_send(d, lane, &rows[i]);
            *started += 1;
        } else {
            refuse(d, &rows[i], OUTCOME_NOTSENT, "slow_claim");
        }
    }
    arena_free(&a);
    return ok;
}

bool
deliver_pump(struct deliver *d, const char *ids, int *started, struct err *e)
{
    struct err why = { 0 };
    bool ok = true;

    *started = 0;
    for (size_t i = 0; i < d->n_lanes && why.kind != ERR_TEMP; i++) {
        if (pump_lane(d, &d->lanes[i], ids, started, &why))
            continue;
        *e = why;
        ok = false;
    }
    return ok;
}

static void
log_outcome(struct flow *f, const struct finished *d)
{
    const struct delivery_outcome *o = &d->outcome;
    bool accepted = str_eq(o->outcome, outcome_text(OUTCOME_ACCEPTED));
    bool is_sms = d->channel == CHANNEL_SMS;
    const struct log_field fields[] = {
        LF_ID("message_id", o->id),     LF_ID("session_id", d->session_id),
        LF_ID("type", d->type),         LF_PHONE("to", &d->phone),
        LF_ID("status", o->new_status), LF_INT("took_ms", o->took_ms),
        LF_ID("outcome", o->outcome), /* from here on only for failures */
        LF_ID("code", o->error_code),
    };

    log_set_correlation(f->log, d->correlation_id);
    if (str_empty(o->new_status))
        log_event(f->log, STALE_FENCE, LF_ID("message_id", o->id), LF_ID("outcome", o->outcome));
    else if (accepted)
        log_write(f->log, is_sms ? EV_SMS_SEND_SUCCESS : EV_WHATSAPP_SEND_SUCCESS, fields,
                  COUNT_OF(fields) - 2);
    else
        log_write(f->log, is_sms ? EV_SMS_SEND_FAILED : EV_WHATSAPP_SEND_FAILED, fields,
                  COUNT_OF(fields));
}

static bool
write_outcomes(struct deliver *d, struct delivery_outcome *outcomes, size_t n, struct err *e)
{
    struct arena *a = arena_new();
    bool ok = delivery_finish(d->flow->db, a, outcomes, n, d->flow->config->unknown_hold_s,
                              d->flow->config->backoff_scale, e);

    for (size_t i = 0; ok && i < n; i++)
        outcomes[i].new_status = arena_strdup(d->done_arena, outcomes[i].new_status);
    arena_free(&a);
    return ok;
}

/* Writes each outcome for itself, after the database has refused them together: one sick outcome
 * costs no other. The sick one is written without its texts; if it is refused even so, its lease
 * lapses, and its row is 'unknown'. False only with ERR_TEMP, then all are kept: those that were
 * written change nothing when they come again. */
static bool
write_one_by_one(struct deliver *d, struct delivery_outcome *outcomes, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct delivery_outcome *o = &outcomes[i];
        struct err why = { 0 };

        if (write_outcomes(d, o, 1, &why))
            continue;
        if (why.kind != ERR_TEMP) {
            log_event(d->flow->log, OUTCOME_REFUSED, LF_ID("message_id", o->id), LF_ERR(&why));
            o->external_id = o->error_code = o->error_message = "";
            o->cost_rwf = NULL;
            why = (struct err){ 0 };
            if (write_outcomes(d, o, 1, &why))
                continue;
            o->new_status = "not_written";
        }
        if (why.kind == ERR_TEMP) {
            *e = why;
            return false;
        }
    }
    return true;
}

bool
deliver_flush(struct deliver *d, struct err *e)
{
    struct arena *a;
    struct delivery_outcome *outcomes;
    size_t n = 0;
    bool ok;

    if (d->n_done == 0)
        return true;
    a = arena_new();
    outcomes = arena_array(a, d->n_done, sizeof(*outcomes));
    for (struct finished *f = d->done; f != NULL; f = f->next)
        outcomes[n++] = f->outcome;
    CRASH_POINT("delivery_before_finish");
    ok = write_outcomes(d, outcomes, n, e) ||
         (e->kind != ERR_TEMP && write_one_by_one(d, outcomes, n, e));
    CRASH_POINT("delivery_after_finish");
    n = 0;
    for (struct finished *f = d->done; ok && f != NULL; f = f->next) {
        f->outcome.new_status = outcomes[n++].new_status;
        log_outcome(d->flow, f);
    }
    arena_free(&a);
    if (ok) {
        d->done = NULL;
        d->n_done = 0;
        arena_reset(d->done_arena);
    }
    return ok;
}

static int
on_the_wire(const struct deliver *d)
{
    int active = 0;

    for (size_t i = 0; i < d->n_lanes; i++)
        active += d->lanes[i].active;
    return active;
}

int
deliver_busy(const struct deliver *d)
{
    return on_the_wire(d) + (int)d->n_done;
}
