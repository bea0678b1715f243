/*
 * log - composes a line with json.h and gives it away in one write. What cannot be written is lost:
 * a full disk or a closed pipe must not stop the work, and there is nobody left to tell.
 */
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/hmac.h"
#include "base/str.h"
#include "base/utf8.h"
#include "core/json.h"
#include "core/log_syslog.h"

#define MAX_CORRELATION 64
#define MAX_VALUE       120

struct log {
    struct arena *arena;   /* holds this struct */
    struct arena *scratch; /* one line */
    const char *program;
    enum log_level level;
    int fd; /* -1: syslog */
    bool close_fd;
    char correlation[MAX_CORRELATION + 1];
    bool has_phone_key;
    unsigned char phone_key[HMAC_SIZE];
};

static const struct {
    const char *name;
    enum log_level level;
} events[EV_COUNT] = {
#define LOG_EVENT(name, level, meaning) [EV_##name] = { #name, level },
#include "core/log_events.def"
#undef LOG_EVENT
};

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug",
    [LOG_INFO] = "info",
    [LOG_WARN] = "warn",
    [LOG_ERROR] = "error",
};

bool
log_open(const char *program, const char *to, enum log_level level, struct log **out, struct err *e)
{
    int fd = -1;
    bool is_file = false;

    if (str_eq(to, "stderr")) {
        fd = STDERR_FILENO;
    } else if (!str_eq(to, "syslog")) {
        fd = open(to, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
        if (fd < 0)
            return err_set(e, ERR_INVALID, "LOG_TO: cannot open the file: %s", strerror(errno));
        is_file = true;
    }

    struct arena *a = arena_new();
    struct log *l = arena_alloc(a, sizeof(*l));
    *l = (struct log){ .arena = a,
                       .scratch = arena_new(),
                       .program = arena_strdup(a, program),
                       .level = level,
                       .fd = fd,
                       .close_fd = is_file };
    if (fd < 0)
        log_syslog_open(l->program);
    *out = l;
    return true;
}

void
log_close(struct log **l)
{
    if (*l == NULL)
        return;
    if ((*l)->fd < 0)
        log_syslog_close();
    if ((*l)->close_fd)
        (void)close((*l)->fd); /* nothing is buffered */
    arena_free(&(*l)->scratch);
    struct arena *a = (*l)->arena;
    *l = NULL;
    arena_free(&a);
}

bool
log_level_parse(const char *text, enum log_level *out)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++) {
        if (str_eq_nocase(text, level_names[i])) {
            *out = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool
is_correlation_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("._:-", c) != NULL);
}

void
log_set_correlation(struct log *l, const char *id)
{
    size_t n = 0;

    if (l == NULL)
        return;
    for (; *id != '\0' && n < MAX_CORRELATION; id++) {
        if (is_correlation_char(*id))
            l->correlation[n++] = *id;
    }
    l->correlation[n] = '\0';
}

void
log_set_phone_key(struct log *l, const char *key)
{
    static const char purpose[] = "numbers in logs"; /* the key itself signs nothing here */

    l->has_phone_key = !str_empty(key);
    hmac_sha256(key, strlen(key), purpose, strlen(purpose), l->phone_key);
}

const char *
log_correlation(const struct log *l)
{
    return l != NULL ? l->correlation : "";
}

static void
add_err(struct arena *a, struct json_object *line, const struct log_field *f)
{
    const struct err *e = f->err;

    json_set_str(line, f->name, err_kind_text(e->kind));
    if (e->code[0] != '\0')
        json_set_str(line, arena_printf(a, "%s_code", f->name),
                     utf8_clean(a, e->code, strnlen(e->code, sizeof(e->code)), MAX_VALUE));
    json_set_str(line, arena_printf(a, "%s_text", f->name),
                 utf8_clean(a, e->text, strnlen(e->text, sizeof(e->text)), sizeof(e->text)));
}

/* "+2507******56 ph:1a2b3c4d" */
static const char *
shown_phone(const struct log *l, const struct phone *p)
{
    unsigned char hash[HMAC_SIZE];
    char masked[20];

    phone_mask(p, masked);
    if (!l->has_phone_key || str_empty(p->e164))
        return arena_strdup(l->scratch, masked);
    hmac_sha256(l->phone_key, HMAC_SIZE, p->e164, strlen(p->e164), hash);
    return arena_printf(l->scratch, "%s ph:%02x%02x%02x%02x", masked, hash[0], hash[1], hash[2],
                        hash[3]);
}

static void
add_field(const struct log *l, struct json_object *line, const struct log_field *f)
{
    struct arena *a = l->scratch;
    const char *text = f->text != NULL ? f->text : "";

    switch (f->kind) {
    case LF_KIND_ID:
        json_set_str(line, f->name, utf8_clean(a, text, strlen(text), MAX_VALUE));
        break;
    case LF_KIND_INT:
        json_set_int(line, f->name, f->n);
        break;
    case LF_KIND_TEXT:
        json_set_int(line, arena_printf(a, "%s_len", f->name), (int64_t)utf8_count(text));
        break;
    case LF_KIND_PHONE:
        json_set_str(line, f->name, shown_phone(l, f->phone));
        break;
    case LF_KIND_ERR:
        add_err(a, line, f);
        break;
    }
}

static void
write_line(const struct log *l, enum log_level level, struct arena *a, const char *line)
{
    if (l->fd >= 0) {
        const char *text = arena_printf(a, "%s\n", line);
        ssize_t n;
        do {
            n = write(l->fd, text, strlen(text));
        } while (n < 0 && errno == EINTR);
        return;
    }
    switch (level) {
    case LOG_DEBUG:
        log_syslog_debug(line);
        break;
    case LOG_INFO:
        log_syslog_info(line);
        break;
    case LOG_WARN:
        log_syslog_warning(line);
        break;
    case LOG_ERROR:
        log_syslog_error(line);
        break;
    }
}

void
log_write(struct log *l, enum log_event event, const struct log_field *fields, size_t n)
{
    if (l == NULL || events[event].level < l->level)
        return;

    int saved_errno = errno;
    struct arena *a = l->scratch;
    struct json_object *line = json_new_object(a);
    json_set_str(line, "ts", clk_iso(a, clk_now_ms()));
    json_set_str(line, "level", level_names[events[event].level]);
    json_set_str(line, "event", events[event].name);
    json_set_str(line, "program", l->program);
    json_set_int(line, "pid", getpid());
    json_set_str(line, "correlation_id", l->correlation);
    for (size_t i = 0; i < n; i++)
        add_field(l, line, &fields[i]);
    write_line(l, events[event].level, a, json_print(a, line));
    arena_reset(a);
    errno = saved_errno;
}

const char *
log_event_name(enum log_event event)
{
    return events[event].name;
}
