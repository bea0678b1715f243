/*
 * standin - takes the place of every program when only the scripts and web server configurations
 * are on trial: answers with what it was given (method, query, headers, size of the body). With no
 * listening socket on its standard input it just stays, like the worker.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fcgiapp.h>

static const char *
param(const FCGX_Request *r, const char *name)
{
    const char *value = FCGX_GetParam(name, r->envp);

    return value == NULL ? "" : value;
}

/* Reads the body, but stops above 'max', as a program does that is about to answer 413. */
static long
body_size(FCGX_Stream *in, long max)
{
    char chunk[4096];
    long total = 0;
    int n;

    while (total <= max && (n = FCGX_GetStr(chunk, sizeof(chunk), in)) > 0)
        total += n;
    return total;
}

/* The number behind 'name=' in the query, or -1. */
static long
query_number(const char *query, const char *name)
{
    const char *at = strstr(query, name);

    return at == NULL ? -1 : strtol(at + strlen(name), NULL, 10);
}

static void
answer(FCGX_Request *r, const char *program)
{
    const char *query = param(r, "QUERY_STRING");
    long status = query_number(query, "status=");
    long wait_ms = query_number(query, "wait_ms=");
    long max = query_number(query, "max=");
    long body = body_size(r->in, max >= 0 ? max : LONG_MAX);

    if (status < 0)
        status = 200;
    if (wait_ms > 0) {
        struct timespec pause = { .tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000 };

        (void)nanosleep(&pause, NULL);
    }
    if (max >= 0 && body > max)
        status = 413;
    FCGX_FPrintF(r->out, "Status: %d\r\nContent-Type: application/json\r\n\r\n", (int)status);
    FCGX_FPrintF(r->out,
                 "{\"program\":\"%s\",\"pid\":%d,\"method\":\"%s\",\"query\":\"%s\","
                 "\"type\":\"%s\",\"length\":\"%s\",\"body\":%d,"
                 "\"authorization\":\"%s\",\"signature\":\"%s\"}\n",
                 program, (int)getpid(), param(r, "REQUEST_METHOD"), query,
                 param(r, "CONTENT_TYPE"), param(r, "CONTENT_LENGTH"), (int)body,
                 param(r, "HTTP_AUTHORIZATION"), param(r, "HTTP_X_MTN_SIGNATURE"));
    FCGX_Finish_r(r);
}

int
main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/');
    FCGX_Request r;

    if (argc > 1)
        return 0;
    if (FCGX_IsCGI()) {
        (void)pause();
        return 0;
    }
    if (FCGX_Init() != 0 || FCGX_InitRequest(&r, 0, 0) != 0)
        return 1;
    while (FCGX_Accept_r(&r) == 0)
        answer(&r, slash == NULL ? argv[0] : slash + 1);
    return 0;
}
