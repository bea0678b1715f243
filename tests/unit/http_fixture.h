/*
 * http_fixture - io/http for each test, the server it talks to, and one exchange from start to end.
 */
#ifndef OMNI_UNIT_HTTP_FIXTURE_H
#define OMNI_UNIT_HTTP_FIXTURE_H

#include <time.h>

#include "base/str.h"
#include "fakes/fake_clk.h"
#include "io/http.h"
#include "unit/http_server.h"

#define PATIENCE_MS 60000

struct fixture {
    struct arena *arena;
    struct http *http;
    struct server server;
    int64_t seen_ms;
    int64_t began_ms;
};

/* What came of one request. */
struct exchange {
    struct fixture *fixture;
    int calls;
    struct http_response r;
};

static inline int64_t
real_ms(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int
setup(void **state)
{
    struct arena *a = arena_new();
    struct fixture *f = arena_alloc(a, sizeof(*f));
    struct err e;

    f->arena = a;
    f->server.pid = -1;
    f->seen_ms = f->began_ms = real_ms();
    assert_true(http_open(true, &f->http, &e));
    *state = f;
    return 0;
}

static inline int
teardown(void **state)
{
    struct fixture *f = *state;
    struct arena *a = f->arena;

    http_close(&f->http);
    assert_null(f->http);
    (void)server_stop(&f->server);
    arena_free(&a);
    return 0;
}

static inline void
on_done(void *ctx, const struct http_response *r)
{
    struct exchange *x = ctx;

    x->calls++;
    x->r = *r;
    x->r.body = arena_strndup(x->fixture->arena, r->body, r->body_len);
    x->r.why = arena_strdup(x->fixture->arena, r->why);
}

/* One step, with the fake clock set to the time that has really passed. */
static inline bool
step(struct fixture *f)
{
    int64_t now = real_ms();

    if (now - f->began_ms > PATIENCE_MS)
        fail_msg("nothing happens any more");
    fake_clk_advance(now - f->seen_ms);
    f->seen_ms = now;
    return http_step(f->http, 20);
}

static inline void
run_all(struct fixture *f)
{
    while (http_active(f->http) > 0)
        (void)step(f);
}

static inline const char *
url_of(struct fixture *f, const char *path)
{
    return arena_printf(f->arena, "http://127.0.0.1:%d%s", f->server.port, path);
}

static inline struct http_request
post(struct fixture *f, const char *body)
{
    static const char *const headers[] = { "Content-Type: application/json", "X-Test: seven",
                                           NULL };

    return (struct http_request){
        .method = "POST",
        .url = url_of(f, "/send"),
        .headers = headers,
        .body = body,
        .body_len = strlen(body),
        .connect_timeout_ms = 5000,
        .timeout_ms = 10000,
    };
}

/* One exchange from start to end. */
static inline struct http_response
exchange(struct fixture *f, const struct http_request *req)
{
    struct exchange x = { .fixture = f };

    http_start(f->http, req, on_done, &x);
    assert_int_equal(http_active(f->http), 1);
    assert_int_equal(x.calls, 0); /* never from inside http_start() */
    run_all(f);
    assert_int_equal(x.calls, 1);
    return x.r;
}

/* A script: reads the request and never answers. */
static inline void
script_hang(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_wait_end(fd);
}

#define HTTP_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

#endif
