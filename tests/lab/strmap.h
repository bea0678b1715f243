/* A map from text to pointer, open addressing, for phones and for references already seen. */
#ifndef OMNI_LAB_STRMAP_H
#define OMNI_LAB_STRMAP_H

#include <stddef.h>

struct strmap_entry {
    char *key; /* NULL = free */
    void *value;
};

struct strmap {
    struct strmap_entry *entries;
    size_t capacity; /* walk entries[0..capacity) to see all */
    size_t count;
};

/* The value's slot, made (holding NULL) if the key is new. Valid until the next call. */
void **strmap_slot(struct strmap *m, const char *key);
void *strmap_find(const struct strmap *m, const char *key);
/* Frees the keys; the values are the caller's. */
void strmap_clear(struct strmap *m);

#endif
