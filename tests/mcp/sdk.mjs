/*
 * The official client against our server. Standard input: {url, token, values}; 'values' says what to fill in for a
 * field of that name. Calls every tool the server lists, and what must fail; standard output: what came, as JSON.
 */
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const { url, token, values } = JSON.parse(readFileSync(0, "utf8"));
const ajv = new Ajv2020({ strict: true, strictRequired: false, allErrors: true });
addFormats.default(ajv);

/* Every field we have a value for; a required one that we have none for is a fault of the test. */
function argumentsFor(tool) {
    const args = {};
    for (const name of Object.keys(tool.inputSchema.properties ?? {})) {
        if (name in values) args[name] = name === "idempotency_key" ? `${values[name]}-${tool.name}` : values[name];
    }
    for (const name of tool.inputSchema.required ?? []) {
        if (!(name in args)) throw new Error(`${tool.name}: no value for ${name}`);
    }
    const validate = ajv.compile(tool.inputSchema);
    if (!validate(args)) throw new Error(`${tool.name}: ${ajv.errorsText(validate.errors)}`);
    return args;
}

async function failureOf(promise) {
    try {
        return { value: await promise };
    } catch (error) {
        return { code: error.code, message: error.message };
    }
}

function connectionWith(bearer) {
    return new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { Authorization: `Bearer ${bearer}` } } });
}

const client = new Client({ name: "omni-tests", version: "1.0.0" });
const transport = connectionWith(token);
await client.connect(transport);

const report = {
    server: client.getServerVersion(),
    capabilities: client.getServerCapabilities(),
    instructions: client.getInstructions(),
    protocol: transport.protocolVersion,
    session: transport.sessionId ?? null,
    ping: await client.ping(),
    tools: (await client.listTools()).tools,
    results: {},
};
for (const tool of report.tools) {
    report.results[tool.name] = await client.callTool({ name: tool.name, arguments: argumentsFor(tool) });
}
report.refused = await client.callTool({ name: report.tools[0].name, arguments: { [report.tools[0].inputSchema.required?.[0] ?? "x"]: [] } });
report.unlisted = await failureOf(client.callTool({ name: "operator_send", arguments: { session_id: values.session_id, message: "x" } }));
report.unknownTool = await failureOf(client.callTool({ name: "no_such_tool", arguments: {} }));
report.unknownMethod = await failureOf(client.request({ method: "resources/list" }, { parse: (x) => x }));
report.wrongToken = await failureOf(new Client({ name: "stranger", version: "1.0.0" }).connect(connectionWith("wrong")));
await client.close();
process.stdout.write(JSON.stringify(report));
