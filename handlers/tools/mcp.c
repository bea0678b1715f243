/*
 * mcp - every tool over the Model Context Protocol: POST /mcp. How an agent connects: docs/mcp.md.
 *
 * - 200 an answer, also one that says what was wrong; 202 nothing wanted one
 * - 400 no JSON-RPC, or a version of the protocol we do not speak; 403 the page of a stranger
 */
#include "flow/mcp.h"

#include "base/origin.h"
#include "base/str.h"
#include "frame/handler.h"

/* The media type must be there: what a page may send without asking first (a form, plain text, or
 * a body of no type) never gets here. A browser names the page it works for in Origin; by a name
 * that was made to point at us, a stranger's page could reach us too. */
static bool
check_transport(struct call *c, const char *version, struct err *e)
{
    const char *origin = incoming_header(&c->in, "Origin");

    if (str_empty(c->in.content_type))
        return err_set(e, ERR_MEDIA_TYPE, "Content-Type: must be application/json");
    if (!str_empty(origin) && !origin_is_of(origin, c->flow->config->public_url))
        return err_set(e, ERR_FORBIDDEN, "Origin: not allowed");
    if (!str_empty(version) && !mcp_version_known(version))
        return err_set(e, ERR_INVALID, "MCP-Protocol-Version: not a version this server speaks");
    return true;
}

static bool
run(struct call *c, struct err *e)
{
    struct mcp mcp = {
        .arena = c->arena,
        .flow = c->flow,
        .caller = &c->caller,
        .version = incoming_header(&c->in, "MCP-Protocol-Version"),
        .tools = tool_all,
        .execute = tool_execute,
    };
    struct mcp_answer answer;

    if (!check_transport(c, mcp.version, e))
        return false;
    answer = mcp_answer(&mcp, c->in.body, c->in.body_len);
    c->status = answer.status;
    if (answer.body != NULL)
        c->reply = answer.body;
    else
        c->text = "";
    return true;
}

const struct handler handler = {
    .name = "mcp",
    .methods = METHOD_POST,
    .max_body = 1024 * 1024,
    .media = "application/json",
    .needs = CFG_SERVICE | CFG_SEND,
    .auth = AUTH_CALLER,
    .run = run,
};
