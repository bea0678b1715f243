/*
 * wake - a poke for the worker: one datagram on a local socket, after the commit. Losing it is
 * harmless, the worker polls besides.
 */
#ifndef OMNI_IO_WAKE_H
#define OMNI_IO_WAKE_H

#include "base/err.h"

/* Binds the worker's socket, taking the path over from an earlier worker (which goes on polling).
 * Returns its descriptor in *fd. */
bool wake_listen(const char *path, int *fd, struct err *e) MUST_CHECK;

/* Pokes whoever listens at 'path'. Never waits and never fails. */
void wake_send(const char *path);

/* Reads away what has come. */
void wake_drain(int fd);

#endif
