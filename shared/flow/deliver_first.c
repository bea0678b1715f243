/*
 * deliver_first - the first attempt somebody waits for, and what is still on the wire when they got
 * their answer.
 */
#include "base/clk.h"
#include "base/str.h"
#include "flow/deliver.h"

#define AWAY_PAUSE_MS 1000
/* A worker may be taking the rows at this moment, and its claim is not to be seen yet. After so
 * many looks it is something else: the provider is paused, or an earlier message blocks. */
#define IDLE_LOOKS    4
#define IDLE_PAUSE_MS 25

/* An engine whose caller has gone; lives in its own arena. */
struct unfinished {
    struct arena *arena;
    struct deliver *engine;
    struct unfinished *next;
};

/* How many of these rows wait for their first attempt, and how many of them are on the wire with us
 * or with another worker. */
static bool
count_open(struct flow *f, const char *const *ids, size_t n, size_t *pending, size_t *sending,
           struct err *e)
{
    struct arena *a = arena_new();
    struct message_state *states;
    size_t found = 0;
    bool ok = message_states(f->db, a, ids, n, &states, &found, e);

    *pending = 0;
    *sending = 0;
    for (size_t i = 0; ok && i < found; i++) {
        *pending += str_eq(states[i].status, "pending");
        *sending += str_eq(states[i].status, "sending");
    }
    arena_free(&a);
    return ok;
}

static void
keep(struct flow *f, struct deliver *d)
{
    struct arena *a = arena_new();
    struct unfinished *u = arena_alloc(a, sizeof(*u));

    *u = (struct unfinished){ .arena = a, .engine = d, .next = f->unfinished };
    f->unfinished = u;
}

/* Takes the first of a list off it, and its engine with it. */
static void
let_go(struct unfinished **link)
{
    struct unfinished *u = *link;
    struct arena *a = u->arena;

    *link = u->next;
    deliver_free(&u->engine);
    arena_free(&a);
}

bool
deliver_first_attempt(struct flow *f, const char *const *ids, size_t n, int timeout_ms,
                      struct err *e)
{
    struct arena *a = arena_new();
    struct deliver *d = deliver_new(f, (int)n);
    const char *wanted = db_array(a, ids, n);
    int64_t deadline = clk_mono_ms() + timeout_ms;
    size_t pending = n;
    size_t sending = 0;
    int idle = 0; /* looks in a row at which nothing could be started */
    bool ok = true;
    int started;

    while (ok && idle < IDLE_LOOKS && pending + sending > 0 && clk_mono_ms() < deadline) {
        if (idle > 0)
            (void)http_step(f->http, IDLE_PAUSE_MS);
        ok = deliver_pump(d, wanted, &started, e);
        if (ok && (started > 0 || deliver_busy(d) > 0 || sending > 0))
            (void)http_step(f->http, 50); /* sending with another worker: look again soon */
        ok = ok && deliver_flush(d, e);
        if (ok && deliver_busy(d) == 0)
            ok = count_open(f, ids, n, &pending, &sending, e);
        idle = started == 0 && deliver_busy(d) == 0 && sending == 0 ? idle + 1 : 0;
    }
    arena_free(&a);
    if (deliver_busy(d) > 0)
        keep(f, d);
    else
        deliver_free(&d);
    return ok;
}

/* Writes what has come, and lets go of those that have nothing left. False while the database does
 * not take it: it is kept and tried again. */
static bool
settle(struct flow *f)
{
    struct err e = { 0 };

    for (struct unfinished **link = &f->unfinished; *link != NULL;) {
        if (!deliver_flush((*link)->engine, &e)) {
            log_event(f->log, DATABASE_AWAY, LF_ERR(&e));
            return false;
        }
        if (deliver_busy((*link)->engine) > 0)
            link = &(*link)->next;
        else
            let_go(link);
    }
    return true;
}

bool
deliver_go_on(struct flow *f, int fd, int timeout_ms)
{
    bool is_ready;

    http_watch(f->http, fd);
    is_ready = http_step(f->http, timeout_ms);
    http_watch(f->http, -1);
    if (f->settle_at <= clk_mono_ms())
        f->settle_at = settle(f) ? 0 : clk_mono_ms() + AWAY_PAUSE_MS;
    return is_ready;
}

void
deliver_drain(struct flow *f)
{
    int64_t deadline = clk_mono_ms() + deliver_timeout_ms(f->config) + 5000;

    while (f->unfinished != NULL && (http_active(f->http) > 0 || clk_mono_ms() < deadline))
        (void)deliver_go_on(f, -1, 100);
    while (f->unfinished != NULL)
        let_go(&f->unfinished);
}
