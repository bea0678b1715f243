/* Documents that Meta keeps for a few days, and hands out in two steps: the look-up of an id gives
 * an address, and the address gives the bytes, each to who shows the access token. */
#ifndef OMNI_LAB_MEDIA_H
#define OMNI_LAB_MEDIA_H

#include "request.h"

/* Keeps a call's transcript, a text or a whole document of Meta's shape, and returns what a webhook
 * says of it: {id, sha256, mime_type, url}. */
struct json_object *media_keep(struct json_object *transcript, const char *language);
void media_reset(void);

/* GET /graph/{version}/{media id}; GET /media/{media id} */
void media_serve_lookup(struct request *r);
void media_serve_document(struct request *r);

#endif
