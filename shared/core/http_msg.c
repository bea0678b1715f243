/*
 * http_msg - looking things up in an incoming request.
 */
#include "core/http_msg.h"

#include <string.h>

#include "base/str.h"

static char
cgi_char(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 'a' + 'A');
    if (c == '-')
        return '_';
    return c;
}

/* The value of the CGI variable that is prefix + the header's name as CGI spells it, or NULL. */
static const char *
find_var(const char *const *vars, const char *prefix, const char *name)
{
    size_t skip = strlen(prefix);

    for (; *vars != NULL; vars++) {
        const char *p = *vars + skip;
        const char *n = name;
        if (!str_starts(*vars, prefix))
            continue;
        while (*n != '\0' && *p == cgi_char(*n)) {
            p++;
            n++;
        }
        if (*n == '\0' && *p == '=')
            return p + 1;
    }
    return NULL;
}

const char *
incoming_header(const struct incoming_http *in, const char *name)
{
    const char *value = NULL;

    if (in->vars == NULL)
        return "";
    /* The two headers that CGI knows by variables of their own. */
    if (str_eq_nocase(name, "Content-Type") || str_eq_nocase(name, "Content-Length"))
        value = find_var(in->vars, "", name);
    if (value == NULL)
        value = find_var(in->vars, "HTTP_", name);
    return value != NULL ? value : "";
}

const char *
incoming_query(struct arena *a, const struct incoming_http *in, const char *name)
{
    const char *next = in->query;

    while (*next != '\0') {
        const char *item = next;
        size_t n = strcspn(item, "&");
        size_t name_len = strcspn(item, "=&");
        char *key;
        char *value;
        next = item[n] == '&' ? item + n + 1 : item + n;
        if (!str_url_decode(a, item, name_len, &key) || !str_eq(key, name))
            continue;
        if (name_len == n)
            return "";
        return str_url_decode(a, item + name_len + 1, n - name_len - 1, &value) ? value : "";
    }
    return "";
}
