// Elements and numbers: strings become text nodes, nothing is parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";
const MINUS = "\u2212", NONE = "\u2013";

function make(name, attributes = {}, ...children) {
  const element = name.startsWith("svg:") ? document.createElementNS(SVG, name.slice(4)) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== ""));  // strings become text nodes: nothing is parsed as HTML
  return element;
}

function printed(value, digits, signed = false) {
  if (value === null || !Number.isFinite(value)) return NONE;
  let text = value.toFixed(digits);
  if (Number(text) === 0) text = text.replace("-", "");
  return (signed && Number(text) > 0 ? "+" : "") + text.replace("-", MINUS);
}

const byId = (id) => document.getElementById(id);

function button(text, label, act, attributes = {}) {
  const made = make("button", {type: "button", ...(label && {title: label, "aria-label": label}), ...attributes}, text);
  made.addEventListener("click", act);
  return made;
}

function option(value, text, chosen) {
  const made = make("option", {value}, text);
  made.selected = value === chosen;
  return made;
}
