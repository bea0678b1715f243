/*
 * spool_file - one file of the spool: printed, written, read, checked.
 */
#include "io/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hmac.h"
#include "base/str.h"

#define FILE_MAX ((size_t)8 * 1024 * 1024) /* the largest body of an endpoint is 3 MiB */
#define TEXTS    7                         /* lines in front of the body */

bool
spool_file_error(struct err *e, const char *what)
{
    return err_set(e, ERR_TEMP, "spool: %s: %s", what, strerror(errno));
}

static const char *
first_line(struct arena *a, const char *rest, size_t n)
{
    unsigned char digest[HMAC_SIZE];

    hmac_digest(rest, n, digest);
    return arena_printf(a, "omni-spool 1 %zu %s\n", n, str_hex(a, digest, sizeof(digest)));
}

bool
spool_file_print(struct arena *a, const struct spool_record *r, struct buf *out, struct err *e)
{
    const char *const texts[TEXTS] = { r->program,
                                       r->provider,
                                       r->correlation_id,
                                       r->content_type,
                                       r->query,
                                       r->is_report ? "report" : "message",
                                       str_from_int(a, r->received_at_ms) };
    struct buf rest = buf_init(a, FILE_MAX);

    for (size_t i = 0; i < TEXTS; i++) {
        if (strchr(texts[i], '\n') != NULL)
            return err_set(e, ERR_TEMP, "spool: a header of more than one line");
        buf_adds(&rest, texts[i]);
        buf_addc(&rest, '\n');
    }
    buf_add(&rest, r->body, r->body_len);
    *out = buf_init(a, FILE_MAX);
    buf_adds(out, first_line(a, rest.data, rest.len));
    buf_add(out, rest.data, rest.len);
    if (buf_overflowed(&rest) || buf_overflowed(out))
        return err_set(e, ERR_TEMP, "spool: larger than a file may be");
    return true;
}

bool
spool_file_parse(struct arena *a, char *bytes, size_t n, struct spool_record *out, struct err *e)
{
    const char *texts[TEXTS];
    char *end = memchr(bytes, '\n', n);
    char *at = end != NULL ? end + 1 : bytes + n;
    size_t left = n - (size_t)(at - bytes);
    const char *want = first_line(a, at, left);

    if (strlen(want) != n - left || memcmp(want, bytes, n - left) != 0)
        return err_set(e, ERR_INVALID, "spool: a file that is not whole");
    for (size_t i = 0; i < TEXTS; i++) {
        end = memchr(at, '\n', left);
        if (end == NULL)
            return err_set(e, ERR_INVALID, "spool: a file without a header");
        *end = '\0';
        texts[i] = at;
        left -= (size_t)(end + 1 - at);
        at = end + 1;
    }
    *out = (struct spool_record){ .program = texts[0],
                                  .provider = texts[1],
                                  .correlation_id = texts[2],
                                  .content_type = texts[3],
                                  .query = texts[4],
                                  .is_report = str_eq(texts[5], "report"),
                                  .body = at,
                                  .body_len = left };
    if (!str_parse_int(texts[6], 0, INT64_MAX, &out->received_at_ms))
        return err_set(e, ERR_INVALID, "spool: a file without a time");
    return true;
}

static bool
write_all(int fd, const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, bytes, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        n -= (size_t)done;
    }
    return true;
}

/* A sync that failed is never tried again on the same file: the kernel may have dropped the pages
 * and call them clean. */
bool
spool_file_write(int dir, const char *name, const char *bytes, size_t n, struct err *e)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool ok;

    if (fd < 0)
        return spool_file_error(e, "cannot make a file");
    ok = write_all(fd, bytes, n) && fsync(fd) == 0;
    if (!ok)
        (void)spool_file_error(e, "cannot write");
    if (close(fd) != 0 && ok)
        ok = spool_file_error(e, "cannot close");
    if (!ok)
        (void)unlinkat(dir, name, 0);
    return ok;
}

static bool
read_all(int fd, char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t got = read(fd, bytes, n);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        bytes += got;
        n -= (size_t)got;
    }
    return true;
}

bool
spool_file_read(int dir, const char *name, struct arena *a, char **bytes, size_t *n, struct err *e)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    bool ok;

    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOENT))
        return spool_file_error(e, "cannot open a file");
    if (fd < 0)
        return err_set(e, ERR_INVALID, "spool: a file cannot be opened: %s", strerror(errno));
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX) {
        (void)close(fd);
        return err_set(e, ERR_INVALID, "spool: not a file of ours");
    }
    *n = (size_t)st.st_size;
    *bytes = arena_alloc(a, *n + 1);
    ok = read_all(fd, *bytes, *n);
    (void)close(fd);
    return ok || err_set(e, ERR_INVALID, "spool: a file cannot be read");
}
