/*
 * http - libcurl's multi interface driven by epoll: the cost of a wake-up does not grow with the
 * number of transfers that wait.
 */
#include "io/http.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/clk.h"
#include "base/str.h"

#define MAX_EVENTS           64
#define MAX_IDLE_CONNECTIONS 512L
/* Shorter than the shortest time-out that servers are shipped with (Apache's KeepAliveTimeout and
 * Node.js's keepAliveTimeout: 5 s). A request that meets the server's goodbye on the wire is lost
 * without anybody knowing whether it was read. */
#define MAX_IDLE_S        3L
#define RETRY_AFTER_MAX_S 86400

struct http {
    struct arena *arena;
    CURLM *multi;
    int epoll;
    int watched;
    bool allow_http;
    int active;
    struct transfer *transfers; /* those in flight, newest first */
    int64_t timer_at;           /* clk_mono_ms() when libcurl wants to be called; -1 for never */
};

/* One request in flight; lives in its own arena. */
struct transfer {
    struct arena *arena;
    struct http *http;
    CURL *easy;
    struct curl_slist *headers;
    http_done *done;
    void *ctx;
    const char *body;
    size_t body_len;
    size_t body_read;
    struct buf answer;
    bool header_ended; /* the empty line behind the answer's header came */
    int retry_after_s;
    int64_t started_ms;
    struct transfer *next;
    struct transfer **link; /* what points at this one */
};

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *known)
{
    struct http *h = ctx;
    struct epoll_event ev = { .data.fd = fd };
    static char
        mark; /* any address: libcurl keeps it per socket, so that we know what epoll knows */

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)epoll_ctl(h->epoll, EPOLL_CTL_DEL, fd, NULL); /* it may be closed already */
        return 0;
    }
    ev.events = (what & CURL_POLL_IN ? (uint32_t)EPOLLIN : 0u) |
                (what & CURL_POLL_OUT ? (uint32_t)EPOLLOUT : 0u);
    if (epoll_ctl(h->epoll, known != NULL ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) != 0 &&
        epoll_ctl(h->epoll, known != NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev) != 0)
        return -1;
    return curl_multi_assign(h->multi, fd, &mark) == CURLM_OK ? 0 : -1;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *ctx)
{
    struct http *h = ctx;

    (void)multi;
    h->timer_at = timeout_ms < 0 ? -1 : clk_mono_ms() + timeout_ms;
    return 0;
}

bool
http_open(bool allow_http, struct http **out, struct err *e)
{
    struct arena *a = arena_new();
    struct http *h = arena_alloc(a, sizeof(*h));

    h->arena = a;
    h->allow_http = allow_http;
    h->watched = -1;
    h->timer_at = -1;
    h->epoll = epoll_create1(EPOLL_CLOEXEC);
    h->multi = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? curl_multi_init() : NULL;
    if (h->epoll < 0 || h->multi == NULL) {
        if (h->epoll >= 0)
            (void)close(h->epoll);
        arena_free(&a);
        return err_set(e, ERR_TEMP, "http: cannot start");
    }
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    (void)curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    (void)curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
    (void)curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, MAX_IDLE_CONNECTIONS);
    *out = h;
    return true;
}

static size_t
on_body_wanted(char *into, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    size_t room = size * n;
    size_t left = t->body_len - t->body_read;
    size_t take = left < room ? left : room;

    memcpy(into, t->body + t->body_read, take);
    t->body_read += take;
    return take;
}

static size_t
on_answer(char *bytes, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;

    buf_add(&t->answer, bytes, size * n);
    return buf_overflowed(&t->answer) ? 0 : size * n;
}

/* Seconds, or the date of HTTP (RFC 9110, 10.2.3); a day at most, 0 for what is neither or past. */
static int
read_retry_after(const char *value)
{
    int64_t seconds = 0;

    if (*value >= '0' && *value <= '9' && value[strspn(value, "0123456789")] == '\0') {
        if (!str_parse_int(value, 0, RETRY_AFTER_MAX_S, &seconds))
            seconds = RETRY_AFTER_MAX_S;
    } else if ((*value | 0x20) >= 'a' && (*value | 0x20) <= 'z') { /* the day of the week */
        int64_t at = (int64_t)curl_getdate(value, NULL);

        if (at > 0)
            seconds = (at * 1000 - clk_now_ms() + 999) / 1000;
    }
    if (seconds < 0)
        return 0;
    return seconds < RETRY_AFTER_MAX_S ? (int)seconds : RETRY_AFTER_MAX_S;
}

static size_t
on_header(char *bytes, size_t size, size_t n, void *ctx)
{
    static const char name[] = "retry-after:";
    struct transfer *t = ctx;

    if (size * n <= 2) /* "\r\n" or "\n" */
        t->header_ended = true;
    else if (strncmp(bytes, "HTTP/", strlen("HTTP/")) == 0)
        t->header_ended = false; /* what ended was an interim answer's */
    if (size * n > sizeof(name) && strncasecmp(bytes, name, sizeof(name) - 1) == 0) {
        char *value =
            arena_strndup(t->arena, bytes + sizeof(name) - 1, size * n - (sizeof(name) - 1));

        t->retry_after_s = read_retry_after(str_trim(t->arena, value));
    }
    return size * n;
}

static void
set_options(struct transfer *t, const struct http_request *req)
{
    CURL *c = t->easy;

    (void)curl_easy_setopt(c, CURLOPT_PRIVATE, t);
    (void)curl_easy_setopt(c, CURLOPT_URL, req->url);
    (void)curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, t->http->allow_http ? "https,http" : "https");
    (void)curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    (void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
    (void)curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, MAX_IDLE_S);
    (void)curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)req->connect_timeout_ms);
    (void)curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms);
    (void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_answer);
    (void)curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
    (void)curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
    (void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, t->headers);
    if (str_eq(req->method, "POST")) {
        /* A read callback without a seek callback: what was read once cannot be sent twice. */
        (void)curl_easy_setopt(c, CURLOPT_POST, 1L);
        (void)curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->body_len);
        (void)curl_easy_setopt(c, CURLOPT_READFUNCTION, on_body_wanted);
        (void)curl_easy_setopt(c, CURLOPT_READDATA, t);
        /* Without a body there is nothing to rewind: never on a connection that may die under it.
         */
        (void)curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, t->body_len == 0 ? 1L : 0L);
    }
}

static struct transfer *
transfer_new(struct http *h, const struct http_request *req)
{
    struct arena *a = arena_new();
    struct transfer *t = arena_alloc(a, sizeof(*t));

    t->arena = a;
    t->http = h;
    t->started_ms = clk_mono_ms();
    t->body_len = req->body_len;
    t->body = req->body != NULL ? arena_strndup(a, req->body, req->body_len) : "";
    t->answer = buf_init(a, HTTP_MAX_RESPONSE);
    t->easy = curl_easy_init();
    assert(t->easy != NULL);
    t->headers = curl_slist_append(NULL, "Expect:"); /* no waiting for 100 Continue */
    for (size_t i = 0; req->headers != NULL && req->headers[i] != NULL; i++)
        t->headers = curl_slist_append(t->headers, req->headers[i]);
    set_options(t, req);
    t->next = h->transfers;
    t->link = &h->transfers;
    if (t->next != NULL)
        t->next->link = &t->next;
    h->transfers = t;
    return t;
}

static void
transfer_free(struct transfer *t)
{
    struct arena *a = t->arena;

    *t->link = t->next;
    if (t->next != NULL)
        t->next->link = t->link;
    curl_easy_cleanup(t->easy);
    curl_slist_free_all(t->headers);
    arena_free(&a);
}

void
http_start(struct http *h, const struct http_request *req, http_done *done, void *ctx)
{
    struct transfer *t = transfer_new(h, req);
    CURLMcode code;

    t->done = done;
    t->ctx = ctx;
    code = curl_multi_add_handle(h->multi, t->easy);
    assert(code == CURLM_OK); /* it fails only for a handle that is in use or broken */
    h->active++;
}

/* Did the request reach the provider? Decided on two facts: did bytes leave, did a complete answer
 * come. */
static enum http_reach
reach_of(const struct transfer *t, CURLcode code)
{
    long sent = 0;

    /* An answer that ends inside its header is a success to libcurl. */
    if (code == CURLE_OK && t->header_ended)
        return HTTP_ANSWERED;
    (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent > 0 ? HTTP_CUT : HTTP_NOT_SENT;
}

static void
finish(struct http *h, CURL *easy, CURLcode code)
{
    struct transfer *t = NULL;
    struct http_response r = { 0 };
    long status = 0;

    (void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    r.reach = reach_of(t, code);
    r.status = (int)status;
    r.body = t->answer.data;
    r.body_len = t->answer.len;
    r.retry_after_s = t->retry_after_s;
    if (r.reach == HTTP_ANSWERED)
        r.why = "";
    else
        r.why = code == CURLE_OK ? "The answer's header was cut" : curl_easy_strerror(code);
    r.took_ms = clk_mono_ms() - t->started_ms;
    (void)curl_multi_remove_handle(h->multi, easy);
    h->active--;
    t->done(t->ctx, &r);
    transfer_free(t);
}

static void
finish_all(struct http *h)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(h->multi, &left)) != NULL) {
        if (msg->msg == CURLMSG_DONE)
            finish(h, msg->easy_handle, msg->data.result);
    }
}

int
http_active(const struct http *h)
{
    return h->active;
}

void
http_watch(struct http *h, int fd)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.fd = fd };

    if (h->watched >= 0)
        (void)epoll_ctl(h->epoll, EPOLL_CTL_DEL, h->watched, NULL);
    h->watched = fd;
    if (fd >= 0)
        (void)epoll_ctl(h->epoll, EPOLL_CTL_ADD, fd, &ev);
}

/* How long epoll may sleep: until libcurl's timer, at most timeout_ms. */
static int
sleep_ms(const struct http *h, int timeout_ms)
{
    int64_t left;

    if (h->timer_at < 0)
        return timeout_ms;
    left = h->timer_at - clk_mono_ms();
    if (left < 0)
        return 0;
    return left < timeout_ms ? (int)left : timeout_ms;
}

bool
http_step(struct http *h, int timeout_ms)
{
    struct epoll_event events[MAX_EVENTS];
    bool woken = false;
    int running;
    int n = epoll_wait(h->epoll, events, MAX_EVENTS, sleep_ms(h, timeout_ms));

    for (int i = 0; i < n; i++) {
        int how = 0;

        if (events[i].data.fd == h->watched) {
            woken = true;
            continue;
        }
        if (events[i].events & EPOLLIN)
            how |= CURL_CSELECT_IN;
        if (events[i].events & EPOLLOUT)
            how |= CURL_CSELECT_OUT;
        if (events[i].events & (EPOLLERR | EPOLLHUP))
            how |= CURL_CSELECT_ERR;
        (void)curl_multi_socket_action(h->multi, events[i].data.fd, how, &running);
    }
    if (h->timer_at >= 0 && clk_mono_ms() >= h->timer_at) {
        h->timer_at = -1;
        (void)curl_multi_socket_action(h->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    finish_all(h);
    return woken;
}

void
http_close(struct http **handle)
{
    struct http *h = *handle;
    struct arena *a;

    if (h == NULL)
        return;
    *handle = NULL;
    while (h->transfers != NULL) {
        (void)curl_multi_remove_handle(h->multi, h->transfers->easy);
        transfer_free(h->transfers);
    }
    (void)curl_multi_cleanup(h->multi);
    (void)close(h->epoll);
    curl_global_cleanup();
    a = h->arena;
    arena_free(&a);
}
