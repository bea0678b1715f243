/*
 * checkup - the state of the database, the jobs and the channels, in words.
 */
#include "flow/checkup.h"

#include "base/str.h"
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

/* "off" where nobody can send by this channel, "degraded" while its provider is left in peace. */
static const char *
channel_word(struct arena *a, const struct provider *p, const char *paused)
{
    size_t n;
    char **names = str_split(a, paused, ' ', &n);

    if (p == NULL)
        return "off";
    for (size_t i = 0; i < n; i++) {
        if (str_eq(names[i], p->name))
            return "degraded";
    }
    return "ok";
}

/* "degraded" while the server of any agent is left in peace. */
static const char *
agent_word(struct arena *a, const struct config *c, const char *paused)
{
    size_t n;
    char **names = str_split(a, paused, ' ', &n);

    for (size_t i = 0; i < n; i++) {
        if (str_starts(names[i], "agent:"))
            return "degraded";
    }
    return str_empty(c->openai_base_url) ? "off" : "ok";
}

bool
checkup_report(struct flow *f, struct arena *a, struct json_object *reply)
{
    struct health h = { .worker_age_s = -1, .cron_age_s = -1, .paused = "" };
    struct err e = { 0 };
    struct err why = { 0 };
    enum spool_state spool = spool_check(f->spool, &why);
    bool has_db = health_read(f->db, a, &h, &e);
    const char *sms = channel_word(a, provider_for(f->config, CHANNEL_SMS), h.paused);
    const char *whatsapp = channel_word(a, provider_for(f->config, CHANNEL_WHATSAPP), h.paused);
    const char *agent = agent_word(a, f->config, h.paused);
    const char *worker = beat_word(h.worker_age_s, WORKER_LATE_S);
    const char *cron = beat_word(h.cron_age_s, CRON_LATE_S);
    bool is_ok = has_db && spool == SPOOL_OK && str_eq(worker, "ok") && !str_eq(cron, "late") &&
                 str_eq(sms, "ok") && !str_eq(whatsapp, "degraded") && !str_eq(agent, "degraded");
    bool can_keep = has_db || spool == SPOOL_OK;
    struct json_object *checks;
    struct json_object *backlog;

    json_set_str(reply, "status", !can_keep ? "down" : is_ok ? "ok" : "degraded");
    checks = json_add_object(reply, "checks");
    json_set_str(checks, "database", has_db ? "ok" : "down");
    json_set_str(checks, "spool", spool_state_text(spool));
    json_set_str(checks, "worker", worker);
    json_set_str(checks, "cron", cron);
    json_set_str(checks, "whatsapp", whatsapp);
    json_set_str(checks, "sms", sms);
    json_set_str(checks, "agent", agent);
    backlog = json_add_object(reply, "backlog");
    json_set_int(backlog, "due", h.due);
    json_set_int(backlog, "oldest_s", h.oldest_s);
    json_set_int(backlog, "needs_human", h.needs_human);
    json_set_str(reply, "version", OMNI_VERSION);
    if (!has_db)
        log_event(f->log, DATABASE_AWAY, LF_ERR(&e));
    if (spool != SPOOL_OK)
        log_event(f->log, SPOOL_FAILED, LF_ERR(&why));
    return can_keep;
}
