/*
 * handler_fixture - endpoints made for the purpose, and one request to one of them.
 */
#ifndef OMNI_UNIT_HANDLER_FIXTURE_H
#define OMNI_UNIT_HANDLER_FIXTURE_H

#include "base/str.h"
#include "frame/handler.h"
#include "unit/log_fixture.h"

static int runs; /* of the endpoint, for the latest request */

static inline bool
run_greets(struct call *c, struct err *e)
{
    (void)e;
    runs++;
    json_set_bool(c->reply, "success", true);
    json_set_str(c->reply, "name", json_opt_str(c->arena, c->body, "name", "nobody"));
    return true;
}

static const struct handler greets = {
    .name = "greets",
    .methods = METHOD_POST,
    .max_body = 64,
    .media = "application/json",
    .auth = AUTH_SERVICE,
    .reads_json = true,
    .run = run_greets,
};

#define BEARER "HTTP_AUTHORIZATION=Bearer service-key"

/* One request with its own settings; headers are up to two CGI variables. */
static inline struct handler_answer
answer_of(struct fixture *f, const struct handler *h, const char *method, const char *type,
          const char *body, const char *const vars[2])
{
    struct config *config = arena_alloc(f->arena, sizeof(*config));
    struct flow *flow = arena_alloc(f->arena, sizeof(*flow));
    const char **copy = arena_array(f->arena, 3, sizeof(*copy));
    struct call c = { .arena = f->arena, .flow = flow };

    config->service_role_key = (struct secret){ "service-key", "old-key" };
    config->token_secret = (struct secret){ "token-key", "" };
    *flow = (struct flow){ .config = config, .log = f->log, .worker = "test" };
    copy[0] = vars[0];
    copy[1] = vars[0] != NULL ? vars[1] : NULL;
    c.in = (struct incoming_http){ .method = method,
                                   .query = "",
                                   .content_type = type,
                                   .vars = copy,
                                   .body = body,
                                   .body_len = strlen(body) };
    runs = 0;
    return handler_answer(h, &c, TROUBLE_NONE);
}

/* What stands behind "NAME: ", "" when there is no such header. */
static inline const char *
header_of(const struct handler_answer *r, const char *name)
{
    for (size_t i = 0; r->headers[i] != NULL; i++) {
        if (str_starts(r->headers[i], name) && str_starts(r->headers[i] + strlen(name), ": "))
            return r->headers[i] + strlen(name) + 2;
    }
    return "";
}

static inline void
expect_error(struct fixture *f, const char *row, const struct handler_answer *r, const char *code,
             const char *words)
{
    expect_text(row, r->content_type, "application/json");
    expect_text(row, r->body,
                arena_printf(f->arena,
                             "{\"success\":false,\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
                             code, words));
    expect_int(row, (int64_t)r->body_len, (int64_t)strlen(r->body));
}

#endif
