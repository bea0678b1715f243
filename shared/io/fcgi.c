/*
 * fcgi - libfcgi's FCGX interface, and the same three steps over standard input and output for
 * plain CGI.
 */
#include "io/fcgi.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <fcgiapp.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/str.h"

#define LISTEN_FD 0 /* where a FastCGI program finds its listening socket */
#define MAX_HEAD  (16 * 1024)

extern char **environ;

struct fcgi {
    struct arena *arena;
    bool is_cgi;
    bool cgi_done;
    bool is_unread; /* the request's body, or the rest of it: whoever sends it may never end */
    int body_ms;
    int64_t deadline_ms; /* of the body that is being read, by clk_mono_ms() */
    FCGX_Request request;
};

bool
fcgi_open(struct fcgi **out, int body_ms, struct err *e)
{
    struct arena *a = arena_new();
    struct fcgi *f = arena_alloc(a, sizeof(*f));

    f->arena = a;
    f->is_cgi = FCGX_IsCGI();
    f->body_ms = body_ms;
    (void)signal(SIGPIPE, SIG_IGN);
    if (!f->is_cgi && (FCGX_Init() != 0 || FCGX_InitRequest(&f->request, LISTEN_FD, 0) != 0 ||
                       fcntl(LISTEN_FD, F_SETFL, fcntl(LISTEN_FD, F_GETFL) | O_NONBLOCK) != 0)) {
        arena_free(&a);
        return err_set(e, ERR_TEMP, "fcgi: cannot start");
    }
    *out = f;
    return true;
}

void
fcgi_close(struct fcgi **f)
{
    struct arena *a;

    if (*f == NULL)
        return;
    if (!(*f)->is_cgi)
        FCGX_Free(&(*f)->request, 1);
    a = (*f)->arena;
    *f = NULL;
    arena_free(&a);
}

/* Environment variables are copied: libfcgi's are gone with the request. */
static const char *const *
copy_vars(struct arena *a, char *const *vars)
{
    size_t n = 0;
    const char **copy;

    while (vars[n] != NULL)
        n++;
    copy = arena_array(a, n + 1, sizeof(*copy));
    for (size_t i = 0; i < n; i++)
        copy[i] = arena_strdup(a, vars[i]);
    return copy;
}

static const char *
var(const char *const *vars, const char *name)
{
    size_t n = strlen(name);

    for (; *vars != NULL; vars++) {
        if (strncmp(*vars, name, n) == 0 && (*vars)[n] == '=')
            return *vars + n + 1;
    }
    return "";
}

static long
read_cgi(int64_t left_ms, char *into, size_t room)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
    ssize_t n;

    if (poll(&p, 1, (int)left_ms) <= 0)
        return -1;
    do {
        n = read(STDIN_FILENO, into, room);
    } while (n < 0 && errno == EINTR);
    return (long)n;
}

/* How long one read of libfcgi's waits. */
static void
set_patience(struct fcgi *f, int64_t ms)
{
    const struct timeval wait = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

    (void)setsockopt(f->request.ipcFd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}

/* What libfcgi has at hand, or the next it can get: it goes on by itself until 'room' is full, each
 * read of its own with the same patience, so it is never asked for more than one of them. */
static long
read_fcgi(struct fcgi *f, int64_t left_ms, char *into, size_t room)
{
    FCGX_Stream *in = f->request.in;
    size_t at_hand = (size_t)(in->stop - in->rdNext);
    int n;

    if (at_hand == 0)
        set_patience(f, left_ms);
    if (room > at_hand)
        room = at_hand > 0 ? at_hand : 1;
    n = FCGX_GetStr(into, (int)room, in);
    return n == 0 && FCGX_GetError(in) != 0 ? -1 : n;
}

/* 0 at the end, negative for an error or when the time is over. */
static long
read_some(struct fcgi *f, char *into, size_t room)
{
    int64_t left_ms = f->deadline_ms - clk_mono_ms();

    if (left_ms <= 0)
        return -1;
    return f->is_cgi ? read_cgi(left_ms, into, room) : read_fcgi(f, left_ms, into, room);
}

/* Reads up to the announced length, or to the end where none was announced (a chunked body). */
static enum fcgi_body
read_body(struct fcgi *f, struct arena *a, size_t max_body, const char *length,
          struct incoming_http *in)
{
    struct buf body = buf_init(a, max_body + 1);
    char piece[4096];
    int64_t announced = -1;
    long n = 0;

    in->body = "";
    f->deadline_ms = clk_mono_ms() + f->body_ms;
    if (length[0] != '\0' && !str_parse_int(length, 0, INT64_MAX, &announced))
        return FCGI_BODY_CUT;
    if (announced > (int64_t)max_body)
        return FCGI_BODY_TOO_LARGE;
    while (announced < 0 || body.len < (size_t)announced) {
        size_t room = sizeof(piece);

        if (announced >= 0 && (size_t)announced - body.len < room)
            room = (size_t)announced - body.len;
        n = read_some(f, piece, room);
        if (n <= 0)
            break;
        buf_add(&body, piece, (size_t)n);
        if (buf_overflowed(&body) || body.len > max_body)
            return FCGI_BODY_TOO_LARGE;
    }
    in->body = body.data;
    in->body_len = body.len;
    if (n < 0 || (announced >= 0 && body.len < (size_t)announced))
        return FCGI_BODY_CUT;
    return FCGI_BODY_OK;
}

/* The answer is out. Reads on for as long as a body is given: a web server that cannot write all of
 * it would take that for our failure. Then no more; libfcgi would, as long as something comes. */
static void
leave_body(struct fcgi *f)
{
    char piece[4096];
    long n;

    (void)FCGX_FFlush(f->request.out);
    do
        n = read_some(f, piece, sizeof(piece));
    while (n > 0);
    if (n < 0)
        (void)shutdown(f->request.ipcFd, SHUT_RD);
}

int
fcgi_socket(const struct fcgi *f)
{
    if (f->is_cgi)
        return -1;
    return f->request.ipcFd >= 0 ? f->request.ipcFd : LISTEN_FD; /* the web server may keep one */
}

bool
fcgi_wait(struct fcgi *f, int timeout_ms)
{
    struct pollfd p = { .fd = fcgi_socket(f), .events = POLLIN };

    return f->is_cgi || poll(&p, 1, timeout_ms) > 0;
}

/* Holds signals back, or lets them come: one in the middle of a body would cut it off. */
static void
hold_signals(bool hold)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGHUP);
    (void)sigprocmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void
read_request(struct fcgi *f, struct arena *a, size_t max_body, struct incoming_http *in,
             enum fcgi_body *body)
{
    *in = (struct incoming_http){ 0 };
    in->vars = copy_vars(a, f->is_cgi ? environ : f->request.envp);
    in->method = var(in->vars, "REQUEST_METHOD");
    in->query = var(in->vars, "QUERY_STRING");
    in->content_type = var(in->vars, "CONTENT_TYPE");
    if (str_eq(in->method, "GET") || str_eq(in->method, "HEAD")) {
        in->body = "";
        *body = FCGI_BODY_OK;
    } else {
        *body = read_body(f, a, max_body, var(in->vars, "CONTENT_LENGTH"), in);
    }
    f->is_unread = *body != FCGI_BODY_OK;
    if (!f->is_cgi)
        set_patience(f, f->body_ms); /* of the next request on this connection */
}

/* The listening socket does not block: several processes see that a request is there, one gets it.
 */
static enum fcgi_came
take(struct fcgi *f)
{
    int code;

    if (f->is_cgi) {
        bool first = !f->cgi_done;

        f->cgi_done = true;
        return first ? FCGI_REQUEST : FCGI_OVER;
    }
    code = FCGX_Accept_r(&f->request);
    if (code == -EAGAIN)
        return FCGI_NOTHING;
    return code < 0 ? FCGI_OVER : FCGI_REQUEST;
}

enum fcgi_came
fcgi_next(struct fcgi *f, struct arena *a, size_t max_body, struct incoming_http *in,
          enum fcgi_body *body)
{
    enum fcgi_came came;

    hold_signals(true);
    came = take(f);
    if (came == FCGI_REQUEST)
        read_request(f, a, max_body, in, body);
    hold_signals(false);
    return came;
}

static void
write_all(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        bytes += done;
        n -= (size_t)done;
    }
}

void
fcgi_answer(struct fcgi *f, int status, const char *content_type, const char *const *headers,
            const char *body, size_t body_len)
{
    struct arena *a = arena_new();
    struct buf head = buf_init(a, MAX_HEAD);

    buf_printf(&head, "Status: %d\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", status,
               content_type, body_len);
    for (; headers != NULL && *headers != NULL; headers++)
        buf_printf(&head, "%s\r\n", *headers);
    buf_adds(&head, "\r\n");
    if (f->is_cgi) {
        write_all(head.data, head.len);
        write_all(body, body_len);
    } else {
        (void)FCGX_PutStr(head.data, (int)head.len, f->request.out);
        (void)FCGX_PutStr(body, (int)body_len, f->request.out);
        if (f->is_unread)
            leave_body(f);
        FCGX_Finish_r(&f->request);
    }
    arena_free(&a);
}
