/*
 * uuid - 48 bits of milliseconds, then the version, the variant and 74 random bits.
 */
#include "base/uuid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clk.h"

static const char digits[] = "0123456789abcdef";

static void
fill_random(unsigned char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t got = getrandom(bytes, n, 0);
        if (got < 0 && errno != EINTR) {
            (void)fputs("no random bits\n", stderr);
            abort();
        }
        if (got > 0) {
            bytes += got;
            n -= (size_t)got;
        }
    }
}

static bool
is_dash_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

struct uuid
uuid_new(void)
{
    struct uuid u = { 0 };
    unsigned char bytes[16];
    int64_t ms = clk_now_ms();
    size_t at = 0;

    fill_random(bytes + 6, sizeof(bytes) - 6);
    for (size_t i = 0; i < 6; i++)
        bytes[i] = (unsigned char)(ms >> (40 - 8 * i));
    bytes[6] = (unsigned char)(0x70 | (bytes[6] & 0x0F));
    bytes[8] = (unsigned char)(0x80 | (bytes[8] & 0x3F));
    for (size_t i = 0; i < sizeof(bytes); i++) {
        if (is_dash_place(at))
            u.text[at++] = '-';
        u.text[at++] = digits[bytes[i] >> 4];
        u.text[at++] = digits[bytes[i] & 15];
    }
    return u;
}

bool
uuid_parse(const char *text, struct uuid *out)
{
    struct uuid u = { 0 };

    for (size_t i = 0; i < sizeof(u.text) - 1; i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'F')
            c = (char)(c - 'A' + 'a');
        bool is_hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        /* The NUL of a shorter text is neither, so nothing behind it is read. */
        if (is_dash_place(i) ? c != '-' : !is_hex)
            return false;
        u.text[i] = c;
    }
    if (text[sizeof(u.text) - 1] != '\0')
        return false;
    *out = u;
    return true;
}
