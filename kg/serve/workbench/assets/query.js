// The query page: YASGUI's editor and result view over this service's endpoint, without its tabs, which would keep queries in
// the browser. Nothing of a query or an answer is kept or gets into an address; terms are completed from the ontology alone.
"use strict";
(async () => {
  const form = document.getElementById("ask");
  const field = document.getElementById("text");
  const said = document.getElementById("said");
  const result = document.getElementById("result");
  const terms = await (await fetch("assets/terms.json")).json();
  const { Yasqe, Yasr } = window;
  const narrow = window.matchMedia("(max-width: 60rem)").matches;

  Yasqe.forkAutocompleter("prefixes", { name: "our-prefixes", persistenceId: null, get: () => Object.entries(terms.prefixes).map(([name, iri]) => `${name}: <${iri}>`) }, false);
  Yasqe.forkAutocompleter("class", { name: "our-classes", persistenceId: null, bulk: true, get: () => terms.classes }, false);
  Yasqe.forkAutocompleter("property", { name: "our-properties", persistenceId: null, bulk: true, get: () => terms.properties }, false);

  const host = document.createElement("div");
  field.before(host);
  field.hidden = true;
  const editor = new Yasqe(host, {
    value: field.value, persistenceId: null, createShareableLink: null, consumeShareLink: null, showQueryButton: false, resizeable: false,
    editorHeight: "20rem", autocompleters: ["variables", "our-prefixes", "our-classes", "our-properties"],
    // Tab leaves the editor, as a keyboard user expects
    extraKeys: { ...Yasqe.defaults.extraKeys, Tab: false, "Shift-Tab": false }, screenReaderLabel: "Query",
    requestConfig: { endpoint: new URL("sparql", document.baseURI).href, method: "POST" },
  });
  editor.getInputField().setAttribute("aria-label", "Query");
  const scroller = host.querySelector(".CodeMirror-scroll");
  scroller.tabIndex = 0;
  scroller.setAttribute("role", "region");
  scroller.setAttribute("aria-label", "Text of the query, scrolls");
  const view = new Yasr(result, {
    persistenceId: null, maxPersistentResponseSize: 0, prefixes: terms.prefixes,
    plugins: { ...Yasr.defaults.plugins, table: { enabled: true, dynamicConfig: { compact: true, isEllipsed: false, pageSize: 50 } } },
  });

  result.hidden = true;

  // Labels beside IRIs, and links to the pages about them, whenever the table is drawn anew
  function label() {
    result.querySelector("select:not([aria-label])")?.setAttribute("aria-label", "Page size");
    for (const link of result.querySelectorAll("a.iri:not([data-seen])")) {
      const [text, page] = terms.labels[link.getAttribute("href")] || [];
      link.dataset.seen = "";
      if (page) link.setAttribute("href", page);
      else link.removeAttribute("href"); // an IRI of a patient is not asked for elsewhere
      if (!text) continue;
      const beside = document.createElement("span");
      beside.className = "named";
      beside.textContent = ` ${text}`;
      link.after(beside);
    }
  }
  new MutationObserver(label).observe(result, { childList: true, subtree: true });

  function tell(text) { said.textContent = text; }

  editor.on("queryBefore", () => tell("Asking…"));
  editor.on("queryResponse", (_, response, duration) => {
    result.hidden = response instanceof Error;
    if (response instanceof Error) {
      const problem = read(response.message);
      tell(problem ? `${problem.title}: ${problem.detail}` : `No answer: ${response.message}`);
      return;
    }
    view.setResponse(response, duration);
    const cut = response.headers.get("kg-truncated");
    const found = view.results?.getBindings();
    tell((found ? `${found.length} row${found.length === 1 ? "" : "s"}` : "Answered") + ` in ${duration} ms.` + (cut ? ` The answer was cut (${cut}).` : ""));
  });

  function read(text) {
    try { return JSON.parse(text); } catch { return null; }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    editor.query().catch(() => {});
  });

  for (const button of form.querySelectorAll("button[data-accept]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const reply = await fetch("sparql", { method: "POST", headers: { Accept: button.dataset.accept, "Content-Type": "application/sparql-query" }, body: editor.getValue() });
      const text = await reply.text();
      if (!reply.ok) {
        const problem = read(text);
        tell(problem ? `${problem.title}: ${problem.detail}` : "No answer.");
        return;
      }
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([text], { type: button.dataset.accept }));
      link.download = button.dataset.file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
      tell(`Saved as ${button.dataset.file}.`);
    });
  }

  for (const link of document.querySelectorAll("a[data-query]")) {
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      editor.setValue(await (await fetch(link.dataset.query)).text());
      await editor.query().catch(() => {});
      said.scrollIntoView({ block: narrow ? "start" : "nearest" });
    });
  }
  document.getElementById("keys").hidden = false;
  if (narrow) for (const group of document.querySelectorAll(".saved details")) group.open = false;
})();
