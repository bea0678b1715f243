/*
 * config_table - the list of all settings; loading and showing them goes over it.
 */
#ifndef OMNI_CORE_CONFIG_TABLE_H
#define OMNI_CORE_CONFIG_TABLE_H

#include "core/config.h"

enum config_kind {
    KIND_TEXT,
    KIND_PRIVATE, /* text that may hold a password: shown as ***, may stand in X_FILE */
    KIND_ID,
    KIND_URL,
    KIND_BASE_URL, /* something is appended to it: no slash at its end */
    KIND_OUR_URL,  /* the same, but our own: http:// is always allowed */
    KIND_SECRET,
    KIND_INT,
    KIND_SCALE,     /* a double; its bounds are thousandths */
    KIND_MONEY,     /* thousandths of a franc */
    KIND_SMS_MONEY, /* the same; the variable of the first SMS gateway goes before */
    KIND_BOOL,      /* 0 or 1 */
    KIND_MODE,
    KIND_LEVEL,
    KIND_PROVIDERS,
    KIND_PREFIXES,
};

struct config_setting {
    const char *name;
    enum config_kind kind;
    unsigned groups;      /* any of these */
    size_t offset;        /* in struct config */
    const char *fallback; /* NULL: required */
    int64_t min;
    int64_t max;
};

#define CONFIG_SETTINGS 47

extern const struct config_setting config_settings[CONFIG_SETTINGS];

/* Where the struct keeps a setting: a pointer to the type that its kind stands for. */
void *config_member(struct config *c, const struct config_setting *s);

#endif
