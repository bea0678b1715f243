/*
 * serve - the loop of a FastCGI program: one request after another, until it is asked to stop or
 * has done its share.
 */
#include <stdio.h>

#include "base/crash.h"
#include "base/str.h"
#include "flow/deliver.h"
#include "frame/app.h"
#include "frame/handler.h"
#include "io/fcgi.h"

#define HANDLER_DB_TIMEOUT_MS 3000

static int
describe(const struct handler *h)
{
    struct arena *a = arena_new();

    (void)puts(json_print(a, tool_describe(a, h->tool)));
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

static void
serve(const struct handler *h, struct app *app, struct fcgi *fcgi)
{
    struct arena *a = arena_new();
    struct incoming_http in;
    enum fcgi_body body;

    for (int served = 0;
         served < app->config.max_requests && fcgi_next(fcgi, a, h->max_body, &in, &body);
         served++) {
        struct call c = { .arena = a, .flow = &app->flow, .in = in };
        struct handler_answer answer;

        CRASH_POINT("serve_read");
        config_refresh(&app->config, app_hangup != 0);
        app_hangup = 0;
        answer = handler_answer(h, &c, trouble_of(body));
        CRASH_POINT("serve_before_answer");
        fcgi_answer(fcgi, answer.status, answer.content_type, answer.headers, answer.body,
                    answer.body_len);
        CRASH_POINT("serve_after_answer");
        deliver_drain(&app->flow);
        arena_reset(a);
    }
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
    app_signals(false);
    if (!fcgi_open(&fcgi, &e)) {
        log_event(app.flow.log, PROGRAM_FAILED, LF_ERR(&e));
        app_stop(&app);
        return 1;
    }
    serve(h, &app, fcgi);
    fcgi_close(&fcgi);
    app_stop(&app);
    return 0;
}
