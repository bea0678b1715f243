/* A map from text to pointer: see strmap.h. */
#include "strmap.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static uint64_t
hash_text(const char *s)
{
    uint64_t h = 0xcbf29ce484222325U;
    for (; *s != '\0'; s++) {
        h = (h ^ (unsigned char)*s) * 0x100000001b3U;
    }
    return h ^ h >> 29;
}

/* The entry that holds the key or the free one where it belongs; needs one free entry. */
static struct strmap_entry *
entry_of(const struct strmap *m, const char *key)
{
    size_t i = hash_text(key) & (m->capacity - 1);
    while (m->entries[i].key != NULL && strcmp(m->entries[i].key, key) != 0) {
        i = (i + 1) & (m->capacity - 1);
    }
    return &m->entries[i];
}

static void
grow(struct strmap *m)
{
    struct strmap bigger = { .capacity = m->capacity == 0 ? 64 : m->capacity * 2 };
    bigger.entries = mem_new(bigger.capacity * sizeof *bigger.entries);
    bigger.count = m->count;
    for (size_t i = 0; i < m->capacity; i++) {
        if (m->entries[i].key != NULL) {
            *entry_of(&bigger, m->entries[i].key) = m->entries[i];
        }
    }
    free(m->entries);
    *m = bigger;
}

void **
strmap_slot(struct strmap *m, const char *key)
{
    if ((m->count + 1) * 2 > m->capacity) {
        grow(m);
    }
    struct strmap_entry *e = entry_of(m, key);
    if (e->key == NULL) {
        e->key = str_dup(key);
        m->count++;
    }
    return &e->value;
}

void *
strmap_find(const struct strmap *m, const char *key)
{
    return m->capacity == 0 ? NULL : entry_of(m, key)->value;
}

void
strmap_clear(struct strmap *m)
{
    for (size_t i = 0; i < m->capacity; i++) {
        free(m->entries[i].key);
    }
    free(m->entries);
    *m = (struct strmap){ 0 };
}
