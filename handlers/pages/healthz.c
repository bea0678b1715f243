/*
 * healthz - is this system fit to take work? GET /healthz, no token; 503 only when it is down.
 */
#include "flow/checkup.h"
#include "frame/handler.h"

static bool
run(struct call *c, struct err *e)
{
    (void)e;
    if (!checkup_report(c->flow, c->arena, c->reply))
        c->status = 503;
    return true;
}

const struct handler handler = {
    .name = "healthz",
    .methods = METHOD_GET,
    .needs = CFG_SEND | CFG_AGENT,
    .auth = AUTH_OWN,
    .run = run,
};
