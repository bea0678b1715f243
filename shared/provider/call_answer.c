/*
 * call_answer - the part of reading an answer that is the same for all who carry calls.
 */
#include "provider/call_answer.h"

#include "base/str.h"

struct call_answer
call_answer_read(struct arena *a, const struct http_response *r)
{
    const char *code = arena_printf(a, "http_%d", r->status);

    switch (r->reach) {
    case HTTP_NOT_SENT:
        return (struct call_answer){ CALL_AGAIN, "not_sent" };
    case HTTP_CUT:
        return r->status >= 200 && r->status < 300
                   ? (struct call_answer){ CALL_TAKEN, "" }
                   : (struct call_answer){ CALL_UNKNOWN, "no_answer" };
    case HTTP_ANSWERED:
        break;
    }
    if (r->status >= 200 && r->status < 300)
        return (struct call_answer){ CALL_TAKEN, "" };
    if (r->status == 408 || r->status == 429 || r->status >= 500)
        return (struct call_answer){ CALL_AGAIN, code };
    return (struct call_answer){ CALL_REFUSED, code };
}

const char *
call_sdp(struct arena *a, const char *sdp)
{
    const char *lines = str_replace(a, sdp, "\r\n", "\n");

    if (str_empty(lines))
        return "";
    if (!str_ends(lines, "\n"))
        lines = arena_printf(a, "%s\n", lines);
    return str_replace(a, lines, "\n", "\r\n");
}
