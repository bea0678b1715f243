/*
 * deadletter - the operator's view of what was given up.
 */
#include "flow/deadletter.h"

#include "base/str.h"
#include "base/uuid.h"
#include "model/delivery.h"

#define LIST_MAX 1000

static int
fail(const struct err *e)
{
    (void)fprintf(stderr, "message-retry: %s\n", e->text);
    return 1;
}

int
deadletter_list(struct flow *f, FILE *out)
{
    struct arena *a = arena_new();
    struct dead_letter *letters;
    struct err e = { 0 };
    size_t n = 0;
    bool ok = delivery_dead(f->db, a, LIST_MAX, &letters, &n, &e);

    for (size_t i = 0; ok && i < n; i++)
        (void)fprintf(out, "%s %.19s %s/%s %s %s code=%s retries=%lld%s\n", letters[i].id,
                      letters[i].created_at, letters[i].channel, letters[i].provider,
                      letters[i].type, letters[i].reason,
                      str_empty(letters[i].error_code) ? "-" : letters[i].error_code,
                      (long long)letters[i].retries, letters[i].is_replayed ? " replayed" : "");
    if (ok)
        (void)fprintf(out, "%zu dead\n", n);
    arena_free(&a);
    return ok ? 0 : fail(&e);
}

int
deadletter_replay(struct flow *f, const char *id, FILE *out)
{
    struct arena *a = arena_new();
    const char *new_id = "";
    struct uuid parsed;
    struct err e = { 0 };
    bool ok = uuid_parse(id, &parsed) || err_set(&e, ERR_INVALID, "--replay: not a message id");

    ok = ok && delivery_replay(f->db, a, parsed.text, &new_id, &e);
    if (ok && str_empty(new_id))
        (void)fputs("nothing to do: not dead, replayed before, or its person has said STOP\n", out);
    else if (ok)
        (void)fprintf(out, "sent again as %s\n", new_id);
    if (ok)
        wake_send(f->config->wake_socket);
    arena_free(&a);
    return ok ? 0 : fail(&e);
}
