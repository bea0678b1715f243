/*
 * Are these requests ones that OpenAI documents? Standard input: a JSON array of bodies of chat completions. They are
 * compiled against the types of the openai package, and held against what the types cannot say. Standard output: the
 * faults found, as a JSON array; and how many of a list of wrong requests were seen to be wrong.
 */
import { readFileSync } from "node:fs";
import ts from "typescript";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const FILE = new URL("./requests.ts", import.meta.url).pathname;
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

function typeFaults(requests) {
    const lines = requests.map((r, i) => `export const request_${i}: ChatCompletionCreateParamsNonStreaming = ${JSON.stringify(r)};`);
    const options = { noEmit: true, strict: true, skipLibCheck: true, types: [], target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext };
    const program = ts.createProgram([FILE], options, hostWith(
        `import type { ChatCompletionCreateParamsNonStreaming } from "openai/resources/chat/completions";\n${lines.join("\n")}\n`, options));
    return ts.getPreEmitDiagnostics(program).map((d) => ({
        request: d.file?.fileName === FILE ? d.file.getLineAndCharacterOfPosition(d.start).line - 1 : -1,
        fault: ts.flattenDiagnosticMessageText(d.messageText, " "),
    }));
}

/* The file of requests is never written: the compiler is given its text. */
function hostWith(text, options) {
    const host = ts.createCompilerHost(options);
    const { getSourceFile, fileExists, readFile } = host;
    host.fileExists = (name) => name === FILE || fileExists.call(host, name);
    host.readFile = (name) => (name === FILE ? text : readFile.call(host, name));
    host.getSourceFile = (name, ...rest) => name === FILE ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022) : getSourceFile.call(host, name, ...rest);
    return host;
}

/* The rules of the documentation that are no types: names, JSON in arguments, an answer to every call of a tool. */
function ruleFaults(request) {
    const faults = [];
    let open = new Set();
    for (const { function: f } of request.tools ?? []) {
        if (!NAME.test(f?.name ?? "")) {
            faults.push(`name of a tool: ${f?.name}`);
            continue;
        }
        const ajv = new Ajv2020({ strict: true, strictRequired: false });
        addFormats.default(ajv);
        try { ajv.compile(f.parameters ?? {}); } catch (error) { faults.push(`${f.name}: ${error.message}`); }
    }
    if (!(request.messages?.length > 0)) faults.push("no messages");
    if ("tools" in request && request.tools.length === 0) faults.push("tools is empty");
    if ("tool_choice" in request && !("tools" in request)) faults.push("tool_choice without tools");
    for (const m of request.messages ?? []) {
        if (m.role === "tool") {
            if (!open.delete(m.tool_call_id)) faults.push(`answer to a call that is not open: ${m.tool_call_id}`);
            continue;
        }
        if (open.size > 0) faults.push(`calls without an answer: ${[...open].join(" ")}`);
        open = new Set((m.tool_calls ?? []).map((c) => c.id));
        if (open.size !== (m.tool_calls ?? []).length) faults.push("two calls with one id");
        for (const c of m.tool_calls ?? []) {
            if (!NAME.test(c.function?.name ?? "")) faults.push(`name of a call: ${c.function?.name}`);
            try { JSON.parse(c.function.arguments); } catch { faults.push("arguments are no JSON"); }
        }
    }
    if (open.size > 0) faults.push(`calls without an answer: ${[...open].join(" ")}`);
    return faults;
}

function faultsOf(requests) {
    return [...typeFaults(requests), ...requests.flatMap((r, i) => ruleFaults(r).map((fault) => ({ request: i, fault })))];
}

/* Each must be found wrong, or this program proves nothing. */
const user = { role: "user", content: "x" };
const call = { id: "c1", type: "function", function: { name: "f", arguments: "{}" } };
const asked = { role: "assistant", content: null, tool_calls: [call] };
const wrong = [
    { messages: [user] },
    { model: "m" },
    { model: "m", messages: [] },
    { model: "m", messages: [{ role: "robot", content: "x" }] },
    { model: "m", messages: [{ role: "user", content: null }] },
    { model: "m", messages: [{ ...user, channel: "sms" }] },
    { model: "m", messages: [user], max_tokens: "300" },
    { model: "m", messages: [user], max_length: 300 },
    { model: "m", messages: [user], stream: true },
    { model: "m", messages: [user], tools: [{ type: "function", name: "f", parameters: {} }] },
    { model: "m", messages: [user], tools: [{ type: "function", function: { name: "a b", parameters: {} } }] },
    { model: "m", messages: [user], tools: [{ type: "function", function: { name: "f", parameters: { type: "text" } } }] },
    { model: "m", messages: [user], tool_choice: "auto" },
    { model: "m", messages: [user], tool_choice: "maybe", tools: [{ type: "function", function: { name: "f" } }] },
    { model: "m", messages: [user, asked] },
    { model: "m", messages: [user, asked, user] },
    { model: "m", messages: [user, asked, { role: "tool", content: "x" }] },
    { model: "m", messages: [user, asked, { role: "tool", tool_call_id: "c2", content: "x" }] },
    { model: "m", messages: [user, { ...asked, tool_calls: [{ ...call, function: { name: "f", arguments: {} } }] }] },
];
const requests = JSON.parse(readFileSync(0, "utf8"));
const seen = new Set(faultsOf(wrong).map((f) => f.request));
process.stdout.write(JSON.stringify({
    faults: faultsOf(requests),
    wrong: wrong.length,
    missed: wrong.map((_, i) => i).filter((i) => !seen.has(i)),
}));
