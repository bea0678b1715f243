/*
 * origin - scheme, host and port, compared.
 */
#include "base/origin.h"

#include "base/str.h"

struct origin {
    const char *scheme; /* with its "://" */
    const char *host;
    size_t host_len;
    const char *port; /* the default one is "" */
    size_t port_len;
};

static bool
read_origin(const char *url, struct origin *out)
{
    const char *end;
    const char *port;
    bool is_secure = str_starts_nocase(url, "https://");

    if (!is_secure && !str_starts_nocase(url, "http://"))
        return false;
    out->scheme = is_secure ? "https://" : "http://";
    out->host = url + strlen(out->scheme);
    end = out->host + strcspn(out->host, "/?#");
    port = end;
    while (port > out->host && port[-1] >= '0' && port[-1] <= '9')
        port--;
    if (port == end || port == out->host || port[-1] != ':')
        port = end + 1; /* none */
    out->host_len = (size_t)(port - 1 - out->host);
    out->port = port;
    out->port_len = port > end ? 0 : (size_t)(end - port);
    if (out->port_len > 0 && strncmp(port, is_secure ? "443" : "80", out->port_len) == 0 &&
        out->port_len == (is_secure ? strlen("443") : strlen("80")))
        out->port_len = 0;
    return out->host_len > 0;
}

static bool
same_letters(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char x = a[i];
        char y = b[i];

        if (x >= 'A' && x <= 'Z')
            x = (char)(x | 0x20);
        if (y >= 'A' && y <= 'Z')
            y = (char)(y | 0x20);
        if (x != y)
            return false;
    }
    return true;
}

bool
origin_is_of(const char *origin, const char *url)
{
    struct origin a;
    struct origin b;

    return read_origin(origin, &a) && read_origin(url, &b) && str_eq(a.scheme, b.scheme) &&
           a.host_len == b.host_len && same_letters(a.host, b.host, a.host_len) &&
           a.port_len == b.port_len && memcmp(a.port, b.port, a.port_len) == 0;
}
