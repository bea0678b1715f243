/*
 * healthz - is this system fit to take work? GET /healthz, no token; 503 only when it is down.
 */
#include "base/str.h"
#include "frame/handler.h"
#include "model/health.h"
#include "provider/provider.h"

#define WORKER_LATE_S 60
#define CRON_LATE_S   180

static const char *
beat_word(int64_t age_s, int64_t late_s)
{
    if (age_s < 0)
        return "never_seen";
    return age_s > late_s ? "late" : "ok";
}

static bool
run(struct call *c, struct err *e)
{
    const struct config *config = c->flow->config;
    struct json_object *checks = json_add_object(c->reply, "checks");
    struct json_object *backlog = json_add_object(c->reply, "backlog");
    bool has_sms = provider_for(config, CHANNEL_SMS) != NULL;
    bool has_whatsapp = provider_for(config, CHANNEL_WHATSAPP) != NULL;
    struct health h = { .worker_age_s = -1, .cron_age_s = -1 };
    bool has_db = health_read(c->flow->db, c->arena, &h, e);
    bool jobs_ok =
        h.worker_age_s >= 0 && h.worker_age_s <= WORKER_LATE_S && h.cron_age_s <= CRON_LATE_S;

    json_set_str(checks, "database", has_db ? "ok" : "down");
    json_set_str(checks, "spool", "off");
    json_set_str(checks, "worker", beat_word(h.worker_age_s, WORKER_LATE_S));
    json_set_str(checks, "cron", beat_word(h.cron_age_s, CRON_LATE_S));
    json_set_str(checks, "whatsapp", has_whatsapp ? "ok" : "off");
    json_set_str(checks, "sms", has_sms ? "ok" : "off");
    json_set_str(checks, "agent", str_empty(config->openai_base_url) ? "off" : "ok");
    json_set_int(backlog, "due", h.due);
    json_set_int(backlog, "oldest_s", h.oldest_s);
    json_set_str(c->reply, "status", !has_db ? "down" : jobs_ok && has_sms ? "ok" : "degraded");
    json_set_str(c->reply, "version", OMNI_VERSION);
    if (!has_db)
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
