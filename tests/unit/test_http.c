/*
 * http - against real sockets on loopback: what is sent, which answers are taken, and what is
 * refused before a byte leaves.
 */
#include "unit/http_fixture.h"

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
script_interim_and_trailer(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Words\r\n"
                   "Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n"
                   "2\r\n{}\r\n0\r\nX-Sum: 7\r\n\r\n");
    server_wait_end(fd);
}

static void
test_answer_in_pieces(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_interim_and_trailer);
    struct http_request req = post(f, "{}");
    struct http_response r = exchange(f, &req);
    assert_int_equal(r.reach, HTTP_ANSWERED);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.body, "{}");
}

static void
script_without_length(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTTP/1.0 200 Words\r\n\r\n{\"id\":7}");
    (void)close(fd);
}

static void
test_answer_that_ends_with_the_connection(void **state)
{
    struct fixture *f = *state;

    f->server = server_start(script_without_length);
    struct http_request req = post(f, "{}");
    struct http_response r = exchange(f, &req);
    assert_int_equal(r.reach, HTTP_ANSWERED);
    assert_string_equal(r.body, "{\"id\":7}");
}

/* Sends back the header it got. */
static void
script_echo_header(int listener, int report)
{
    int fd = server_accept(listener);
    char *text = server_read(fd, report);

    if (text != NULL) {
        text[server_body_at(text)] = '\0';
        server_answer(fd, 200, "", text);
    }
    server_wait_end(fd);
}

/* Large enough for libcurl to ask first whether it may send it, if it were allowed to. */
static void
test_large_body(void **state)
{
    struct fixture *f = *state;
    size_t n = (size_t)3 * 1024 * 1024;
    char *body = arena_alloc(f->arena, n + 1);

    memset(body, 'x', n);
    f->server = server_start(script_echo_header);
    struct http_request req = post(f, body);
    struct http_response r = exchange(f, &req);
    assert_int_equal(r.reach, HTTP_ANSWERED);
    assert_non_null(strstr(r.body, "\r\nContent-Length: 3145728\r\n"));
    assert_null(strstr(r.body, "Expect:"));
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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        HTTP_TEST(test_answered),
        HTTP_TEST(test_what_is_sent),
        HTTP_TEST(test_get_has_no_body),
        HTTP_TEST(test_answer_in_pieces),
        HTTP_TEST(test_answer_that_ends_with_the_connection),
        HTTP_TEST(test_large_body),
        HTTP_TEST(test_refused),
        HTTP_TEST(test_cannot_be_started),
        HTTP_TEST(test_http_only_where_allowed),
        HTTP_TEST(test_ceiling_of_a_body),
        HTTP_TEST(test_redirect_is_an_answer),
        HTTP_TEST(test_proxy_settings_are_not_for_us),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
