/*
 * spool_file - the form of a file in the spool, and how bytes get onto the disk for good.
 */
#ifndef OMNI_IO_SPOOL_FILE_H
#define OMNI_IO_SPOOL_FILE_H

#include "base/buf.h"
#include "io/spool.h"

/* The whole file: a line with length and SHA-256 of the rest, the record's texts, the body. */
bool spool_file_print(struct arena *a, const struct spool_record *r, struct buf *out, struct err *e)
    MUST_CHECK;

/* The record in the bytes of a file. ERR_INVALID: not one, or not a whole one. */
bool spool_file_parse(struct arena *a, char *bytes, size_t n, struct spool_record *out,
                      struct err *e) MUST_CHECK;

/* Makes a new file and syncs it. On any error nothing is left. */
bool spool_file_write(int dir, const char *name, const char *bytes, size_t n, struct err *e)
    MUST_CHECK;

/* All of a file, NUL-terminated besides. */
bool spool_file_read(int dir, const char *name, struct arena *a, char **bytes, size_t *n,
                     struct err *e) MUST_CHECK;

/* "spool: WHAT: what errno means", ERR_TEMP. Returns false. */
bool spool_file_error(struct err *e, const char *what);

#endif
