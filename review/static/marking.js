// Words marked in the report go into the form for a missed finding, with their place in the text.
const count = (text) => [...text].length; // code points, as the server counts

function before(report, node, offset) {
  const range = document.createRange();
  range.setStart(report, 0);
  range.setEnd(node, offset);
  const part = range.cloneContents();
  for (const badge of part.querySelectorAll(".badge")) badge.remove();
  return part.textContent;
}

export function followMarking() {
  const report = document.querySelector("#report");
  const form = document.querySelector("form[data-marking]");
  if (!report || !form) return;
  const { start, end, words } = form.elements;
  const take = () => {
    const selection = document.getSelection();
    if (selection.isCollapsed || selection.rangeCount === 0) return;
    const range = selection.getRangeAt(0);
    if (!report.contains(range.startContainer) || !report.contains(range.endContainer)) return;
    const first = before(report, range.startContainer, range.startOffset);
    const whole = before(report, range.endContainer, range.endOffset);
    if (!whole.slice(first.length).trim()) return;
    start.value = count(first);
    end.value = count(whole);
    words.value = whole.slice(first.length).replace(/\s+/g, " ").trim();
  };
  document.addEventListener("selectionchange", take);
  document.addEventListener("keydown", take, { capture: true }); // a key may move on before the change is told
  words.addEventListener("input", () => { start.value = end.value = ""; });
}
