// Questions before values, and code to copy. Without this script everything is open.
document.documentElement.classList.add("ji-js");

(() => {
  const memory = {
    // A browser may refuse to keep anything; the page works all the same.
    get(key) { try { return localStorage.getItem("jaxintro." + key); } catch { return null; } },
    set(key, value) { try { localStorage.setItem("jaxintro." + key, value); } catch { /* see above */ } },
    drop(key) { try { localStorage.removeItem("jaxintro." + key); } catch { /* see above */ } },
  };
  const asking = () => document.querySelectorAll(".ji-demo.ji-asks");

  function open(demo, guess) {
    demo.classList.add("ji-seen");
    const said = demo.querySelector(".ji-said-before");
    said.hidden = !guess;
    said.querySelector("q").textContent = guess;
  }

  function close(demo) {
    demo.classList.remove("ji-seen");
    demo.querySelector(".ji-said-before").hidden = true;
    memory.drop(demo.dataset.demo);
  }

  function prepare(demo) {
    const name = demo.dataset.demo;
    const form = demo.querySelector(".ji-guess");
    const before = memory.get(name);
    if (before !== null) open(demo, before);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const guess = form.elements.guess.value.trim();
      memory.set(name, guess);
      open(demo, guess);
      demo.querySelector(".ji-frame .ji-code").focus({ preventScroll: true });
    });
    const again = document.createElement("button");
    again.type = "button";
    again.className = "ji-again";
    again.textContent = "Ask me again";
    again.addEventListener("click", () => { close(demo); form.elements.guess.focus(); });
    demo.querySelector(".ji-question > p").append(again);
  }

  function offerCopy(block) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "ji-copy";
    button.textContent = "Copy";
    button.dataset.code = block.querySelector("pre").textContent;
    block.append(button);
  }

  async function copy(button) {
    const code = button.dataset.code;
    try {
      await navigator.clipboard.writeText(code);
    } catch {
      // a page that is opened as a file may not use the clipboard directly
      const area = document.createElement("textarea");
      area.value = code;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  function filter(field) {
    const rows = document.querySelectorAll(field.dataset.rows);
    const narrow = () => {
      const wanted = field.value.trim().toLowerCase();
      const says = (part) => part?.textContent.toLowerCase().includes(wanted);
      const key = field.dataset.key; // what a row is called comes before what it says
      const named = key ? [...rows].filter((row) => says(row.querySelector(key))) : [];
      for (const row of rows) row.hidden = named.length ? !named.includes(row) : !says(row);
      if (wanted === "") return;
      // tables that are folded away: open those where something was found
      for (const box of document.querySelectorAll("details.ji-record")) {
        box.open = box.querySelector("tbody tr:not([hidden])") !== null;
      }
    };
    field.addEventListener("input", narrow);
    narrow(); // a browser may bring back what was typed before
  }

  function unfold() {
    // a link that leads to a table opens it
    const box = document.getElementById(location.hash.slice(1));
    if (box?.tagName !== "DETAILS") return;
    box.open = true;
    box.scrollIntoView();
  }

  function start() {
    asking().forEach(prepare);
    document.querySelectorAll("[class*=highlight-] > .highlight").forEach((block) => {
      if (!block.closest(".cell_output")) offerCopy(block);
    });
    document.querySelectorAll(".ji-copy").forEach((button) => {
      button.addEventListener("click", () => copy(button));
    });
    document.querySelectorAll(".ji-all button").forEach((button) => {
      button.addEventListener("click", () => {
        asking().forEach((demo) => {
          if (demo.classList.contains("ji-seen")) return;
          memory.set(demo.dataset.demo, "");
          open(demo, "");
        });
      });
    });
    document.querySelectorAll(".ji-filter input").forEach(filter);
    addEventListener("hashchange", unfold);
    unfold();
    // whoever comes from the search wants to see the word that was found
    setTimeout(() => {
      if (!location.hash) document.querySelector("span.highlighted")?.scrollIntoView({ block: "center" });
    }, 100); // Sphinx marks it a moment after the page is there
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
