/*
 * config_print - the settings as NAME=value lines, for people to read. No secret gets out here.
 */
#include "core/config_table.h"

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

static const char *
stars(const char *text)
{
    return text[0] != '\0' ? "***" : "";
}

static void
print_value(struct buf *out, enum config_kind kind, void *at)
{
    const char *const *texts = at;
    int64_t money;

    switch (kind) {
    case KIND_TEXT:
    case KIND_ID:
    case KIND_URL:
    case KIND_BASE_URL:
    case KIND_OUR_URL:
    case KIND_PREFIXES:
        buf_adds(out, texts[0]);
        break;
    case KIND_PRIVATE:
        buf_adds(out, stars(texts[0]));
        break;
    case KIND_SECRET:
        buf_adds(out, stars(((const struct secret *)at)->now));
        break;
    case KIND_INT:
        buf_printf(out, "%d", *(const int *)at);
        break;
    case KIND_SCALE:
        buf_printf(out, "%g", *(const double *)at);
        break;
    case KIND_MONEY:
    case KIND_SMS_MONEY:
        money = *(const int64_t *)at;
        buf_printf(out, "%lld.%03lld", (long long)(money / 1000), (long long)(money % 1000));
        break;
    case KIND_BOOL:
        buf_adds(out, *(const bool *)at ? "1" : "0");
        break;
    case KIND_MODE:
        buf_adds(out, mode_text(*(const enum mode *)at));
        break;
    case KIND_LEVEL:
        buf_adds(out, level_names[*(const enum log_level *)at]);
        break;
    case KIND_PROVIDERS:
        for (size_t i = 0; i < CONFIG_MAX_SMS_PROVIDERS && texts[i][0] != '\0'; i++)
            buf_printf(out, "%s%s", i > 0 ? "," : "", texts[i]);
        break;
    }
}

void
config_print(const struct config *c, struct buf *out)
{
    struct config copy = *c;

    for (size_t i = 0; i < CONFIG_SETTINGS; i++) {
        const struct config_setting *s = &config_settings[i];
        void *at = config_member(&copy, s);
        if ((s->groups & c->groups) == 0)
            continue;
        buf_printf(out, "%s=", s->name);
        print_value(out, s->kind, at);
        buf_addc(out, '\n');
        if (s->kind == KIND_SECRET && ((const struct secret *)at)->old[0] != '\0')
            buf_printf(out, "%s_OLD=***\n", s->name);
    }
}
