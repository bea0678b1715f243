/*
 * fcgi - how long a body may take: a web server that speaks FastCGI to a child, a plain CGI child
 * behind a pipe.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clk.h"
#include "io/fcgi.h"
#include "unit/unit.h"

#define PARAMS_MAX 256

#define BODY_MS 400
#define DRIP_MS 100
#define LONG_MS 4000 /* long beyond the deadline: whoever has not ended by then never would */

/* Takes one request from standard input and says what became of it: first its body, then that it is
 * over. Never returns. */
static void
child(int from, int report)
{
    struct arena *a = arena_new();
    enum fcgi_came came = FCGI_NOTHING;
    enum fcgi_body body = FCGI_BODY_OK;
    struct incoming_http in;
    struct fcgi *f;
    struct err e = { 0 };
    char word;

    (void)dup2(from, STDIN_FILENO);
    (void)alarm(30);
    if (!fcgi_open(&f, BODY_MS, &e))
        _exit(1);
    while (came == FCGI_NOTHING) {
        (void)fcgi_wait(f, 1000);
        came = fcgi_next(f, a, 64 * 1024, &in, &body);
    }
    word = (char)('0' + body);
    (void)!write(report, &word, 1);
    (void)dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    fcgi_answer(f, 200, "text/plain", NULL, "", 0);
    (void)!write(report, ".", 1);
    _exit(0);
}

/* The header of a record (FastCGI 1.0, 3.3) of so many bytes. */
static void
put_header(int fd, int type, size_t n)
{
    const unsigned char h[8] = { 1, (unsigned char)type,     0,
                                 1, (unsigned char)(n >> 8), (unsigned char)n };

    (void)!send(fd, h, sizeof(h), MSG_NOSIGNAL);
}

static void
put_param(char *into, size_t *n, const char *name, const char *value)
{
    into[(*n)++] = (char)strlen(name);
    into[(*n)++] = (char)strlen(value);
    *n += (size_t)snprintf(into + *n, PARAMS_MAX - *n, "%s%s", name, value);
}

static void
put_request(int fd, const char *length)
{
    const unsigned char responder[8] = { 0, 1 };
    char params[PARAMS_MAX];
    size_t n = 0;

    put_param(params, &n, "REQUEST_METHOD", "POST");
    put_param(params, &n, "CONTENT_LENGTH", length);
    put_header(fd, 1, sizeof(responder));
    (void)!send(fd, responder, sizeof(responder), MSG_NOSIGNAL);
    put_header(fd, 4, n);
    (void)!send(fd, params, n, MSG_NOSIGNAL);
    put_header(fd, 4, 0);
}

/* How the body comes. */
enum drip {
    DRIP_RECORDS, /* a record of one byte each */
    DRIP_BYTES,   /* one record, byte by byte */
    DRIP_PLAIN,   /* CGI */
};

static void
drip(int fd, enum drip how, int i)
{
    if (how == DRIP_BYTES && i == 0)
        put_header(fd, 5, 1000);
    if (how == DRIP_RECORDS)
        put_header(fd, 5, 1);
    if (how == DRIP_PLAIN)
        (void)!write(fd, "x", 1);
    else
        (void)!send(fd, "x", 1, MSG_NOSIGNAL);
}

/* Sends a byte every DRIP_MS, 'most' at most, until the child is over or it takes too long; what it
 * has reported by then. */
static const char *
watch(struct arena *a, int fd, int report, enum drip how, int most)
{
    char *said = arena_alloc(a, 8);
    size_t n = 0;
    int64_t end = clk_mono_ms() + LONG_MS;

    for (int i = 0; n < 2 && clk_mono_ms() < end; i++) {
        struct pollfd p = { .fd = report, .events = POLLIN };

        if (i < most)
            drip(fd, how, i);
        if (i == most - 1 && how == DRIP_RECORDS)
            put_header(fd, 5, 0);
        if (poll(&p, 1, DRIP_MS) > 0)
            n += (size_t)read(report, said + n, 2 - n);
    }
    said[n] = '\0';
    return said;
}

/* A listening socket and where it is. */
static int
listening(struct sockaddr_un *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    *at = (struct sockaddr_un){ .sun_family = AF_UNIX };
    (void)snprintf(at->sun_path, sizeof(at->sun_path), "/tmp/unit_fcgi.%d", (int)getpid());
    (void)unlink(at->sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)at, sizeof(*at)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static void
end_child(pid_t pid)
{
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
}

static const char *
served(struct arena *a, const char *length, enum drip how, int most)
{
    struct sockaddr_un at;
    int socket_fd = listening(&at);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int report[2];
    const char *said;
    pid_t pid;

    assert_int_equal(pipe(report), 0);
    pid = fork();
    if (pid == 0)
        child(socket_fd, report[1]);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    put_request(fd, length);
    said = watch(a, fd, report[0], how, most);
    end_child(pid);
    (void)close(fd);
    (void)close(socket_fd);
    (void)unlink(at.sun_path);
    return said;
}

/* '0' a whole body, '2' one that was cut; '.' the program takes the next request. */
static void
test_one_deadline_for_the_whole_body(void **state)
{
    static const struct {
        const char *row;
        const char *length;
        enum drip how;
        int most;
        const char *want;
    } rows[] = {
        { "in time", "3", DRIP_RECORDS, 3, "0." },
        { "in time, of no announced length", "", DRIP_RECORDS, 3, "0." },
        { "records, for ever", "1000", DRIP_RECORDS, 1000, "2." },
        { "bytes of a record, for ever", "1000", DRIP_BYTES, 1000, "2." },
        { "of no announced length, for ever", "", DRIP_RECORDS, 1000, "2." },
        { "too large, for ever", "100000", DRIP_RECORDS, 1000, "1." },
        { "nothing after a while", "1000", DRIP_BYTES, 2, "2." },
        { "nothing after a while, of no announced length", "", DRIP_BYTES, 2, "2." },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        expect_text(rows[i].row, served(*state, rows[i].length, rows[i].how, rows[i].most),
                    rows[i].want);
}

static void
test_one_deadline_for_plain_cgi(void **state)
{
    static const struct {
        const char *length;
        int most;
        const char *want;
    } rows[] = { { "3", 3, "0." }, { "1000", 1000, "2." }, { "1000", 2, "2." } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int body[2];
        int report[2];
        pid_t pid;

        assert_int_equal(pipe(body), 0);
        assert_int_equal(pipe(report), 0);
        pid = fork();
        if (pid == 0) {
            (void)close(body[1]);
            (void)setenv("REQUEST_METHOD", "POST", 1);
            (void)setenv("CONTENT_LENGTH", rows[i].length, 1);
            child(body[0], report[1]);
        }
        expect_text(rows[i].length, watch(*state, body[1], report[0], DRIP_PLAIN, rows[i].most),
                    rows[i].want);
        end_child(pid);
        (void)close(body[0]);
        (void)close(body[1]);
    }
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        ARENA_TEST(test_one_deadline_for_the_whole_body),
        ARENA_TEST(test_one_deadline_for_plain_cgi),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
