/*
 * log - one JSON object per line: ts, level, event, program, pid, correlation_id, then typed
 * fields.
 *
 * The field's type decides what may be seen: LF_PHONE masks, LF_TEXT writes only the length, LF_ID
 * is for ids and enumerated words, LF_INT for numbers, LF_ERR for a struct err (kind and words).
 * There is no field for free text. Events come from log_events.def, so an unknown one does not
 * compile.
 */
#ifndef OMNI_CORE_LOG_H
#define OMNI_CORE_LOG_H

#include "base/err.h"
#include "core/phone.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

enum log_event {
#define LOG_EVENT(name, level, meaning) EV_##name,
#include "core/log_events.def"
#undef LOG_EVENT
    EV_COUNT
};

struct log;

struct log_field {
    enum { LF_KIND_ID, LF_KIND_INT, LF_KIND_TEXT, LF_KIND_PHONE, LF_KIND_ERR } kind;
    const char *name;
    const char *text;
    int64_t n;
    const struct phone *phone;
    const struct err *err;
};

#define LF_ID(field, value)                                                                        \
    (struct log_field)                                                                             \
    {                                                                                              \
        .kind = LF_KIND_ID, .name = (field), .text = (value)                                       \
    }
#define LF_INT(field, value)                                                                       \
    (struct log_field)                                                                             \
    {                                                                                              \
        .kind = LF_KIND_INT, .name = (field), .n = (value)                                         \
    }
#define LF_TEXT(field, value)                                                                      \
    (struct log_field)                                                                             \
    {                                                                                              \
        .kind = LF_KIND_TEXT, .name = (field), .text = (value)                                     \
    }
#define LF_PHONE(field, value)                                                                     \
    (struct log_field)                                                                             \
    {                                                                                              \
        .kind = LF_KIND_PHONE, .name = (field), .phone = (value)                                   \
    }
#define LF_ERR(value)                                                                              \
    (struct log_field)                                                                             \
    {                                                                                              \
        .kind = LF_KIND_ERR, .name = "error", .err = (value)                                       \
    }

/* 'to' is LOG_TO: "stderr", "syslog" or a file's path (opened for appending; ERR_INVALID "LOG_TO:
 * ..." if that fails). 'level' is the lowest that is written. Must be matched by log_close() if and
 * only if it returns true. */
bool log_open(const char *program, const char *to, enum log_level level, struct log **out,
              struct err *e) MUST_CHECK;
void log_close(struct log **l);

bool log_level_parse(const char *text, enum log_level *out) MUST_CHECK;

/* With a key (any secret text that all programs share) a masked number is followed by "ph:" and the
 * first 8 hexadecimal digits of a keyed hash, the same in every line about that number. */
void log_set_phone_key(struct log *l, const char *key);

/* The id that joins the lines of one request; cut at 64 characters, anything but [A-Za-z0-9._:-]
 * dropped. */
void log_set_correlation(struct log *l, const char *id);
const char *log_correlation(const struct log *l);

/* Writes one line, in a single write(2), with the event's own level; ids are escaped and cut at 120
 * characters. 'l' may be NULL (nothing is written). */
void log_write(struct log *l, enum log_event event, const struct log_field *fields, size_t n);

#define log_event(l, name, ...)                                                                    \
    log_write((l), EV_##name, (const struct log_field[]){ __VA_ARGS__ },                           \
              sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

/* Name, level and meaning of an event; for the operations page. */
const char *log_event_name(enum log_event event);

#endif
