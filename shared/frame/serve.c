/*
 * serve - the loop of a FastCGI program: one request after another, until it is asked to stop or
 * has done its share.
 */
#include <stdio.h>

#include "base/crash.h"
#include "base/str.h"
#include "flow/call_actions.h"
#include "flow/deliver.h"
#include "frame/app.h"
#include "frame/handler.h"
#include "io/fcgi.h"

#define HANDLER_DB_TIMEOUT_MS 3000
#define BODY_MS               20000 /* for a whole body; both web servers send it faster */
#define LOOK_EVERY_MS         1000  /* at the flag of SIGTERM, which may come just before a wait */

static int
describe(const struct handler *h)
{
    struct arena *a = arena_new();

    (void)puts(json_print(a, tool_describe(a, h->tool, false)));
    arena_free(&a);
    return 0;
}

static enum handler_trouble
trouble_of(enum fcgi_body body)
{
    switch (body) {
    case FCGI_BODY_OK:
        return TROUBLE_NONE;
    case FCGI_BODY_TOO_LARGE:
        return TROUBLE_TOO_LARGE;
    case FCGI_BODY_CUT:
        return TROUBLE_CUT;
    }
    return TROUBLE_CUT;
}

/* Until a request may be there: a process that has answered takes the next one while its sends
 * finish. False when asked to stop. */
static bool
wait_for_request(struct app *app, struct fcgi *fcgi)
{
    struct flow *f = &app->flow;
    bool is_there = false;

    while (!app_stopping && !is_there) {
        bool calls = call_actions_go_on(f);

        if ((f->unfinished != NULL || calls) && fcgi_socket(fcgi) >= 0)
            is_there = deliver_go_on(f, fcgi_socket(fcgi), LOOK_EVERY_MS);
        else
            is_there = fcgi_wait(fcgi, LOOK_EVERY_MS);
    }
    return is_there && !app_stopping;
}

static void
serve_one(const struct handler *h, struct app *app, struct fcgi *fcgi, struct call *c,
          enum fcgi_body body)
{
    struct handler_answer answer;

    CRASH_POINT("serve_read");
    config_refresh(&app->config, app_hangup != 0);
    app_hangup = 0;
    answer = handler_answer(h, c, trouble_of(body));
    CRASH_POINT("serve_before_answer");
    fcgi_answer(fcgi, answer.status, answer.content_type, answer.headers, answer.body,
                answer.body_len);
    CRASH_POINT("serve_after_answer");
}

static void
serve(const struct handler *h, struct app *app, struct fcgi *fcgi)
{
    struct arena *a = arena_new();
    enum fcgi_came came = FCGI_NOTHING;
    int served = 0;

    while (served < app->config.max_requests && came != FCGI_OVER && wait_for_request(app, fcgi)) {
        struct call c = { .arena = a, .flow = &app->flow, .settings = &app->config };
        enum fcgi_body body;

        came = fcgi_next(fcgi, a, h->max_body, &c.in, &body);
        if (came == FCGI_REQUEST) {
            serve_one(h, app, fcgi, &c, body);
            served++;
        }
        arena_reset(a);
    }
    call_actions_drain(&app->flow);
    deliver_drain(&app->flow);
    arena_free(&a);
}

int
handler_main(const struct handler *h, int argc, char **argv)
{
    struct app app;
    struct fcgi *fcgi;
    struct err e = { 0 };
    int code;

    if (app_options(handler_name(h), h->needs, argc, argv, &code))
        return code;
    if (h->tool != NULL && argc > 1 && str_eq(argv[1], "--describe"))
        return describe(h);
    if (!app_start(&app, handler_name(h), h->needs, HANDLER_DB_TIMEOUT_MS))
        return 1;
    if (!fcgi_open(&fcgi, BODY_MS, &e)) {
        log_event(app.flow.log, PROGRAM_FAILED, LF_ERR(&e));
        app_stop(&app);
        return 1;
    }
    app_signals(); /* in place of libfcgi's, under which a SIGTERM would cut an answer off */
    serve(h, &app, fcgi);
    fcgi_close(&fcgi);
    app_stop(&app);
    return 0;
}
