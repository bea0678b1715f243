/*
 * message-retry - one run, from cron every minute: sends what is due, answers what is due, picks up
 * what a dead worker left, exits.
 *
 * - message-retry --dead          lists the dead letters, the newest first
 * - message-retry --replay ID     sends one again, as a new row; pressed twice it is still one
 */
#include <stdio.h>

#include "base/str.h"
#include "flow/deadletter.h"
#include "flow/dispatch.h"
#include "frame/job.h"

#define MAX_SENDS 64
#define MAX_TURNS 200

static const char usage[] =
    "usage: message-retry                one run: sends and answers what is due\n"
    "       message-retry --dead         lists the dead letters, the newest first\n"
    "       message-retry --replay ID    sends one again, as a new row\n"
    "       message-retry --check-config | --version | --help\n";

static bool
is_list(int argc, char **argv)
{
    return argc == 2 && str_eq(argv[1], "--dead");
}

static bool
is_replay(int argc, char **argv)
{
    return argc == 3 && str_eq(argv[1], "--replay");
}

static bool
accepts(int argc, char **argv)
{
    return argc == 1 || is_list(argc, argv) || is_replay(argc, argv);
}

static int
run(struct app *app, int argc, char **argv)
{
    const struct dispatch_options o = { .job = "message-retry",
                                        .once = true,
                                        .wake_fd = -1,
                                        .max_sends = MAX_SENDS,
                                        .max_turns = MAX_TURNS,
                                        .stop = &app_stopping,
                                        .settings = &app->config,
                                        .hangup = &app_hangup };
    struct dispatch_counts counts = { 0 };
    struct err e = { 0 };
    bool ok;

    if (is_list(argc, argv))
        return deadletter_list(&app->flow, stdout);
    if (is_replay(argc, argv))
        return deadletter_replay(&app->flow, argv[2], stdout);
    ok = dispatch_run(&app->flow, &o, &counts, &e);
    log_event(app->flow.log, RETRY_RUN, LF_INT("sends", counts.sends),
              LF_INT("turns", counts.turns), LF_INT("calls", counts.calls));
    if (!ok)
        log_event(app->flow.log, DATABASE_AWAY, LF_ERR(&e));
    return ok ? 0 : 1;
}

const struct job job = { .name = "message-retry",
                         .needs = CFG_SERVICE | CFG_SEND | CFG_AGENT | CFG_VOICE,
                         .usage = usage,
                         .accepts = accepts,
                         .run = run };
