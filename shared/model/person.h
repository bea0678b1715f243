/*
 * person - somebody we can reach, and how: the row behind a profile_id, read with whatever asked
 * for it.
 */
#ifndef OMNI_MODEL_PERSON_H
#define OMNI_MODEL_PERSON_H

#include "core/channel.h"
#include "io/db.h"

struct person {
    const char *profile_id;
    const char *phone;    /* E.164, "" if unknown */
    const char *wa_id;    /* digits, "" if unknown */
    const char *bsuid;    /* WhatsApp's business-scoped user id, "" if unknown */
    const char *name;     /* as the person's phone gives it; untrusted */
    const char *language; /* as stored, "" if unknown */
    bool has_whatsapp;    /* there is evidence */
    bool window_open;     /* WhatsApp takes free text now */
    bool allows_sms;
    bool allows_whatsapp;
    const char *mode; /* the person's own wish for DELIVERY_MODE, "" if none */
};

/* From a row that has person_reach's columns. Texts live as long as the rows. */
struct person person_read(const struct db_rows *rows, int row);

#endif
