/* The requests the lab itself sends, many at once, on one curl multi handle in the lab's loop. */
#ifndef OMNI_LAB_POSTS_H
#define OMNI_LAB_POSTS_H

#include <stdbool.h>
#include <stdint.h>

#include <curl/curl.h>

#include "util.h"

struct post {
    char *url;
    char *body; /* NULL makes it a GET */
    size_t body_len;
    struct curl_slist *headers;
    bool is_urgent; /* goes before what is waiting */
    void (*done)(struct post *p, void *arg);
    void *arg;

    /* For done: */
    long status; /* 0 = no answer */
    int64_t took_us;
    struct buf answer;
    char answer_type[96];

    /* posts.c only. */
    int64_t started_us;
    CURL *easy;
    int slot;
    struct post *next;
};

bool posts_init(void);
/* Ends what is under way as unanswered. */
void posts_release(void);

/* Takes the body over; url is copied. */
struct post *post_new(const char *url, char *body);
void post_header(struct post *p, const char *name, const char *value);
/* Calls done once, later, and then frees the post. */
void post_start(struct post *p);

/* From the loop. */
void posts_ready(int fd, uint32_t events);

#endif
