// Files that the document holds, each once: addresses "#held-DIGEST" become blob URLs when first shown or followed.

const blobs = new Map();

function addressOf(source) {
  const holder = source.startsWith("#held-") && byId(source.slice(1));
  if (!holder) return source;
  if (!blobs.has(source)) {
    const bytes = Uint8Array.from(atob(holder.textContent), (c) => c.charCodeAt(0));
    blobs.set(source, URL.createObjectURL(new Blob([bytes], {type: holder.type})));
  }
  return blobs.get(source);
}

for (const event of ["pointerdown", "focusin", "click"]) document.addEventListener(event, (e) => {  // before it is followed
  const link = e.target.closest?.("a[href^='#held-']");
  if (link) link.href = addressOf(link.getAttribute("href"));
}, true);
