/*
 * http - against real sockets on loopback: how far each request got, what is refused, that the
 * library never sends one twice, and that callbacks may start new ones.
 */
#include <time.h>

#include "base/str.h"
#include "fakes/fake_clk.h"
#include "io/http.h"
#include "unit/http_server.h"

#define PATIENCE_MS 20000

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

static int64_t
real_ms(void)
{
    struct timespec t;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
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

static int
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

static void
on_done(void *ctx, const struct http_response *r)
{
    struct exchange *x = ctx;

    x->calls++;
    x->r = *r;
    x->r.body = arena_strndup(x->fixture->arena, r->body, r->body_len);
    x->r.why = arena_strdup(x->fixture->arena, r->why);
}

/* One step, with the fake clock set to the time that has really passed. */
static bool
step(struct fixture *f)
{
    int64_t now = real_ms();

    if (now - f->began_ms > PATIENCE_MS)
        fail_msg("nothing happens any more");
    fake_clk_advance(now - f->seen_ms);
    f->seen_ms = now;
    return http_step(f->http, 20);
}

static void
run_all(struct fixture *f)
{
    while (http_active(f->http) > 0)
        (void)step(f);
}

static const char *
url_of(struct fixture *f, const char *path)
{
    return arena_printf(f->arena, "http://127.0.0.1:%d%s", f->server.port, path);
}

static struct http_request
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
static struct http_response
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

static void
script_answer(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_answer(fd, 201, "", "{\"message_id\":\"m-1\"}");
    server_wait_end(fd);
}

static void
test_answered(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_answer);
    struct http_request req = post(f, "{\"a\":1}");
    struct http_response r = exchange(f, &req);
    assert_int_equal(r.reach, HTTP_ANSWERED);
    assert_int_equal(r.status, 201);
    assert_string_equal(r.body, "{\"message_id\":\"m-1\"}");
    assert_int_equal(r.body_len, strlen(r.body));
    assert_string_equal(r.why, "");
    assert_int_equal(r.retry_after_s, 0);
    assert_int_equal(server_stop(&f->server), 1);
}

/* Sends back what it got. */
static void
script_echo(int listener, int report)
{
    int fd = server_accept(listener);
    const char *text = server_read(fd, report);

    if (text != NULL)
        server_answer(fd, 200, "", text);
    server_wait_end(fd);
}

static void
test_what_is_sent(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_echo);
    struct http_request req = post(f, "{\"text\":\"caf\xC3\xA9\"}");
    struct http_response r = exchange(f, &req);
    assert_true(str_starts(r.body, "POST /send HTTP/1.1\r\n"));
    assert_true(str_ends(r.body, "\r\n\r\n{\"text\":\"caf\xC3\xA9\"}"));
    assert_non_null(strstr(r.body, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(r.body, "\r\nX-Test: seven\r\n"));
    assert_non_null(strstr(r.body, "\r\nContent-Length: 16\r\n"));
    assert_null(strstr(r.body, "Expect:"));
    assert_null(strstr(r.body, "Transfer-Encoding:"));
}

static void
test_get_has_no_body(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_echo);
    struct http_request req = { .method = "GET",
                                .url = url_of(f, "/status?id=7"),
                                .connect_timeout_ms = 5000,
                                .timeout_ms = 10000 };
    struct http_response r = exchange(f, &req);
    assert_true(str_starts(r.body, "GET /status?id=7 HTTP/1.1\r\n"));
    assert_null(strstr(r.body, "Content-Length:"));
}

static void
test_large_body(void **state)
{
    struct fixture *f = *state;
    char *body = arena_alloc(f->arena, 60001);

    memset(body, 'x', 60000);
    f->server = server_start(script_echo);
    struct http_request req = post(f, body);
    assert_int_equal(exchange(f, &req).status, 200);
    assert_int_equal(server_stop(&f->server), 1);
}

static void
test_refused(void **state)
{
    struct fixture *f = *state;
    int fd = server_socket(&f->server.port); /* bound, so nobody else has it; not listening */
    struct http_request req = post(f, "{}");
    struct http_response r = exchange(f, &req);

    assert_int_equal(r.reach, HTTP_NOT_SENT);
    assert_int_equal(r.status, 0);
    assert_string_equal(r.body, "");
    assert_string_not_equal(r.why, "");
    assert_int_equal(close(fd), 0);
}

static void
test_cannot_be_started(void **state)
{
    static const char *const rows[] = {
        "",
        "no url",
        "http://",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "ftp://127.0.0.1/",
        "file:///etc/hostname",
        "gopher://127.0.0.1:1/",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct http_request req = post(f, "{}");
        req.url = rows[i];
        struct http_response r = exchange(f, &req);
        expect_int(rows[i], r.reach, HTTP_NOT_SENT);
        expect_int(rows[i], r.status, 0);
        expect_text(rows[i], r.body, "");
    }
}

static void
test_http_only_where_allowed(void **state)
{
    struct fixture *f = *state;
    struct err e;

    f->server = server_start(script_answer);
    http_close(&f->http);
    assert_true(http_open(false, &f->http, &e));
    struct http_request req = post(f, "{}");
    struct http_response r = exchange(f, &req);
    assert_int_equal(r.reach, HTTP_NOT_SENT);
    assert_int_equal(server_stop(&f->server), 0);
}

static void
script_close(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    (void)close(fd);
}

static void
script_reset(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_reset(fd);
}

static void
script_half_header(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTTP/1.1 200 Words\r\nContent-Le");
    (void)close(fd);
}

static void
script_half_status_line(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTT");
    (void)close(fd);
}

static void
script_half_body(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTTP/1.1 200 Words\r\nContent-Length: 100\r\n\r\n{\"message_id\":");
    (void)close(fd);
}

static void
script_half_chunk(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTTP/1.1 200 Words\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nhalf");
    (void)close(fd);
}

static void
script_no_http(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "220 mail.example ESMTP\r\n");
    (void)close(fd);
}

static void
script_hang(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_wait_end(fd);
}

static void
script_hang_after_header(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTTP/1.1 202 Words\r\nContent-Length: 10\r\n\r\n");
    server_wait_end(fd);
}

static void
script_only_100(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTTP/1.1 100 Continue\r\n\r\n");
    (void)close(fd);
}

static void
script_never_accept(int listener, int report)
{
    (void)listener;
    (void)report;
    (void)pause();
}

/* The request left and no complete answer came: nobody knows. */
static void
test_cut(void **state)
{
    static const struct {
        const char *name;
        server_script *script;
        int timeout_ms;
        int status;
        int requests;
    } rows[] = {
        { "closed", script_close, 10000, 0, 1 },
        { "reset", script_reset, 10000, 0, 1 },
        { "half a status line", script_half_status_line, 10000, 0, 1 },
        { "half a header", script_half_header, 10000, 200, 1 },
        { "half a body", script_half_body, 10000, 200, 1 },
        { "half a chunk", script_half_chunk, 10000, 200, 1 },
        { "another protocol", script_no_http, 10000, 0, 1 },
        { "an interim answer only", script_only_100, 10000, 100, 1 },
        { "hangs", script_hang, 200, 0, 1 },
        { "hangs behind the header", script_hang_after_header, 200, 202, 1 },
        { "never accepted", script_never_accept, 200, 0, 0 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->server = server_start(rows[i].script);
        struct http_request req = post(f, "{\"a\":1}");
        req.timeout_ms = rows[i].timeout_ms;
        struct http_response r = exchange(f, &req);
        expect_int(rows[i].name, r.reach, HTTP_CUT);
        expect_int(rows[i].name, r.status, rows[i].status);
        expect_true(rows[i].name, !str_empty(r.why));
        expect_int(rows[i].name, server_stop(&f->server), rows[i].requests);
    }
}

static void
test_time_out_takes_its_time(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_hang);
    struct http_request req = post(f, "{}");
    req.timeout_ms = 300;
    struct http_response r = exchange(f, &req);
    assert_int_equal(r.reach, HTTP_CUT);
    assert_true(r.took_ms >= 250);
    assert_true(r.took_ms < 5000);
}

#define RETRY_AFTER_SCRIPT(name, header)                                                           \
    static void name(int listener, int report)                                                     \
    {                                                                                              \
        int fd = server_accept(listener);                                                          \
                                                                                                   \
        server_must_read(fd, report);                                                              \
        server_answer(fd, 429, header, "");                                                        \
        server_wait_end(fd);                                                                       \
    }
RETRY_AFTER_SCRIPT(script_retry_plain, "Retry-After: 7\r\n")
RETRY_AFTER_SCRIPT(script_retry_case, "RETRY-AFTER:30\r\n")
RETRY_AFTER_SCRIPT(script_retry_blanks, "retry-after:  \t 12 \t\r\n")
RETRY_AFTER_SCRIPT(script_retry_date, "Retry-After: Sun, 22 Nov 2026 18:05:03 GMT\r\n")
RETRY_AFTER_SCRIPT(script_retry_negative, "Retry-After: -5\r\n")
RETRY_AFTER_SCRIPT(script_retry_huge, "Retry-After: 99999999999999999999\r\n")
RETRY_AFTER_SCRIPT(script_retry_days, "Retry-After: 86401\r\n")
RETRY_AFTER_SCRIPT(script_retry_empty, "Retry-After:\r\n")
RETRY_AFTER_SCRIPT(script_retry_none, "Retry-Afterwards: 7\r\nX-Retry-After: 8\r\n")

static void
test_retry_after(void **state)
{
    static const struct {
        const char *name;
        server_script *script;
        int want;
    } rows[] = {
        { "seconds", script_retry_plain, 7 },      { "capitals", script_retry_case, 30 },
        { "blanks", script_retry_blanks, 12 },     { "a date", script_retry_date, 0 },
        { "negative", script_retry_negative, 0 },  { "no number", script_retry_huge, 0 },
        { "over a day", script_retry_days, 0 },    { "empty", script_retry_empty, 0 },
        { "other headers", script_retry_none, 0 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->server = server_start(rows[i].script);
        struct http_request req = post(f, "{}");
        struct http_response r = exchange(f, &req);
        expect_int(rows[i].name, r.reach, HTTP_ANSWERED);
        expect_int(rows[i].name, r.status, 429);
        expect_int(rows[i].name, r.retry_after_s, rows[i].want);
        expect_int(rows[i].name, server_stop(&f->server), 1);
    }
}

static void
say_letters(int fd, size_t n)
{
    static char letters[4096];

    memset(letters, 'x', sizeof(letters));
    for (; n > sizeof(letters); n -= sizeof(letters))
        server_write(fd, letters, sizeof(letters));
    server_write(fd, letters, n);
}

static void
script_longest_body(int listener, int report)
{
    int fd = server_accept(listener);
    char head[128];

    server_must_read(fd, report);
    (void)snprintf(head, sizeof(head), "HTTP/1.1 200 Words\r\nContent-Length: %d\r\n\r\n",
                   HTTP_MAX_RESPONSE);
    server_say(fd, head);
    say_letters(fd, HTTP_MAX_RESPONSE);
    server_wait_end(fd);
}

static void
script_too_long_body(int listener, int report)
{
    int fd = server_accept(listener);
    char head[128];

    server_must_read(fd, report);
    (void)snprintf(head, sizeof(head), "HTTP/1.1 200 Words\r\nContent-Length: %d\r\n\r\n",
                   HTTP_MAX_RESPONSE + 1);
    server_say(fd, head);
    say_letters(fd, HTTP_MAX_RESPONSE + 1);
    server_wait_end(fd);
}

static void
script_endless_body(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTTP/1.1 200 Words\r\n\r\n");
    say_letters(fd, (size_t)64 * HTTP_MAX_RESPONSE);
}

static void
test_ceiling_of_a_body(void **state)
{
    static const struct {
        const char *name;
        server_script *script;
        enum http_reach reach;
        size_t len;
    } rows[] = {
        { "the longest", script_longest_body, HTTP_ANSWERED, HTTP_MAX_RESPONSE },
        { "one byte more", script_too_long_body, HTTP_CUT, 0 },
        { "endless", script_endless_body, HTTP_CUT, 0 },
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        f->server = server_start(rows[i].script);
        struct http_request req = post(f, "{}");
        struct http_response r = exchange(f, &req);
        expect_int(rows[i].name, r.reach, rows[i].reach);
        expect_int(rows[i].name, r.status, 200);
        expect_true(rows[i].name, r.body_len <= HTTP_MAX_RESPONSE && r.body_len >= rows[i].len);
        expect_int(rows[i].name, server_stop(&f->server), 1);
    }
}

static void
script_redirect(int listener, int report)
{
    for (;;) {
        int fd = server_accept(listener);

        server_must_read(fd, report);
        server_answer(fd, 302, "Location: /elsewhere\r\n", "moved");
        server_wait_end(fd);
    }
}

static void
test_redirect_is_an_answer(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_redirect);
    struct http_request req = post(f, "{}");
    struct http_response r = exchange(f, &req);
    assert_int_equal(r.reach, HTTP_ANSWERED);
    assert_int_equal(r.status, 302);
    assert_string_equal(r.body, "moved");
    assert_int_equal(server_stop(&f->server), 1);
}

static void
test_proxy_settings_are_not_for_us(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(setenv("http_proxy", "http://127.0.0.1:1/", 1), 0);
    assert_int_equal(setenv("all_proxy", "http://127.0.0.1:1/", 1), 0);
    f->server = server_start(script_answer);
    struct http_request req = post(f, "{}");
    assert_int_equal(exchange(f, &req).reach, HTTP_ANSWERED);
    assert_int_equal(unsetenv("http_proxy"), 0);
    assert_int_equal(unsetenv("all_proxy"), 0);
}

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

/* Answers the first request of a connection and ends it once the second has been read; takes
 * whatever comes on a new connection, so that a repeated request is counted. */
static void
serve_and_die(int listener, int report, void (*end)(int fd))
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_answer(fd, 200, "", "one");
    server_must_read(fd, report);
    end(fd);
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

/* Closes a kept connection while nothing is on it. */
static void
script_closes_idle(int listener, int report)
{
    for (;;) {
        int fd = server_accept(listener);

        server_must_read(fd, report);
        server_answer(fd, 200, "", "one");
        (void)close(fd);
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
    }
    assert_int_equal(server_stop(&f->server), 5);
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

#define HTTP_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        HTTP_TEST(test_answered),
        HTTP_TEST(test_what_is_sent),
        HTTP_TEST(test_get_has_no_body),
        HTTP_TEST(test_large_body),
        HTTP_TEST(test_refused),
        HTTP_TEST(test_cannot_be_started),
        HTTP_TEST(test_http_only_where_allowed),
        HTTP_TEST(test_cut),
        HTTP_TEST(test_time_out_takes_its_time),
        HTTP_TEST(test_retry_after),
        HTTP_TEST(test_ceiling_of_a_body),
        HTTP_TEST(test_redirect_is_an_answer),
        HTTP_TEST(test_proxy_settings_are_not_for_us),
        HTTP_TEST(test_many_at_once),
        HTTP_TEST(test_connection_is_kept),
        HTTP_TEST(test_nothing_is_sent_twice),
        HTTP_TEST(test_idle_connection_that_died),
        HTTP_TEST(test_callbacks_start_requests),
        HTTP_TEST(test_callbacks_start_requests_that_fail),
        HTTP_TEST(test_close_drops_what_is_in_flight),
        HTTP_TEST(test_watched_descriptor),
        HTTP_TEST(test_step_without_requests_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
