"use strict";

const METHODS = ["get", "post", "put", "delete", "head"];
const id = (name) => document.getElementById(name);

/** Makes an element; text becomes text, never markup. */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** Indents JSON as it stands. Numbers are not read, so that ids above 2^53 stay exact. */
function indented(json) {
  let depth = 0;
  let shown = "";
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g)) {
    if (token === "{" || token === "[") { depth += 1; shown += token + line(); }
    else if (token === "}" || token === "]") { depth -= 1; shown += line() + token; }
    else if (token === ",") shown += token + line();
    else if (token === ":") shown += ": ";
    else shown += token;
  }
  // A text holds no line breaks, so this finds only what is empty.
  return shown.replace(/([{[])\n *\n? *([}\]])/g, "$1$2");
}

/** Makes a paragraph of each that a text has; what stands between backticks is code. */
function paragraphs(text) {
  return text.split("\n\n").map((paragraph) => element("p", {},
    ...paragraph.split("`").map((part, at) => at % 2 ? element("code", {}, part) : part)));
}

/** Quotes an argument for a shell. */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function show(api, base) {
  const resolve = (schema) => {
    const name = schema.$ref?.split("/").pop();
    return name ? { name, ...api.components.schemas[name] } : schema;
  };

  /** Says in a few words what a value must be. */
  function kind(schema) {
    const { name, type, format, items, minimum, maximum, minLength, default: preset, oneOf } = resolve(schema);
    if (name && !["string", "integer"].includes(type)) return name;
    if (oneOf) return oneOf.map(kind).join(" or ");
    if (type === "array") return `list of ${kind(items)}`;
    const bounds = [
      format && `(${format})`,
      minimum !== undefined && `from ${minimum}`,
      // The bounds of the format itself are beyond what a script can show exactly.
      Number.isSafeInteger(maximum) && `to ${maximum}`,
      minLength && "not empty",
      preset !== undefined && `default ${preset}`,
    ];
    return [[type].flat().join(" or "), ...bounds.filter(Boolean)].join(" ");
  }

  /** Shows an object's fields, closed until they are asked for. */
  function fields(schema) {
    const resolved = resolve(schema.type === "array" ? schema.items : schema);
    if (!resolved.properties) return element("span", { class: "quiet" }, kind(schema));
    const rows = Object.entries(resolved.properties).map(([name, value]) => {
      const inner = resolve(value.type === "array" ? value.items : value);
      const required = (resolved.required ?? []).includes(name) ? "required" : "";
      return element("tr", {},
        element("td", {}, element("code", { class: required }, name)),
        element("td", {}, element("span", { class: "quiet" }, kind(value)), " ",
          value.description ?? "", inner.properties ? fields(value) : null));
    });
    const title = schema.type === "array" ? `list of ${kind(schema.items)}` : resolved.name ?? "fields";
    return element("details", { class: "schema" }, element("summary", {}, title),
      resolved.description ? element("p", { class: "quiet" }, resolved.description) : null,
      element("table", {}, ...rows));
  }

  function contents(content = {}, open = false) {
    const shown = new Map();
    for (const [type, { schema }] of Object.entries(content)) {
      const key = JSON.stringify(schema ?? {});
      shown.set(key, { schema, types: [...(shown.get(key)?.types ?? []), type] });
    }
    return [...shown.values()].map(({ schema, types }, at) => {
      const shape = schema ? fields(schema) : "";
      if (schema && open && at === 0) shape.open = true;
      return element("div", {}, element("code", {}, types.join(", ")), " ", shape);
    });
  }

  function credentials(operation) {
    const wanted = operation.security ?? api.security ?? [];
    if (wanted.length === 0) return "Open to everybody.";
    const names = wanted.flatMap((one) => Object.keys(one));
    const who = new Set(names.map((name) =>
      name.startsWith("app") ? "an application's token" : name === "basicAuth" ? "a name and password" : "a client's token"));
    const free = wanted.some((one) => Object.keys(one).length === 0);
    if (names.length === 0) return "Open to everybody.";
    return `${free ? "Open to everybody, or as" : "For"} ${[...who].join(" or ")}.`;
  }

  function example(schema, depth = 0) {
    const { type, properties, examples, default: preset, oneOf } = resolve(schema);
    if (examples) return examples[0];
    if (preset !== undefined) return preset;
    if (oneOf) return example(oneOf.find((one) => one.type !== "null") ?? {}, depth);
    switch ([type].flat()[0]) {
      case "string": return "";
      case "integer": case "number": return 0;
      case "boolean": return false;
      case "array": return [];
      default: {
        const shown = depth < 3 ? Object.entries(properties ?? {}) : [];
        return Object.fromEntries(shown.map(([name, value]) => [name, example(value, depth + 1)]));
      }
    }
  }

  /** A form that sends the request to this server, and shows what it answers. */
  function trial(method, path, operation) {
    const parameters = operation.parameters ?? [];
    const inputs = parameters.map((parameter) => element("input", { "aria-label": parameter.name }));
    const json = operation.requestBody?.content["application/json"];
    const upload = operation.requestBody?.content["multipart/form-data"] && !json;
    const body = json && element("textarea", { "aria-label": "Body", spellcheck: "false" });
    if (body) body.value = JSON.stringify(example(json.schema), null, 2);
    const file = upload && element("input", { type: "file", "aria-label": "File" });
    const answer = element("div", { "aria-live": "polite" });
    const line = element("pre", {});

    /** Returns what the form asks for: where, with which headers and which body. */
    function request() {
      const query = new URLSearchParams();
      let filled = path;
      parameters.forEach((parameter, at) => {
        const value = inputs[at].value;
        if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(value));
        else if (parameter.in === "query" && value !== "") query.set(parameter.name, value);
      });
      const headers = {};
      if (id("token").value) headers["X-Gotify-Key"] = id("token").value;
      if (id("name").value) {
        const pair = new TextEncoder().encode(`${id("name").value}:${id("password").value}`);
        headers.Authorization = `Basic ${btoa(String.fromCharCode(...pair))}`;
      }
      let sent;
      if (body) {
        headers["Content-Type"] = "application/json";
        sent = body.value;
      } else if (file) {
        sent = new FormData();
        if (file.files[0]) sent.set("file", file.files[0]);
      }
      const target = base.replace(/\/$/, "") + filled + (query.size ? `?${query}` : "");
      return { target, headers, sent };
    }

    /** Shows the same request as a line for a shell. */
    function showLine() {
      const { target, headers, sent } = request();
      const words = ["curl", "-X", method.toUpperCase(), quoted(target)];
      for (const [name, value] of Object.entries(headers)) words.push("-H", quoted(`${name}: ${value}`));
      if (body) words.push("-d", quoted(sent));
      else if (file) words.push("-F", quoted(`file=@${file.files[0]?.name ?? "FILE"}`));
      line.textContent = words.join(" ");
    }

    async function copy() {
      showLine();
      getSelection().selectAllChildren(line);
      // Without HTTPS a page may not write to the clipboard: the line is selected, to be copied by hand.
      await navigator.clipboard?.writeText(line.textContent);
    }

    async function send() {
      showLine();
      const { target, headers, sent } = request();
      button.disabled = true;
      answer.setAttribute("aria-busy", "true");
      answer.replaceChildren(element("p", { class: "quiet" }, "Waiting for the answer …"));
      try {
        const response = await fetch(target, { method: method.toUpperCase(), headers, body: sent });
        let text = await response.text();
        try { JSON.parse(text); text = indented(text); } catch { /* It is no JSON: shown as it came. */ }
        answer.replaceChildren(
          element("p", { class: response.ok ? "post" : "failed" }, `${response.status} ${response.statusText}`),
          text ? element("pre", {}, text) : "");
      } catch (error) {
        answer.replaceChildren(element("p", { class: "failed" }, `no answer: ${error.message}`));
      } finally {
        button.disabled = false;
        answer.removeAttribute("aria-busy");
      }
    }

    const button = element("button", { type: "button", onclick: send }, "Send");
    return element("details", { class: "schema", oninput: showLine, ontoggle: showLine }, element("summary", {}, "Try it"),
      ...inputs.map((input, at) => element("label", {}, `${parameters[at].name} `, input)),
      body ?? null, file ? element("label", {}, "file ", file) : null,
      element("p", {}, button, " ", element("button", { type: "button", class: "second", onclick: copy }, "Copy as curl")),
      line, answer);
  }

  function describe(method, path, operation) {
    const { parameters = [], requestBody, responses } = operation;
    const rows = parameters.map((parameter) => element("tr", {},
      element("td", {}, element("code", { class: parameter.required ? "required" : "" }, parameter.name), ` in ${parameter.in}`),
      element("td", {}, element("span", { class: "quiet" }, kind(parameter.schema)), " ", parameter.description ?? "")));
    const answers = Object.entries(responses).map(([status, response]) => element("tr", {},
      element("td", {}, element("code", {}, status)),
      element("td", {}, ...paragraphs(response.description), ...contents(response.content))));
    return element("div", {},
      operation.description ? element("p", {}, operation.description) : null,
      element("p", { class: "quiet" }, credentials(operation)),
      rows.length ? element("h3", {}, "Parameters") : null,
      rows.length ? element("table", {}, ...rows) : null,
      requestBody ? element("h3", {}, "Body") : null,
      ...(requestBody ? contents(requestBody.content, true) : []),
      element("h3", {}, "Answers"), element("table", {}, ...answers),
      responses["101"] ? null : trial(method, path, operation));
  }

  id("title").textContent = `${api.info.title} API ${api.info.version}`;
  id("description").textContent = api.info.description;
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ method, path, operation: item[method] })));
  const listed = [];
  for (const tag of api.tags) {
    const group = operations.filter(({ operation }) => operation.tags.includes(tag.name));
    if (group.length === 0) continue;
    const heading = element("div", {}, element("h2", {}, tag.name), element("p", { class: "quiet" }, tag.description));
    id("operations").append(heading);
    for (const { method, path, operation } of group) {
      const name = [element("span", { class: `method ${method}` }, method), element("span", { class: "path" }, path)];
      const details = element("details", { class: "operation", id: operation.operationId },
        element("summary", {}, ...name, element("span", { class: "quiet" }, operation.summary ?? "")),
        describe(method, path, operation));
      const link = element("li", {}, element("a", { href: `#${operation.operationId}`, onclick: () => { details.open = true; } },
        ...name.map((part) => part.cloneNode(true))));
      id("operations").append(details);
      id("contents").append(link);
      listed.push({ details, link, heading, text: `${method} ${path} ${operation.summary}`.toLowerCase() });
    }
  }
  id("filter").addEventListener("input", () => {
    const words = id("filter").value.toLowerCase().split(/\s+/);
    const headings = new Set();
    for (const { details, link, heading, text } of listed) {
      details.hidden = link.hidden = !words.every((word) => text.includes(word));
      if (!details.hidden) headings.add(heading);
    }
    for (const { heading } of listed) heading.hidden = !headings.has(heading);
  });
  const asked = location.hash && id(decodeURIComponent(location.hash.slice(1)));
  if (asked?.matches("details")) {
    asked.open = true;
    asked.scrollIntoView();
  }
}

const loading = element("p", { class: "quiet" }, "Loading the document …");
id("operations").append(loading);
fetch("swagger")
  .then((response) => response.json().then((api) => show(api, new URL(api.servers[0].url, response.url).href)))
  .finally(() => loading.remove())
  .catch((error) => id("operations").append(element("p", { class: "failed" }, `the document can't be read: ${error.message}`)));
