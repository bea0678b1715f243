/*
 * base64 - three bytes to four letters and back. A text has one meaning and bytes have one text:
 * bits that do not belong to any byte must be zero, and padding stands complete or not at all.
 */
#include "base/base64.h"

#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static char *
encode(struct arena *a, const unsigned char *bytes, size_t n, const char *letters, bool pad)
{
    char *out = arena_array(a, n / 3 + 2, 4);
    char *p = out;

    for (size_t i = 0; i < n; i += 3) {
        size_t left = n - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        if (left > 1)
            group |= (uint32_t)bytes[i + 1] << 8;
        if (left > 2)
            group |= bytes[i + 2];
        *p++ = letters[group >> 18];
        *p++ = letters[group >> 12 & 63];
        if (left > 1)
            *p++ = letters[group >> 6 & 63];
        else if (pad)
            *p++ = '=';
        if (left > 2)
            *p++ = letters[group & 63];
        else if (pad)
            *p++ = '=';
    }
    return out;
}

char *
base64_encode(struct arena *a, const void *bytes, size_t n)
{
    return encode(a, bytes, n, alphabet, true);
}

char *
base64_encode_url(struct arena *a, const void *bytes, size_t n)
{
    return encode(a, bytes, n, url_alphabet, false);
}

static int
letter_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    if (c == '/' || c == '_')
        return 63;
    return -1;
}

bool
base64_decode(struct arena *a, const char *text, unsigned char **out, size_t *n)
{
    size_t letters = strcspn(text, "=");
    size_t padding = strlen(text) - letters;

    if (padding != 0 &&
        (padding != strspn(text + letters, "=") || padding > 2 || (letters + padding) % 4 != 0))
        return false;
    if (letters % 4 == 1)
        return false;

    unsigned char *bytes = arena_alloc(a, letters / 4 * 3 + 3);
    size_t len = 0;
    uint32_t bits = 0;
    int held = 0; /* how many of the low bits are waiting */
    for (size_t i = 0; i < letters; i++) {
        int value = letter_value(text[i]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xFFFFu;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[len++] = (unsigned char)(bits >> held);
        }
    }
    if ((bits & ((1u << held) - 1)) != 0)
        return false;
    *out = bytes;
    *n = len;
    return true;
}
