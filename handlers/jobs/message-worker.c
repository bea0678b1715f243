/*
 * message-worker - resident: answers and sends at once what the handlers committed. Any number of
 * them share the work.
 */
#include "flow/dispatch.h"
#include "frame/job.h"

#define MAX_SENDS 64   /* in flight per provider */
#define MAX_TURNS 1000 /* waiting for an agent; they take no send's place */

static const char usage[] = "usage: message-worker    runs until SIGTERM\n"
                            "       message-worker --check-config | --version | --help\n";

static bool
accepts(int argc, char **argv)
{
    (void)argv;
    return argc == 1;
}

static int
run(struct app *app, int argc, char **argv)
{
    struct dispatch_options o = { .job = "message-worker",
                                  .wake_fd = -1,
                                  .max_sends = MAX_SENDS,
                                  .max_turns = MAX_TURNS,
                                  .stop = &app_stopping,
                                  .settings = &app->config,
                                  .hangup = &app_hangup };
    struct dispatch_counts counts = { 0 };
    struct err e = { 0 };

    (void)argc;
    (void)argv;
    if (!wake_listen(app->config.wake_socket, &o.wake_fd, &e)) {
        o.wake_fd = -1; /* polling does it too, a quarter of a second later */
        log_event(app->flow.log, CONFIG_INVALID, LF_ERR(&e));
    }
    return dispatch_run(&app->flow, &o, &counts, &e) ? 0 : 1;
}

const struct job job = { .name = "message-worker",
                         .needs = CFG_SERVICE | CFG_SEND | CFG_AGENT | CFG_VOICE,
                         .usage = usage,
                         .accepts = accepts,
                         .run = run };
