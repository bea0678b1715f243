/*
 * config_secret - secrets that stand in files: read at the start, and again when they change.
 */
#ifndef OMNI_CORE_CONFIG_SECRET_H
#define OMNI_CORE_CONFIG_SECRET_H

#include "core/config.h"

/* A source without files, in the arena. */
struct config_source *config_source_new(struct arena *a);

/* Reads the file into *slot, a text inside *c, and remembers it for config_refresh(). Where the
 * file 'may_be_absent', none and an empty one mean "". Returns NULL, or why it is refused. */
const char *config_source_add(struct config *c, const char *path, const char **slot,
                              bool may_be_absent);

/* TOKEN_SECRET is unset: it is whatever SERVICE_ROLE_KEY is, now and after each refresh. */
void config_source_follow_service_key(struct config *c);

/* Reads a file of one line, once. Returns NULL, or why it is refused. */
const char *config_file_line(struct arena *a, const char *path, const char **out);

#endif
