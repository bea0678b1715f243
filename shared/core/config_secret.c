/*
 * config_secret - secret files, and comparison with secrets.
 *
 * A changed secret is a new string in the arena: what somebody borrowed stays readable. That costs
 * a few bytes per rotation, never per request.
 */
#include "core/config_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/hmac.h"
#include "base/str.h"
#include "core/config_value.h"

#define MAX_FILES     32
#define MAX_SECRET    4000
#define LOOK_EVERY_MS 1000

struct secret_file {
    const char *path;
    size_t offset; /* of the text in struct config */
    bool may_be_absent;
    bool was_absent;
    struct timespec modified;
    off_t size;
    ino_t inode;
};

struct config_source {
    struct arena *arena;
    size_t n;
    struct secret_file files[MAX_FILES];
    int64_t looked_ms;
    bool token_follows_service_key;
};

/* Wipes a copy on the stack; volatile, so that the compiler does not find it useless. */
static void
wipe(char *bytes, size_t n)
{
    volatile char *p = bytes;

    while (n-- > 0)
        *p++ = '\0';
}

/* The bytes of the file, at most MAX_SECRET of them. -1 and errno when it cannot be read. */
static ssize_t
read_bytes(const char *path, char bytes[MAX_SECRET + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t len = 0;
    ssize_t got;

    if (fd < 0)
        return -1;
    do {
        got = read(fd, bytes + len, (size_t)(MAX_SECRET + 1 - len));
        if (got > 0)
            len += got;
    } while ((got > 0 && len <= MAX_SECRET) || (got < 0 && errno == EINTR));
    int why = errno;
    (void)close(fd); /* only read from */
    errno = why;
    return got < 0 ? -1 : len;
}

/* The file's only line into bytes[]. Returns NULL, or why it is refused; *is_absent when there is
 * no secret in it. */
static const char *
read_line(const char *path, char bytes[MAX_SECRET + 1], bool *is_absent)
{
    ssize_t len = read_bytes(path, bytes);

    *is_absent = len < 0 && errno == ENOENT;
    if (len < 0) {
        bytes[0] = '\0';
        return *is_absent ? "the file does not exist" : "the file cannot be read";
    }
    if (len > MAX_SECRET)
        return "the file is too long";
    while (len > 0 && (bytes[len - 1] == '\n' || bytes[len - 1] == '\r'))
        len--;
    bytes[len] = '\0';
    *is_absent = len == 0;
    if (len == 0)
        return "the file is empty";
    if (strlen(bytes) != (size_t)len)
        return "must be one line without control characters";
    return config_value_line(bytes);
}

static const char **
text_at(struct config *c, size_t offset)
{
    return (const char **)(void *)((char *)c + offset);
}

/* Notes what the file looks like; true when that is not what it was. */
static bool
note_change(struct secret_file *f)
{
    struct stat st;
    bool absent = stat(f->path, &st) != 0;

    if (absent) {
        bool changed = !f->was_absent;
        f->was_absent = true;
        return changed;
    }
    bool same = !f->was_absent && st.st_mtim.tv_sec == f->modified.tv_sec &&
                st.st_mtim.tv_nsec == f->modified.tv_nsec && st.st_size == f->size &&
                st.st_ino == f->inode;
    f->was_absent = false;
    f->modified = st.st_mtim;
    f->size = st.st_size;
    f->inode = st.st_ino;
    return !same;
}

/* Reads the file's secret into the settings; a new one is a new string. */
static const char *
read_into(struct config *c, const struct secret_file *f)
{
    char bytes[MAX_SECRET + 1];
    bool is_absent;
    const char **slot = text_at(c, f->offset);
    const char *fault = read_line(f->path, bytes, &is_absent);

    if (is_absent && f->may_be_absent) {
        *slot = "";
        fault = NULL;
    } else if (fault == NULL && !hmac_text_equal(*slot, bytes)) {
        *slot = arena_strdup(c->source->arena, bytes);
    }
    wipe(bytes, sizeof(bytes));
    return fault;
}

struct config_source *
config_source_new(struct arena *a)
{
    struct config_source *s = arena_alloc(a, sizeof(*s));

    s->arena = a;
    return s;
}

const char *
config_source_add(struct config *c, const char *path, const char **slot, bool may_be_absent)
{
    struct config_source *s = c->source;

    if (s->n == MAX_FILES)
        return "too many secret files";
    struct secret_file *f = &s->files[s->n++];
    f->path = arena_strdup(s->arena, path);
    f->offset = (size_t)((const char *)slot - (const char *)c);
    f->may_be_absent = may_be_absent;
    /* Before reading: a change between the two is read twice, not missed. */
    (void)note_change(f);
    s->looked_ms = clk_mono_ms();
    return read_into(c, f);
}

void
config_source_follow_service_key(struct config *c)
{
    c->source->token_follows_service_key = true;
    c->token_secret = c->service_role_key;
}

const char *
config_file_line(struct arena *a, const char *path, const char **out)
{
    char bytes[MAX_SECRET + 1];
    bool is_absent;
    const char *fault = read_line(path, bytes, &is_absent);

    if (fault == NULL)
        *out = arena_strdup(a, bytes);
    wipe(bytes, sizeof(bytes));
    return fault;
}

/* Reads the files that changed, or all of them; true when a secret did. */
static bool
look(struct config *c, bool all)
{
    struct config_source *s = c->source;
    bool changed = false;

    s->looked_ms = clk_mono_ms();
    for (size_t i = 0; i < s->n; i++) {
        struct secret_file *f = &s->files[i];
        const char *before = *text_at(c, f->offset);

        /* A file that is refused leaves the old value, and is looked at again: it may be half
         * written. */
        if ((note_change(f) || all) && read_into(c, f) != NULL)
            f->size = -1;
        changed = changed || *text_at(c, f->offset) != before;
    }
    if (s->token_follows_service_key)
        c->token_secret = c->service_role_key;
    return changed;
}

void
config_refresh(struct config *c, bool force)
{
    if (c->source != NULL && (force || clk_mono_ms() - c->source->looked_ms >= LOOK_EVERY_MS))
        (void)look(c, force);
}

bool
config_refresh_now(struct config *c)
{
    return c->source != NULL && look(c, false);
}

bool
secret_matches(const struct secret *s, const char *given)
{
    /* Both are compared, so that the time does not tell which one it was. */
    bool is_now = hmac_text_equal(s->now, given);
    bool is_old = hmac_text_equal(s->old, given);

    return (is_now && s->now[0] != '\0') || (is_old && s->old[0] != '\0');
}

bool
secret_signed_hex(const struct secret *s, const void *bytes, size_t n, const char *hex)
{
    bool by_now = hmac_hex_matches(s->now, bytes, n, hex);
    bool by_old = hmac_hex_matches(s->old, bytes, n, hex);

    return by_now || by_old;
}
