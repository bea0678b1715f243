/* libmicrohttpd with epoll, driven from the lab's own loop: see server.h. */
#include "server.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#include "loop.h"
#include "timer.h"

#define BODY_MAX  ((size_t)8 * 1024 * 1024)
#define SWEEP_MS  1000
#define BACKLOG   1024
#define SPARE_FDS 256

static struct MHD_Daemon *daemon_http;
static void (*dispatch_request)(struct request *r);

/* MHD shows the raw request line only here, before it takes the line apart. */
static void *
on_request_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)cls;
    return request_new(connection, uri);
}

static void
on_request_end(void *cls, struct MHD_Connection *connection, void **con_cls,
               enum MHD_RequestTerminationCode why)
{
    (void)cls;
    (void)connection;
    (void)why;
    if (*con_cls != NULL) {
        request_free(*con_cls);
        *con_cls = NULL;
    }
}

static enum MHD_Result
queue_answer(struct request *r)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(r->answer_len, r->answer, MHD_RESPMEM_MUST_FREE);
    if (response == NULL) {
        return MHD_NO;
    }
    r->answer = NULL;
    if (r->content_type != NULL) {
        (void)MHD_add_response_header(response, "Content-Type", r->content_type);
    }
    if (r->retry_after > 0) {
        char seconds[24];
        (void)snprintf(seconds, sizeof seconds, "%ld", r->retry_after);
        (void)MHD_add_response_header(response, "Retry-After", seconds);
    }
    enum MHD_Result result = MHD_queue_response(r->connection, r->status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result
read_body(struct request *r, const char *upload, size_t *upload_len)
{
    if (r->body.len + *upload_len > BODY_MAX) {
        return MHD_NO;
    }
    buf_add(&r->body, upload, *upload_len);
    *upload_len = 0;
    return MHD_YES;
}

/* MHD calls this with the head, with each piece of the body, once behind the body, and again
 * whenever a suspended request is resumed. The parameters are MHD's choice. */
static enum MHD_Result /* NOLINTNEXTLINE(readability-function-size) */
on_request(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
           const char *version, const char *upload, size_t *upload_len, void **con_cls)
{
    (void)cls;
    (void)connection;
    (void)url;
    (void)version;
    struct request *r = *con_cls;
    if (r->stage == STAGE_HEAD) {
        (void)snprintf(r->method, sizeof r->method, "%s", method);
        r->stage = STAGE_BODY;
        return MHD_YES;
    }
    if (*upload_len > 0) {
        return read_body(r, upload, upload_len);
    }
    if (r->stage == STAGE_BODY) {
        r->stage = STAGE_SERVED;
        buf_add(&r->body, "", 0);
        dispatch_request(r);
    }
    if (r->is_closing) {
        return MHD_NO;
    }
    if (r->is_sent) {
        return queue_answer(r);
    }
    request_suspend(r);
    return MHD_YES;
}

/* MHD does not watch suspended connections, so a peer that gave up on a hung request would keep its
 * descriptor for ever. */
static void
sweep(void *arg)
{
    requests_sweep();
    (void)timer_start(SWEEP_MS, sweep, arg);
}

/* As many connections as descriptors allow: thousands of requests may wait for a slow agent. */
static unsigned
connection_limit(void)
{
    struct rlimit limit = { 0 };
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 512;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    rlim_t most = limit.rlim_max > 100000 ? 100000 : limit.rlim_max;
    return most > (rlim_t)2 * SPARE_FDS ? (unsigned)most - SPARE_FDS : (unsigned)most / 2;
}

bool
server_start(uint16_t port, void (*dispatch)(struct request *r))
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    dispatch_request = dispatch;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    daemon_http = MHD_start_daemon(
        flags, port, NULL, NULL, on_request, NULL, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_URI_LOG_CALLBACK, on_request_line, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        on_request_end, NULL, MHD_OPTION_CONNECTION_LIMIT, connection_limit(),
        MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG, MHD_OPTION_END);
    if (daemon_http == NULL) {
        return false;
    }
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon_http, MHD_DAEMON_INFO_EPOLL_FD);
    if (info == NULL) {
        return false;
    }
    loop_watch(info->epoll_fd, EPOLLIN, LOOP_SERVER);
    sweep(NULL);
    return true;
}

uint16_t
server_port(void)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon_http, MHD_DAEMON_INFO_BIND_PORT);
    return info == NULL ? 0 : info->port;
}

int64_t
server_wait_ms(void)
{
    /* MHD forgets to wake itself for what one request resumes while it serves another. */
    if (requests_resumed()) {
        return 0;
    }
    MHD_UNSIGNED_LONG_LONG ms = 0;
    return MHD_get_timeout(daemon_http, &ms) == MHD_YES ? (int64_t)(ms > 60000 ? 60000 : ms) : -1;
}

void
server_serve(void)
{
    (void)MHD_run(daemon_http);
}

void
server_stop(void)
{
    /* MHD may not be stopped while connections are suspended. */
    requests_close_all();
    server_serve();
    MHD_stop_daemon(daemon_http);
}
