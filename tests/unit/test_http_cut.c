/*
 * http - how far a request got whose answer never came whole.
 */
#include "unit/http_fixture.h"

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
script_half_header_after_interim(int listener, int report)
{
    int fd = server_accept(listener);

    server_must_read(fd, report);
    server_say(fd, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Words\r\nContent-Le");
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
        { "half a header after an interim answer", script_half_header_after_interim, 10000, 200,
          1 },
        { "half a body", script_half_body, 10000, 200, 1 },
        { "half a chunk", script_half_chunk, 10000, 200, 1 },
        { "another protocol", script_no_http, 10000, 0, 1 },
        { "an interim answer only", script_only_100, 10000, 100, 1 },
        { "hangs", script_hang, 3000, 0, 1 }, /* not before the server has read it */
        { "hangs behind the header", script_hang_after_header, 3000, 202, 1 },
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

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        HTTP_TEST(test_cut),
        HTTP_TEST(test_time_out_takes_its_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
