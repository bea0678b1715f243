/*
 * http - many requests at once, connections that are kept, that the library never sends a request
 * twice, and callbacks that start new ones.
 */
#include "unit/http_fixture.h"

#define MANY 100

/* Reads every request before it answers the first. */
static void
script_gather(int listener, int report)
{
    int fds[MANY];

    for (size_t i = 0; i < MANY; i++)
        fds[i] = server_accept(listener);
    for (size_t i = 0; i < MANY; i++)
        server_must_read(fds[i], report);
    for (size_t i = 0; i < MANY; i++)
        server_answer(fds[i], 200, "", "all");
    server_wait_end(fds[0]);
}

static void
test_many_at_once(void **state)
{
    struct fixture *f = *state;
    struct exchange x[MANY];

    f->server = server_start(script_gather);
    for (size_t i = 0; i < MANY; i++) {
        struct http_request req = post(f, arena_printf(f->arena, "{\"n\":%zu}", i));
        x[i] = (struct exchange){ .fixture = f };
        http_start(f->http, &req, on_done, &x[i]);
    }
    assert_int_equal(http_active(f->http), MANY);
    run_all(f);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(x[i].calls, 1);
        assert_int_equal(x[i].r.reach, HTTP_ANSWERED);
        assert_string_equal(x[i].r.body, "all");
    }
    assert_int_equal(server_stop(&f->server), MANY);
}

/* Accepts one connection only: whoever opens a second one waits for ever. */
static void
script_keep(int listener, int report)
{
    int fd = server_accept(listener);

    for (int i = 0; i < 3; i++) {
        server_must_read(fd, report);
        server_answer(fd, 200, "", "kept");
    }
    server_wait_end(fd);
}

static void
test_connection_is_kept(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_keep);
    for (int i = 0; i < 3; i++) {
        struct http_request req = post(f, "{}");
        assert_int_equal(exchange(f, &req).reach, HTTP_ANSWERED);
    }
    assert_int_equal(server_stop(&f->server), 3);
}

/* Answers the first request of a connection and ends it once the second has been read there; takes
 * whatever comes on new connections, so that a repeated request is counted. */
static void
serve_and_die(int listener, int report, void (*end)(int fd))
{
    struct pollfd waiting[2] = { { .events = POLLIN }, { .fd = listener, .events = POLLIN } };
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_answer(fd, 200, "", "one");
    waiting[0].fd = fd;
    (void)poll(waiting, 2, -1);
    if (waiting[0].revents != 0) {
        server_must_read(fd, report);
        end(fd);
    }
    for (;;) {
        fd = server_accept(listener);
        server_must_read(fd, report);
        server_answer(fd, 200, "Connection: close\r\n", "again");
        (void)close(fd);
    }
}

static void
end_closed(int fd)
{
    (void)close(fd);
}

static void
script_dies_closed(int listener, int report)
{
    serve_and_die(listener, report, end_closed);
}

static void
script_dies_reset(int listener, int report)
{
    serve_and_die(listener, report, server_reset);
}

static void
test_nothing_is_sent_twice(void **state)
{
    static const struct {
        const char *name;
        server_script *script;
        const char *body;
    } rows[] = {
        { "closed", script_dies_closed, "{\"message\":\"only once\"}" },
        { "reset", script_dies_reset, "{\"message\":\"only once\"}" },
        { "without a body", script_dies_closed, "" },
        { "without a body, reset", script_dies_reset, "" },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->server = server_start(rows[i].script);
        struct http_request req = post(f, "{\"first\":1}");
        expect_int(rows[i].name, exchange(f, &req).reach, HTTP_ANSWERED);
        req = post(f, rows[i].body);
        struct http_response r = exchange(f, &req);
        /* A request without a body goes out on a connection of its own. */
        expect_int(rows[i].name, r.reach, rows[i].body[0] != '\0' ? HTTP_CUT : HTTP_ANSWERED);
        expect_int(rows[i].name, server_stop(&f->server), 2);
    }
}

/* Closes a kept connection while nothing is on it, and reports that as if it were a request. */
static void
script_closes_idle(int listener, int report)
{
    for (;;) {
        int fd = server_accept(listener);

        server_must_read(fd, report);
        server_answer(fd, 200, "", "one");
        (void)close(fd);
        if (write(report, "", 1) != 1)
            _exit(9);
    }
}

static void
test_idle_connection_that_died(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_closes_idle);
    for (int i = 0; i < 5; i++) {
        struct http_request req = post(f, "{\"a\":1}");
        assert_int_equal(exchange(f, &req).reach, HTTP_ANSWERED);
        server_wait_reports(&f->server, 2); /* read, closed */
    }
    assert_int_equal(server_stop(&f->server), 0);
}

/* One request on each of two connections: whoever uses the first one twice waits for ever. */
static void
script_once_each(int listener, int report)
{
    int fds[2];

    for (size_t i = 0; i < COUNT_OF(fds); i++) {
        fds[i] = server_accept(listener);
        server_must_read(fds[i], report);
        server_answer(fds[i], 200, "", "once");
    }
    server_wait_end(fds[1]);
}

static void
test_connection_idle_too_long_is_not_used(void **state)
{
    static const struct timespec longer = { .tv_sec = 4, .tv_nsec = 100000000 };
    struct fixture *f = *state;
    struct http_request req;

    f->server = server_start(script_once_each);
    req = post(f, "{}");
    assert_int_equal(exchange(f, &req).reach, HTTP_ANSWERED);
    assert_int_equal(nanosleep(&longer, NULL), 0);
    assert_int_equal(exchange(f, &req).reach, HTTP_ANSWERED);
    assert_int_equal(server_stop(&f->server), 2);
}

/* A request that starts the next one from its own callback, in memory of its own. */
struct chain {
    struct arena *arena;
    struct fixture *fixture;
    int left;
    int *done;
    enum http_reach want;
};

static void chain_start(struct fixture *f, int left, int *done, enum http_reach want);

static void
on_link(void *ctx, const struct http_response *r)
{
    struct chain *c = ctx;
    struct arena *a = c->arena;

    assert_int_equal(r->reach, c->want);
    *c->done += 1;
    if (c->left > 1)
        chain_start(c->fixture, c->left - 1, c->done, c->want);
    arena_free(&a); /* and with it all that the request was made from */
}

static void
chain_start(struct fixture *f, int left, int *done, enum http_reach want)
{
    struct arena *a = arena_new();
    struct chain *c = arena_alloc(a, sizeof(*c));
    const char **headers = arena_array(a, 2, sizeof(*headers));
    struct http_request req = post(f, arena_printf(a, "{\"left\":%d}", left));

    headers[0] = arena_printf(a, "X-Left: %d", left);
    req.headers = headers;
    req.url = arena_strdup(a, req.url);
    *c = (struct chain){ .arena = a, .fixture = f, .left = left, .done = done, .want = want };
    http_start(f->http, &req, on_link, c);
}

static void
script_keep_for_ever(int listener, int report)
{
    int fd = server_accept(listener);

    for (;;) {
        server_must_read(fd, report);
        server_answer(fd, 200, "", "{}");
    }
}

static void
test_callbacks_start_requests(void **state)
{
    struct fixture *f = *state;
    int done = 0;

    f->server = server_start(script_keep_for_ever);
    chain_start(f, 50, &done, HTTP_ANSWERED);
    run_all(f);
    assert_int_equal(done, 50);
    assert_int_equal(server_stop(&f->server), 50);
}

static void
test_callbacks_start_requests_that_fail(void **state)
{
    struct fixture *f = *state;
    int fd = server_socket(&f->server.port);
    int done = 0;

    chain_start(f, 50, &done, HTTP_NOT_SENT);
    chain_start(f, 50, &done, HTTP_NOT_SENT);
    run_all(f);
    assert_int_equal(done, 100);
    assert_int_equal(close(fd), 0);
}

static void
on_never(void *ctx, const struct http_response *r)
{
    (void)ctx;
    (void)r;
    fail_msg("a dropped request was answered");
}

static void
test_close_drops_what_is_in_flight(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_hang);
    for (int i = 0; i < 3; i++) {
        struct http_request req = post(f, "{\"a\":1}");
        http_start(f->http, &req, on_never, NULL);
    }
    for (int i = 0; i < 5; i++)
        (void)step(f);
    struct http_request fresh = post(f, "{\"never\":1}");
    http_start(f->http, &fresh, on_never, NULL);
    assert_int_equal(http_active(f->http), 4);
    http_close(&f->http);
    assert_null(f->http);
    http_close(&f->http);
}

static void
test_watched_descriptor(void **state)
{
    struct fixture *f = *state;
    int ends[2];
    char byte;

    assert_int_equal(pipe(ends), 0);
    http_watch(f->http, ends[0]);
    assert_false(step(f));
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_true(step(f));
    assert_true(step(f)); /* as long as nobody reads it */
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_false(step(f));
    assert_int_equal(write(ends[1], "x", 1), 1);
    http_watch(f->http, -1);
    assert_false(step(f));
    assert_int_equal(close(ends[0]) + close(ends[1]), 0);
}

static void
test_step_without_requests_ends(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(http_active(f->http), 0);
    assert_false(http_step(f->http, 0));
    assert_false(http_step(f->http, 1));
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        HTTP_TEST(test_many_at_once),
        HTTP_TEST(test_connection_is_kept),
        HTTP_TEST(test_nothing_is_sent_twice),
        HTTP_TEST(test_idle_connection_that_died),
        HTTP_TEST(test_connection_idle_too_long_is_not_used),
        HTTP_TEST(test_callbacks_start_requests),
        HTTP_TEST(test_callbacks_start_requests_that_fail),
        HTTP_TEST(test_close_drops_what_is_in_flight),
        HTTP_TEST(test_watched_descriptor),
        HTTP_TEST(test_step_without_requests_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
