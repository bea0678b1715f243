/*
 * converse - the turns that wait, and their leases. What one turn does is talk.c.
 */
#include "flow/converse.h"

#include "base/clk.h"
#include "base/crash.h"
#include "flow/talk.h"

struct converse {
    struct arena *arena;
    struct flow *flow;
    int max_turns;
    int active;
    struct talk *talks; /* those that wait, newest first */
    int64_t renewed_ms;
    bool new_limit_name; /* see talk.h */
};

struct converse *
converse_new(struct flow *f, int max_turns)
{
    struct arena *a = arena_new();
    struct converse *c = arena_alloc(a, sizeof(*c));

    c->arena = a;
    c->flow = f;
    c->max_turns = max_turns;
    return c;
}

void
converse_free(struct converse **c)
{
    struct arena *a;

    if (*c == NULL)
        return;
    a = (*c)->arena;
    *c = NULL;
    arena_free(&a);
}

int
converse_busy(const struct converse *c)
{
    return c->active;
}

static void
add_talk(struct converse *c, struct talk *k)
{
    k->next = c->talks;
    k->link = &c->talks;
    if (k->next != NULL)
        k->next->link = &k->next;
    c->talks = k;
    c->active++;
}

/* Forgets a talk and its memory. */
static void
drop_talk(struct talk *k)
{
    struct arena *a = k->arena;

    *k->link = k->next;
    if (k->next != NULL)
        k->next->link = k->link;
    k->owner->active--;
    arena_free(&a);
}

static void
start_talk(struct converse *c, const struct turn *t)
{
    struct arena *a = arena_new();
    struct talk *k = arena_alloc(a, sizeof(*k));

    *k = (struct talk){ .arena = a,
                        .flow = c->flow,
                        .owner = c,
                        .new_limit_name = &c->new_limit_name,
                        .ended = drop_talk,
                        .turn = *t };
    k->turn.id = arena_strdup(a, t->id);
    k->turn.session_id = arena_strdup(a, t->session_id);
    add_talk(c, k);
    talk_start(k);
}

bool
converse_renew(struct converse *c, struct err *e)
{
    struct arena *a;
    struct turn *turns;
    size_t n = 0;
    bool ok;

    if (clk_mono_ms() - c->renewed_ms < c->flow->config->lease_s * 1000LL / 3)
        return true;
    c->renewed_ms = clk_mono_ms();
    if (c->active == 0)
        return true;
    a = arena_new();
    turns = arena_array(a, (size_t)c->active, sizeof(*turns));
    for (struct talk *k = c->talks; k != NULL; k = k->next)
        turns[n++] = k->turn;
    ok = turn_renew(c->flow->db, a, turns, n, c->flow->config->lease_s, e);
    arena_free(&a);
    return ok;
}

bool
converse_pump(struct converse *c, int *started, struct err *e)
{
    struct arena *a = arena_new();
    struct turn_want want = { .worker = c->flow->worker,
                              .want = c->max_turns - c->active,
                              .lease_s = c->flow->config->lease_s };
    struct turn *turns;
    size_t n = 0;
    bool ok = want.want <= 0 || turn_claim(c->flow->db, a, &want, &turns, &n, e);

    if (n > 0)
        CRASH_POINT("turn_claimed");
    for (size_t i = 0; ok && i < n; i++)
        start_talk(c, &turns[i]);
    *started = (int)n;
    arena_free(&a);
    return ok;
}
