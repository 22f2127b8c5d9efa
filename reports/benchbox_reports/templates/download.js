// Downloads of a figure as it is shown, from the data inside the page: SVG, PNG and CSV.

const INLINE = ["fill", "fill-opacity", "stroke", "stroke-width", "stroke-dasharray", "stroke-opacity", "stroke-linejoin", "stroke-linecap", "paint-order", "font-size", "font-family", "opacity"];
const WIDE = 1000;  // pixels of width of a downloaded figure, whatever the screen

function save(name, content, type) {
  const link = make("a", {download: name, href: URL.createObjectURL(content instanceof Blob ? content : new Blob([content], {type}))});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function svgOf(view) {  // the text of an SVG file with every colour and font written out
  const host = make("div", {class: "plot offstage", id: "offstage"});
  document.body.append(host);
  host.style.width = `${WIDE}px`;
  const plot = new Plot(host, {});
  plot.show({...view, height: 600});
  const copy = plot.svg.cloneNode(true), originals = plot.svg.querySelectorAll("*");
  copy.querySelectorAll("*").forEach((element, k) => {
    const style = getComputedStyle(originals[k]);
    element.setAttribute("style", INLINE.map((key) => `${key}:${style.getPropertyValue(key)}`).join(";"));
    element.removeAttribute("class");
  });
  copy.setAttribute("xmlns", SVG);
  copy.prepend(make("svg:rect", {width: "100%", height: "100%", fill: getComputedStyle(document.body).getPropertyValue("--card").trim()}));
  host.remove();
  return new XMLSerializer().serializeToString(copy);
}

async function pngOf(svg) {
  const image = new Image();
  image.src = `data:image/svg+xml;base64,${btoa(unescape(encodeURIComponent(svg)))}`;
  await image.decode();
  const canvas = make("canvas", {width: 2 * image.width, height: 2 * image.height}), context = canvas.getContext("2d");
  context.scale(2, 2);
  context.drawImage(image, 0, 0);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}

function csvOf(view, words) {  // a row a point; what is shown is in the first line, as in the heading
  const cell = (value) => /[",\n]/.test(value) ? `"${String(value).replaceAll('"', '""')}"` : String(value);
  const rows = view.lines.flatMap((line) => line.points.filter((p) => p.facts).map((p) => [line.name, p.x, p.y, p.facts.slice(1).join("; ")]));
  return [["curve", view.x.label, view.y.label, "point"], ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + `\r\n# ${words}\r\n`;
}

function downloads(section) {  // buttons under a figure
  const host = byId(`save-${section.id}`);
  if (!host) return;
  const view = () => ({...viewOf(section), title: "", zoom: state.zoom[section.id]}), name = (suffix) => `${section.id}${saved() ? "-saved" : ""}.${suffix}`;
  const csp = {svg: () => save(name("svg"), svgOf(view()), "image/svg+xml"), png: async () => save(name("png"), await pngOf(svgOf(view())), ""),
    csv: () => save(name("csv"), csvOf(view(), `${titleOf(section)}, ${whatIsShown(section)}`), "text/csv")};
  host.replaceChildren("Download this view: ", ...Object.entries(csp).flatMap(([kind, act], k) => [...(k ? [" "] : []), button(kind.toUpperCase(), `Download as ${kind.toUpperCase()}`, act)]));
}
