/*
 * param - the arguments of a tool or an internal endpoint as a table: checked before anybody reads
 * them, and described by the same table.
 */
#ifndef OMNI_CORE_PARAM_H
#define OMNI_CORE_PARAM_H

#include "base/err.h"
#include "core/json.h"

#define PARAM_ID_MAX 256 /* an id of ours or of any provider's */

enum param_kind {
    PARAM_TEXT,   /* at most max_chars code points */
    PARAM_ID,     /* 1 to PARAM_ID_MAX of A-Z a-z 0-9 . _ : @ - + = / */
    PARAM_CALLID, /* SIP's Call-ID: 1 to 256 printable ASCII characters */
    PARAM_UUID,
    PARAM_PHONE, /* any spelling that core/phone.h reads */
    PARAM_BOOL,
    PARAM_TIME,   /* ISO 8601 or seconds since 1970 */
    PARAM_WORD,   /* one of 'words', "sip|whatsapp" */
    PARAM_TEXTS,  /* array of at most 50 texts of at most max_chars each */
    PARAM_OBJECT, /* a JSON object of at most max_chars bytes */
};

struct param {
    const char *name;
    enum param_kind kind;
    bool required;
    int max_chars;
    const char *words;
    const char *meaning; /* a sentence for whoever fills it in */
};

/* True when every argument that is there is of its kind and every required one is there. Null
 * counts as not there; arguments the table does not know are passed over. ERR_INVALID "NAME: what
 * is wrong" otherwise. */
bool param_check(const struct param *params, size_t n, struct json_object *args, struct err *e)
    MUST_CHECK;

/* The table as a JSON Schema object: {type, properties, required}. */
struct json_object *param_schema(struct arena *a, const struct param *params, size_t n);

#endif
