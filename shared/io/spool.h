/*
 * spool - events on the local disk, for as long as the database is away. One file each, complete
 * and synced before anybody is told that it is kept, read back oldest first.
 *
 * Any number of processes of one machine write; one at a time takes out (spool_lock). A file's name
 * is <time>-<pid>-<random>.ev and tells nothing of what is inside.
 */
#ifndef OMNI_IO_SPOOL_H
#define OMNI_IO_SPOOL_H

#include "base/arena.h"
#include "base/err.h"

struct spool;

/* What is kept of one request, and what it needs to be taken again. One-line texts, never NULL. */
struct spool_record {
    const char *program;
    const char *provider;
    const char *correlation_id;
    const char *content_type;
    const char *query;
    int64_t received_at_ms; /* decides the order */
    bool is_report;
    const char *body; /* raw bytes */
    size_t body_len;
};

/* The handle lives in 'a'; 'dir' must outlive it. Touches nothing yet. */
struct spool *spool_new(struct arena *a, const char *dir, int max_files, int max_mb);

/* Keeps the record. True: it is on the disk, whatever happens next. False (ERR_TEMP): full or not
 * writable, and nothing of it is left. */
bool spool_put(struct spool *s, const struct spool_record *r, struct err *e) MUST_CHECK;

/* Does anything wait? A look at the directory's first entries. */
bool spool_waiting(const struct spool *s);

/* Tells all processes of the machine that the database did not answer just now. */
void spool_note_away(const struct spool *s);

/* Should a new event queue behind those that wait? Yes while the database is away, so that nobody
 * waits for it in vain, and a few seconds longer, so that nothing overtakes them. No when emptying
 * takes longer: under load it would never end. */
bool spool_is_queue(const struct spool *s);

enum spool_state { SPOOL_OK, SPOOL_FULL, SPOOL_UNWRITABLE };
/* Could it take an event now? Tries to write a file; *e says what is wrong. */
enum spool_state spool_check(struct spool *s, struct err *e);
const char *spool_state_text(enum spool_state state); /* "ok", "full", "unwritable" */

/* Taking out. The lock is for one process at a time and ends with it; false if another has it. */
bool spool_lock(struct spool *s) MUST_CHECK;
/* Syncs the directory, so that what was taken out does not come back after a power cut. */
void spool_unlock(struct spool *s);

/* The names of what waits, oldest first; half-written files that nobody will finish are removed. */
bool spool_list(struct spool *s, struct arena *a, const char ***names, size_t *n, struct err *e)
    MUST_CHECK;

/* Reads one. ERR_INVALID: it is damaged or not readable. ERR_TEMP: not now. */
bool spool_read(const struct spool *s, struct arena *a, const char *name, struct spool_record *out,
                struct err *e) MUST_CHECK;

/* Removes what is safe elsewhere. A removal that is lost is a repeat. */
bool spool_done(struct spool *s, const char *name, struct err *e) MUST_CHECK;

/* Moves a file into the folder corrupt/, for a person to look at. */
bool spool_set_aside(struct spool *s, const char *name, struct err *e) MUST_CHECK;

#endif
