/*
 * config - reading the settings. config_table.c lists them, config_value.c knows what single values
 * mean, config_secret.c the files that secrets may stand in, config_print.c shows them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "core/config_secret.h"
#include "core/config_table.h"
#include "core/config_value.h"

/* One run of config_load(). */
struct loader {
    struct arena *arena;
    struct config *config;
    struct buf faults; /* "NAME: what is wrong" lines */
    bool failed;
};

/* The variable's value; an empty one counts as unset, so that a file of settings may list them all.
 */
static const char *
env(const char *name)
{
    const char *value = getenv(name);

    return str_empty(value) ? NULL : value;
}

static void
add_fault(struct loader *l, const char *name, const char *fault)
{
    buf_printf(&l->faults, "%s%s: %s", l->faults.len > 0 ? "\n" : "", name, fault);
    l->failed = true;
}

/* Every text "", every secret unset: what a program did not ask for is empty, never NULL. */
static void
set_empty(struct config *c)
{
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        void *at = config_member(c, &config_settings[i]);
        switch (config_settings[i].kind) {
        case KIND_TEXT:
        case KIND_PRIVATE:
        case KIND_ID:
        case KIND_URL:
        case KIND_BASE_URL:
        case KIND_OUR_URL:
        case KIND_PREFIXES:
            *(const char **)at = "";
            break;
        case KIND_SECRET:
            *(struct secret *)at = (struct secret){ .now = "", .old = "" };
            break;
        case KIND_PROVIDERS:
            for (size_t j = 0; j < CONFIG_MAX_SMS_PROVIDERS; j++)
                ((const char **)at)[j] = "";
            break;
        case KIND_INT:
        case KIND_SCALE:
        case KIND_MONEY:
        case KIND_SMS_MONEY:
        case KIND_BOOL:
        case KIND_MODE:
        case KIND_LEVEL:
            break;
        }
    }
}

static const char *
parse_url(struct loader *l, const struct config_setting *s, const char *value, const char **out)
{
    size_t n = strlen(value);
    const char *fault = config_value_url(value, s->kind == KIND_OUR_URL || l->config->allow_http);

    if (fault != NULL)
        return fault;
    while (s->kind != KIND_URL && value[n - 1] == '/')
        n--;
    *out = arena_strndup(l->arena, value, n);
    return NULL;
}

static const char *
parse_text(struct loader *l, const char *fault, const char *value, const char **out)
{
    if (fault == NULL)
        *out = arena_strdup(l->arena, value);
    return fault;
}

static const char *
parse_int(struct loader *l, const struct config_setting *s, const char *value, int64_t *out)
{
    if (str_parse_int(value, s->min, s->max, out))
        return NULL;
    return arena_printf(l->arena, "must be a whole number from %lld to %lld", (long long)s->min,
                        (long long)s->max);
}

/* Returns NULL, or why the value is refused. */
static const char *
parse_value(struct loader *l, const struct config_setting *s, const char *value)
{
    void *at = config_member(l->config, s);
    const char *fault = NULL;
    int64_t n = 0;

    switch (s->kind) {
    case KIND_TEXT:
    case KIND_PRIVATE:
        return parse_text(l, config_value_line(value), value, at);
    case KIND_ID:
        return parse_text(l, config_value_id(value), value, at);
    case KIND_URL:
    case KIND_BASE_URL:
    case KIND_OUR_URL:
        return parse_url(l, s, value, at);
    case KIND_SECRET:
        return NULL; /* load_secret() */
    case KIND_INT:
        fault = parse_int(l, s, value, &n);
        *(int *)at = (int)n;
        return fault;
    case KIND_BOOL:
        fault = parse_int(l, s, value, &n);
        *(bool *)at = n != 0;
        return fault;
    case KIND_SCALE:
        fault = config_value_decimal(l->arena, value, s->min, s->max, &n);
        *(double *)at = (double)n / 1000;
        return fault;
    case KIND_MONEY:
    case KIND_SMS_MONEY:
        return config_value_decimal(l->arena, value, s->min, s->max, at);
    case KIND_MODE:
        return mode_parse(value, at) ? NULL : "must be both, failover or sms_only";
    case KIND_LEVEL:
        return log_level_parse(value, at) ? NULL : "must be debug, info, warn or error";
    case KIND_PROVIDERS:
        return config_value_providers(l->arena, value, at);
    case KIND_PREFIXES:
        return config_value_prefixes(l->arena, value, at);
    }
    return "unknown";
}

/* One of a secret's two values, from the file that NAME_FILE names or else from NAME. */
static bool
load_secret_part(struct loader *l, const char *name, const char **slot, bool is_old)
{
    const char *file_name = arena_printf(l->arena, "%s_FILE", name);
    const char *path = env(file_name);
    const char *value = env(name);
    const char *fault = NULL;

    if (path != NULL)
        fault = config_source_add(l->config, path, slot, is_old);
    else if (value != NULL)
        fault = parse_text(l, config_value_line(value), value, slot);
    if (fault != NULL)
        add_fault(l, path != NULL ? file_name : name, fault);
    return fault == NULL;
}

static void
load_secret(struct loader *l, const struct config_setting *s)
{
    struct secret *secret = config_member(l->config, s);
    const char *old_name = arena_printf(l->arena, "%s_OLD", s->name);

    bool fine = load_secret_part(l, s->name, &secret->now, false);
    if (fine && s->fallback == NULL && secret->now[0] == '\0')
        add_fault(l, s->name, "missing");
    (void)load_secret_part(l, old_name, &secret->old, true);
}

/* SMS_PRICE_RWF_MTN_MADAPI for the gateway mtn-madapi. */
static const char *
price_name(struct loader *l, const struct config_setting *s)
{
    char *name = arena_printf(l->arena, "%s_%s", s->name, l->config->sms_providers[0]);

    for (char *p = name; *p != '\0'; p++) {
        if (*p >= 'a' && *p <= 'z')
            *p = (char)(*p - 'a' + 'A');
        else if (*p == '-')
            *p = '_';
    }
    return env(name) != NULL ? name : s->name;
}

static void
load_plain(struct loader *l, const struct config_setting *s)
{
    const char *name = s->kind == KIND_SMS_MONEY ? price_name(l, s) : s->name;
    const char *value = env(name);
    const char *fault = NULL;

    if (s->kind == KIND_PRIVATE) {
        const char *file_name = arena_printf(l->arena, "%s_FILE", name);
        const char *path = env(file_name);
        if (path != NULL) {
            name = file_name;
            fault = config_file_line(l->arena, path, &value);
        }
    }
    if (fault == NULL && value == NULL)
        value = s->fallback;
    if (fault == NULL && value == NULL)
        fault = "missing";
    /* An empty default is what set_empty() left. */
    if (fault == NULL && value[0] != '\0')
        fault = parse_value(l, s, value);
    if (fault != NULL)
        add_fault(l, name, fault);
}

bool
config_load(struct arena *a, unsigned groups, struct config *out, struct err *e)
{
    struct loader l = { .arena = a, .config = out, .faults = buf_init(a, sizeof(e->text) - 1) };

    *out = (struct config){ .groups = groups | CFG_CORE, .source = config_source_new(a) };
    set_empty(out);
#ifdef OMNI_CRASH_POINTS
    out->crash_at = env("CRASH_AT");
#endif
    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        if ((config_settings[i].groups & out->groups) == 0)
            continue;
        if (config_settings[i].kind == KIND_SECRET)
            load_secret(&l, &config_settings[i]);
        else
            load_plain(&l, &config_settings[i]);
    }
    if ((out->groups & CFG_SERVICE) != 0 && env("TOKEN_SECRET") == NULL &&
        env("TOKEN_SECRET_FILE") == NULL)
        config_source_follow_service_key(out);
    if (l.failed)
        return err_set(e, ERR_INVALID, "%s", l.faults.data);
    return true;
}
