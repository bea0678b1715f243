/*
 * spool - a directory of files, of which many processes write and one at a time takes out.
 */
#include "io/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clk.h"
#include "base/crash.h"
#include "base/str.h"
#include "base/uuid.h"
#include "io/spool_file.h"

#define LOCK_NAME      ".lock"
#define AWAY_NAME      ".away" /* its time is when the database was last found away */
#define ASIDE_NAME     "corrupt"
#define FEW_FILES      256  /* so many are counted each time */
#define COUNT_EVERY_MS 1000 /* more of them so often, and a bit less often the more they are */
#define FULL_AGAIN_MS  250  /* a full one is counted again after this */
#define QUEUE_MS       10000
#define ABANDONED_MS   600000
#define STAMP_DIGITS   13
#define LOCK_TRIES     1000 /* of a millisecond */

struct spool {
    const char *dir;
    int64_t max_files;
    int64_t max_bytes;
    int64_t files; /* as counted, and what this process has added since */
    int64_t bytes;
    int64_t counted_at; /* clk_mono_ms() */
    bool counted;
    int64_t last_stamp;
    int lock; /* -1: not ours */
};

struct spool *
spool_new(struct arena *a, const char *dir, int max_files, int max_mb)
{
    struct spool *s = arena_alloc(a, sizeof(*s));

    s->dir = dir;
    s->max_files = max_files;
    s->max_bytes = (int64_t)max_mb * 1024 * 1024;
    s->lock = -1;
    return s;
}

static bool
is_event(const char *name)
{
    return name[0] != '.' && str_ends(name, ".ev");
}

/* The directory, made if it is missing; -1. */
static int
open_dir(const struct spool *s, struct err *e)
{
    int fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT && mkdir(s->dir, 0700) == 0)
        fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        (void)spool_file_error(e, "SPOOL_DIR");
    return fd;
}

static bool
count(struct spool *s, int dir, struct err *e)
{
    DIR *listing = opendir(s->dir);
    struct dirent *d;
    struct stat st;

    if (listing == NULL)
        return spool_file_error(e, "cannot list");
    s->files = 0;
    s->bytes = 0;
    while ((d = readdir(listing)) != NULL) {
        if (!is_event(d->d_name) || fstatat(dir, d->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        s->files++;
        s->bytes += st.st_size;
    }
    (void)closedir(listing);
    s->counted = true;
    s->counted_at = clk_mono_ms();
    return true;
}

static bool
fits(const struct spool *s, int64_t files, int64_t bytes)
{
    return s->files + files <= s->max_files && s->bytes + bytes <= s->max_bytes;
}

static bool
has_room(struct spool *s, int dir, size_t bytes, struct err *e)
{
    int64_t age = clk_mono_ms() - s->counted_at;
    bool stale = !s->counted || s->files < FEW_FILES || age >= COUNT_EVERY_MS + s->files / 4 ||
                 (age >= FULL_AGAIN_MS && !fits(s, 1, (int64_t)bytes));

    if (stale && !count(s, dir, e))
        return false;
    if (!fits(s, 1, (int64_t)bytes))
        return err_set(e, ERR_TEMP, "spool: full (SPOOL_MAX_FILES, SPOOL_MAX_MB)");
    return true;
}

/* Naming a file takes a moment; one who stands still in it must not hold up the others for long. */
static void
lock_names(int dir)
{
    const struct timespec pause = { .tv_nsec = 1000000 };

    for (int i = 0; i < LOCK_TRIES && flock(dir, LOCK_EX | LOCK_NB) != 0; i++) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return; /* a file system without locks */
        (void)nanosleep(&pause, NULL);
    }
}

/* Counted again where it is close, so that the last place is not taken by several at once. */
static bool
fits_still(struct spool *s, int dir, size_t bytes, struct err *e)
{
    bool close_to = !fits(s, FEW_FILES, (int64_t)bytes + s->max_bytes / 64);

    if (close_to && !count(s, dir, e))
        return false;
    return fits(s, 1, (int64_t)bytes) ||
           err_set(e, ERR_TEMP, "spool: full (SPOOL_MAX_FILES, SPOOL_MAX_MB)");
}

/* A file is seen under its name when all of it is on the disk, and not before. */
static bool
keep(struct spool *s, int dir, const char *name, const struct buf *bytes, struct arena *a,
     struct err *e)
{
    const char *half = arena_printf(a, ".%s.tmp", name);
    bool named;

    if (!spool_file_write(dir, half, bytes->data, bytes->len, e))
        return false;
    CRASH_POINT("spool_written");
    lock_names(dir);
    named = fits_still(s, dir, bytes->len, e) &&
            (renameat(dir, half, dir, name) == 0 || spool_file_error(e, "cannot name a file"));
    (void)flock(dir, LOCK_UN);
    if (named && (fsync(dir) == 0 || spool_file_error(e, "cannot name a file")))
        return true;
    (void)unlinkat(dir, half, 0);
    (void)unlinkat(dir, name, 0);
    return false;
}

/* Two of one process never have the same time, so that their order is known. */
static const char *
new_name(struct spool *s, struct arena *a, int64_t at_ms)
{
    struct uuid id = uuid_new();

    s->last_stamp = at_ms > s->last_stamp ? at_ms : s->last_stamp + 1;
    return arena_printf(a, "%0*lld-%ld-%s.ev", STAMP_DIGITS, (long long)s->last_stamp,
                        (long)getpid(), id.text + 24);
}

bool
spool_put(struct spool *s, const struct spool_record *r, struct err *e)
{
    int dir = open_dir(s, e);
    struct arena *a = arena_new();
    struct buf bytes;
    bool ok = dir >= 0 && spool_file_print(a, r, &bytes, e) && has_room(s, dir, bytes.len, e) &&
              keep(s, dir, new_name(s, a, r->received_at_ms), &bytes, a, e);

    if (ok) {
        s->files++;
        s->bytes += (int64_t)bytes.len;
    }
    if (dir >= 0)
        (void)close(dir);
    arena_free(&a);
    return ok;
}

bool
spool_waiting(const struct spool *s)
{
    DIR *listing = opendir(s->dir);
    struct dirent *d;
    bool found = false;

    if (listing == NULL)
        return false;
    while (!found && (d = readdir(listing)) != NULL)
        found = is_event(d->d_name);
    (void)closedir(listing);
    return found;
}

void
spool_note_away(const struct spool *s)
{
    int64_t now = clk_now_ms();
    const struct timespec at = { .tv_sec = now / 1000, .tv_nsec = (now % 1000) * 1000000 };
    const struct timespec times[2] = { at, at };
    struct err e;
    int dir = open_dir(s, &e);
    int fd = -1;

    if (dir >= 0)
        fd = openat(dir, AWAY_NAME, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0) {
        (void)futimens(fd, times);
        (void)close(fd);
    }
    if (dir >= 0)
        (void)close(dir);
}

bool
spool_is_queue(const struct spool *s)
{
    struct err e;
    struct stat st;
    int dir = open_dir(s, &e);
    bool known = dir >= 0 && fstatat(dir, AWAY_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0;
    int64_t age = known ? clk_now_ms() - (int64_t)st.st_mtim.tv_sec * 1000 : QUEUE_MS;

    if (dir >= 0)
        (void)close(dir);
    return age > -QUEUE_MS && age < QUEUE_MS && spool_waiting(s);
}

enum spool_state
spool_check(struct spool *s, struct err *e)
{
    struct arena *a = arena_new();
    const char *name = arena_printf(a, ".%s.tmp", new_name(s, a, clk_now_ms()));
    int dir = open_dir(s, e);
    enum spool_state state = SPOOL_UNWRITABLE;

    if (dir >= 0 && spool_file_write(dir, name, "x", 1, e) && unlinkat(dir, name, 0) == 0 &&
        count(s, dir, e))
        state = has_room(s, dir, 1, e) ? SPOOL_OK : SPOOL_FULL;
    if (dir >= 0)
        (void)close(dir);
    arena_free(&a);
    return state;
}

const char *
spool_state_text(enum spool_state state)
{
    switch (state) {
    case SPOOL_OK:
        return "ok";
    case SPOOL_FULL:
        return "full";
    case SPOOL_UNWRITABLE:
        return "unwritable";
    }
    return "unwritable";
}

bool
spool_lock(struct spool *s)
{
    struct err e;
    int dir = open_dir(s, &e);

    if (dir < 0)
        return false;
    s->lock = openat(dir, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    (void)close(dir);
    if (s->lock >= 0 && flock(s->lock, LOCK_EX | LOCK_NB) != 0) {
        (void)close(s->lock);
        s->lock = -1;
    }
    return s->lock >= 0;
}

void
spool_unlock(struct spool *s)
{
    struct err e;
    int dir = open_dir(s, &e);

    if (dir >= 0) {
        (void)fsync(dir);
        (void)close(dir);
    }
    (void)close(s->lock);
    s->lock = -1;
}

static bool
is_abandoned(const char *name)
{
    int64_t stamp = 0;
    char digits[STAMP_DIGITS + 1] = "";

    if (name[0] != '.' || !str_ends(name, ".tmp") || strlen(name) < sizeof(digits))
        return false;
    memcpy(digits, name + 1, STAMP_DIGITS);
    return str_parse_int(digits, 0, INT64_MAX, &stamp) && stamp < clk_now_ms() - ABANDONED_MS;
}

static int
by_name(const void *x, const void *y)
{
    return strcmp(*(const char *const *)x, *(const char *const *)y);
}

bool
spool_list(struct spool *s, struct arena *a, const char ***names, size_t *n, struct err *e)
{
    DIR *listing = opendir(s->dir);
    struct dirent *d;
    size_t room = 0;

    if (listing == NULL)
        return spool_file_error(e, "cannot list");
    while ((d = readdir(listing)) != NULL)
        room += is_event(d->d_name);
    *names = arena_array(a, room + 1, sizeof(**names));
    *n = 0;
    rewinddir(listing);
    while ((d = readdir(listing)) != NULL) {
        if (is_abandoned(d->d_name))
            (void)unlinkat(dirfd(listing), d->d_name, 0);
        if (is_event(d->d_name) && *n < room)
            (*names)[(*n)++] = arena_strdup(a, d->d_name);
    }
    (void)closedir(listing);
    qsort(*names, *n, sizeof(**names), by_name);
    return true;
}

bool
spool_read(const struct spool *s, struct arena *a, const char *name, struct spool_record *out,
           struct err *e)
{
    int dir = open_dir(s, e);
    char *bytes = NULL;
    size_t n = 0;
    bool ok = dir >= 0 && spool_file_read(dir, name, a, &bytes, &n, e) &&
              spool_file_parse(a, bytes, n, out, e);

    if (dir >= 0)
        (void)close(dir);
    return ok;
}

bool
spool_done(struct spool *s, const char *name, struct err *e)
{
    int dir = open_dir(s, e);
    bool ok = dir >= 0 && (unlinkat(dir, name, 0) == 0 || spool_file_error(e, "cannot remove"));

    if (dir >= 0)
        (void)close(dir);
    return ok;
}

bool
spool_set_aside(struct spool *s, const char *name, struct err *e)
{
    int dir = open_dir(s, e);
    int aside = -1;
    bool ok;

    if (dir >= 0 && (mkdirat(dir, ASIDE_NAME, 0700) == 0 || errno == EEXIST))
        aside = openat(dir, ASIDE_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ok = aside >= 0 && renameat(dir, name, aside, name) == 0 && fsync(aside) == 0;
    if (!ok && dir >= 0)
        (void)spool_file_error(e, "cannot set a file aside");
    if (aside >= 0)
        (void)close(aside);
    if (dir >= 0)
        (void)close(dir);
    return ok;
}
