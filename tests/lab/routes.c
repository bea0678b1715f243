/* The table of paths: see routes.h. A star matches one segment and hands it to the handler. */
#include "routes.h"

#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "calls.h"
#include "config.h"
#include "control.h"
#include "faults.h"
#include "gateways.h"
#include "graph.h"
#include "media.h"
#include "people.h"
#include "phones.h"
#include "records.h"

static const struct route {
    const char *methods;
    const char *path;
    void (*serve)(struct request *r);
} routes[] = {
    /* What the system under test calls, the busiest first. */
    { "POST", "/mtn/v1/sms/send", mtn_serve },
    { "POST", "/graph/*/*/messages", graph_serve_messages },
    { "POST", "/openai/v1/chat/completions", agent_serve_chat },
    { "GET POST", "/cgi-bin/sendsms", kannel_serve },
    { "POST", "/version1/messaging", africastalking_serve },
    { "POST", "/graph/*/*/calls", graph_serve_calls },
    { "POST", "/openai/v1/realtime/calls/*/*", agent_serve_call },
    { "GET", "/graph/*/*", media_serve_lookup },
    { "GET", "/media/*", media_serve_document },
    { "POST", "/api/sessions", bridge_serve_session },
    { "POST", "/bridge/stop", bridge_serve_stop },
    /* What tests, the demo and the benchmarks call. */
    { "GET", "/lab/phones", phones_serve_all },
    { "GET", "/lab/phones/*", phones_serve_one },
    { "POST", "/lab/phones/*/sms", people_serve_sms },
    { "POST", "/lab/phones/*/whatsapp", people_serve_whatsapp },
    { "POST", "/lab/phones/*/call", people_serve_call },
    { "POST", "/lab/phones/*/whatsapp-call", calls_serve_whatsapp },
    { "POST", "/lab/phones/*/sip-call", calls_serve_sip },
    { "GET POST DELETE", "/lab/faults", faults_serve },
    { "POST", "/lab/agent", agent_serve_script },
    { "GET", "/lab/agent/requests", records_serve_agent },
    { "GET", "/lab/requests", records_serve },
    { "GET", "/lab/stats", control_serve_stats },
    { "GET POST", "/lab/config", config_serve },
    { "POST", "/lab/reset", control_serve_reset },
};

/* Stars are copied into r->segment in order. */
static bool
path_matches(struct request *r, const char *pattern)
{
    const char *path = r->path;
    size_t star = 0;
    while (*pattern != '\0' && *path != '\0') {
        if (*pattern == '*') {
            size_t len = strcspn(path, "/");
            if (len == 0 || len >= sizeof r->segment[0] || star == REQUEST_SEGMENTS) {
                return false;
            }
            (void)snprintf(r->segment[star++], sizeof r->segment[0], "%.*s", (int)len, path);
            path += len;
            pattern++;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return *pattern == '\0' && *path == '\0';
}

void
routes_dispatch(struct request *r)
{
    bool is_known = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!path_matches(r, routes[i].path)) {
            continue;
        }
        is_known = true;
        if (strstr(routes[i].methods, r->method) != NULL) {
            r->serve = routes[i].serve;
            r->serve(r);
            return;
        }
    }
    reply_error(r, is_known ? 405 : 404, is_known ? "wrong method" : "no such path in the lab");
}
