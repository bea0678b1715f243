/* The one thread of the lab: an epoll loop over the HTTP server, the outgoing posts, the timers and
 * the signals that end it. */
#ifndef OMNI_LAB_LOOP_H
#define OMNI_LAB_LOOP_H

#include <stdbool.h>
#include <stdint.h>

enum loop_source { LOOP_SERVER, LOOP_POSTS, LOOP_SIGNAL };

/* Blocks SIGTERM and SIGINT and watches for them. */
bool loop_init(void);
/* Adds the descriptor or changes what is watched; events are those of epoll. */
void loop_watch(int fd, uint32_t events, enum loop_source source);
void loop_unwatch(int fd);
/* Until SIGTERM or SIGINT. */
void loop_run(void);
void loop_release(void);

#endif
