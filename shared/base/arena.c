/*
 * arena - blocks of 4 KiB that grow to 64 KiB, a list of foreign objects, and no way to free single
 * pieces.
 *
 * What is larger than half a block gets a block of its own. Under AddressSanitizer every allocation
 * does.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ONE_MALLOC_EACH 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define ONE_MALLOC_EACH 1
#endif
#if !defined(ONE_MALLOC_EACH)
#define ONE_MALLOC_EACH 0
#endif

#define FIRST_BLOCK   ((size_t)4096)
#define LARGEST_BLOCK ((size_t)64 * 1024)

struct block {
    struct block *next;
    size_t size; /* of data */
    size_t used;
    alignas(max_align_t) unsigned char data[];
};

struct owned {
    struct owned *next;
    void *object;
    void (*release)(void *object);
};

struct arena {
    struct block *blocks; /* the one being filled first */
    struct block *alone;  /* blocks of one allocation each */
    struct owned *owned;  /* youngest first */
    size_t next_size;
};

static NORETURN void
out_of_memory(void)
{
    (void)fputs("out of memory\n", stderr);
    abort();
}

/* Zeroed: for a large block that costs nothing, as its memory comes fresh from the kernel. */
static struct block *
block_new(struct block *next, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct block))
        out_of_memory();
    struct block *b = calloc(1, sizeof(*b) + size);
    if (b == NULL)
        out_of_memory();
    b->next = next;
    b->size = size;
    b->used = 0;
    return b;
}

static void
blocks_free(struct block *b)
{
    while (b != NULL) {
        struct block *next = b->next;
        free(b);
        b = next;
    }
}

static void
release_owned(struct arena *a)
{
    while (a->owned != NULL) {
        struct owned *o = a->owned;
        a->owned = o->next;
        o->release(o->object);
    }
}

struct arena *
arena_new(void)
{
    struct arena *a = calloc(1, sizeof(*a));

    if (a == NULL)
        out_of_memory();
    a->next_size = FIRST_BLOCK;
    return a;
}

void
arena_free(struct arena **a)
{
    if (*a == NULL)
        return;
    release_owned(*a);
    blocks_free((*a)->alone);
    blocks_free((*a)->blocks);
    free(*a);
    *a = NULL;
}

void
arena_reset(struct arena *a)
{
    release_owned(a);
    blocks_free(a->alone);
    a->alone = NULL;
    if (a->blocks == NULL)
        return;
    /* The block in use is the largest: keep it, so that a loop soon asks malloc for nothing. */
    blocks_free(a->blocks->next);
    a->blocks->next = NULL;
    memset(a->blocks->data, 0, a->blocks->used);
    a->blocks->used = 0;
}

void *
arena_alloc(struct arena *a, size_t size)
{
    if (ONE_MALLOC_EACH || size > LARGEST_BLOCK / 2) {
        a->alone = block_new(a->alone, size);
        a->alone->used = size;
        return a->alone->data;
    }

    size_t align = alignof(max_align_t);
    size_t want = (size + align - 1) / align * align;
    if (a->blocks == NULL || a->blocks->size - a->blocks->used < want) {
        while (a->next_size < 2 * want)
            a->next_size *= 2;
        a->blocks = block_new(a->blocks, a->next_size);
        if (a->next_size < LARGEST_BLOCK)
            a->next_size *= 2;
    }
    void *p = a->blocks->data + a->blocks->used;
    a->blocks->used += want;
    return p;
}

void *
arena_array(struct arena *a, size_t n, size_t size)
{
    if (size != 0 && n > SIZE_MAX / size)
        out_of_memory();
    return arena_alloc(a, n * size);
}

void
arena_own(struct arena *a, void *object, void (*release)(void *object))
{
    struct owned *o = arena_alloc(a, sizeof(*o));

    o->object = object;
    o->release = release;
    o->next = a->owned;
    a->owned = o;
}

char *
arena_strdup(struct arena *a, const char *text)
{
    return arena_strndup(a, text, strlen(text));
}

char *
arena_strndup(struct arena *a, const char *bytes, size_t n)
{
    if (n == SIZE_MAX)
        out_of_memory();
    char *copy = arena_alloc(a, n + 1);
    if (n > 0)
        memcpy(copy, bytes, n);
    return copy;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        return arena_strdup(a, "");

    char *text = arena_alloc(a, (size_t)n + 1);
    va_start(args, fmt);
    (void)vsnprintf(text, (size_t)n + 1, fmt, args); /* measured above: it fits */
    va_end(args);
    return text;
}
