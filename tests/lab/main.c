/*
 * The lab: the world around the system, for its tests, its demo and its benchmarks. It plays the
 * SMS gateways, Meta's Graph API, an OpenAI-compatible agent and the phones of the people, and
 * misbehaves on request. Listens on 127.0.0.1 only.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent.h"
#include "config.h"
#include "faults.h"
#include "loop.h"
#include "media.h"
#include "phones.h"
#include "posts.h"
#include "receipts.h"
#include "records.h"
#include "routes.h"
#include "server.h"
#include "timer.h"

static const char usage[] = "usage: lab [--port PORT] [--target URL]\n";

static bool
read_options(int argc, char **argv, uint16_t *port, const char **target)
{
    static const struct option options[] = {
        { "port", required_argument, NULL, 'p' },
        { "target", required_argument, NULL, 't' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    for (int c = getopt_long(argc, argv, "", options, NULL); c != -1;
         c = getopt_long(argc, argv, "", options, NULL)) {
        char *end;
        long number;
        switch (c) {
        case 'p':
            number = strtol(optarg, &end, 10);
            if (end == optarg || *end != '\0' || number < 0 || number > 65535) {
                return false;
            }
            *port = (uint16_t)number;
            break;
        case 't':
            *target = optarg;
            break;
        default:
            return false;
        }
    }
    return optind == argc;
}

static void
release_all(void)
{
    posts_release();
    receipts_reset();
    server_stop();
    records_reset();
    phones_release();
    media_reset();
    faults_reset();
    agent_reset();
    config_release();
    timers_release();
    loop_release();
}

int
main(int argc, char **argv)
{
    uint16_t port = 0;
    const char *target = "";
    if (!read_options(argc, argv, &port, &target)) {
        (void)fputs(usage, stderr);
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    config_init(target);
    if (!loop_init() || !posts_init()) {
        (void)fputs("lab: no event loop\n", stderr);
        return 1;
    }
    if (!server_start(port, routes_dispatch)) {
        (void)fprintf(stderr, "lab: cannot listen on 127.0.0.1:%u\n", (unsigned)port);
        return 1;
    }
    (void)printf("ready http://127.0.0.1:%u\n", (unsigned)server_port());
    (void)fflush(stdout);
    loop_run();
    release_all();
    return 0;
}
