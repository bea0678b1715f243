/*
 * http_server - a scripted HTTP server for one test: a child process on a port of the kernel's
 * choice that does what its script says and counts the complete requests it has read.
 */
#ifndef OMNI_UNIT_HTTP_SERVER_H
#define OMNI_UNIT_HTTP_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/unit.h"

#define SERVER_LIFE_S      180 /* whatever becomes of the test */
#define SERVER_REQUEST_MAX (4 * 1024 * 1024)

struct server {
    pid_t pid;
    int listener;
    int port;
    int reports; /* one byte per request that was read to its end */
};

/* What the child does. It may end by returning; what it has not accepted stays in the backlog. */
typedef void server_script(int listener, int report);

/* The steps of scripts. Everything that goes wrong ends the child, and the test misses its count.
 */
static inline int
server_accept(int listener)
{
    int fd = accept(listener, NULL, NULL);

    if (fd < 0)
        _exit(9);
    return fd;
}

/* Where the body begins, 0 while the header is not complete. */
static inline size_t
server_body_at(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");

    return end != NULL ? (size_t)(end - text) + 4 : 0;
}

/* Reads one whole request; its text, which the next one overwrites, or NULL when the connection
 * ended before. */
static inline char *
server_read(int fd, int report)
{
    static char text[SERVER_REQUEST_MAX];
    size_t n = 0;
    size_t want = 0;

    while (want == 0 || n < want) {
        ssize_t got = read(fd, text + n, sizeof(text) - 1 - n);
        const char *length;
        if (got <= 0)
            return NULL;
        n += (size_t)got;
        text[n] = '\0';
        length = strstr(text, "Content-Length: ");
        want = server_body_at(text);
        if (want > 0 && length != NULL)
            want += strtoul(length + strlen("Content-Length: "), NULL, 10);
    }
    return write(report, "", 1) == 1 ? text : NULL;
}

static inline void
server_must_read(int fd, int report)
{
    if (server_read(fd, report) == NULL)
        _exit(9);
}

static inline void
server_write(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = send(fd, bytes, n, MSG_NOSIGNAL);
        if (done <= 0)
            return; /* the client has had enough */
        bytes += done;
        n -= (size_t)done;
    }
}

static inline void
server_say(int fd, const char *text)
{
    server_write(fd, text, strlen(text));
}

static inline void
server_answer(int fd, int status, const char *headers, const char *body)
{
    char head[512];
    int n = snprintf(head, sizeof(head), "HTTP/1.1 %d Words\r\nContent-Length: %zu\r\n%s\r\n",
                     status, strlen(body), headers);

    server_write(fd, head, (size_t)n);
    server_say(fd, body);
}

/* Ends the connection with a reset instead of a goodbye. */
static inline void
server_reset(int fd)
{
    const struct linger now = { .l_onoff = 1, .l_linger = 0 };

    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    (void)close(fd);
}

/* Until the client goes. */
static inline void
server_wait_end(int fd)
{
    char bytes[256];

    while (read(fd, bytes, sizeof(bytes)) > 0)
        continue;
}

/* A socket on a port of its own. Nobody is accepted before listen(). */
static inline int
server_socket(int *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t n = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static inline struct server
server_start(server_script *script)
{
    struct server s = { .pid = -1 };
    int ends[2];

    s.listener = server_socket(&s.port);
    assert_int_equal(listen(s.listener, 128), 0);
    assert_int_equal(pipe(ends), 0);
    s.reports = ends[0];
    s.pid = fork();
    assert_true(s.pid >= 0);
    if (s.pid == 0) {
        (void)close(ends[0]);
        (void)alarm(SERVER_LIFE_S);
        script(s.listener, ends[1]);
        _exit(0);
    }
    assert_int_equal(close(ends[1]), 0);
    return s;
}

/* Until the child has reported n times more; these are not counted by server_stop(). */
static inline void
server_wait_reports(struct server *s, int n)
{
    char byte;

    for (int i = 0; i < n; i++)
        assert_int_equal(read(s->reports, &byte, 1), 1);
}

/* Ends the child; how many requests it has read. */
static inline int
server_stop(struct server *s)
{
    char bytes[256];
    int count = 0;
    ssize_t n;

    if (s->pid < 0)
        return 0;
    (void)kill(s->pid, SIGKILL);
    while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    while ((n = read(s->reports, bytes, sizeof(bytes))) > 0)
        count += (int)n;
    (void)close(s->reports);
    (void)close(s->listener);
    s->pid = -1;
    return count;
}

#endif
