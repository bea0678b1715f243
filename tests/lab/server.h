/* The listening side: libmicrohttpd with epoll, driven from the lab's own loop. */
#ifndef OMNI_LAB_SERVER_H
#define OMNI_LAB_SERVER_H

#include "request.h"

/* Listens on 127.0.0.1; port 0 lets the kernel choose. Every complete request goes to dispatch. */
bool server_start(uint16_t port, void (*dispatch)(struct request *r));
uint16_t server_port(void);
/* How long the loop may sleep, -1 = until something happens. */
int64_t server_wait_ms(void);
void server_serve(void);
/* Closes whatever is open, without an answer. */
void server_stop(void);

#endif
