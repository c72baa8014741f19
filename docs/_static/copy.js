// A button on each block of code that copies it; of a transcript, only the commands.
document.addEventListener("DOMContentLoaded", () => {
  if (!navigator.clipboard) return; // no secure context
  for (const block of document.querySelectorAll("div.highlight")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy-code";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(codeOf(block.querySelector("pre")));
        button.textContent = "Copied";
      } catch {
        button.textContent = "Not allowed";
      }
      setTimeout(() => (button.textContent = "Copy"), 2000);
    });
    button.setAttribute("aria-live", "polite");
    block.append(button);
  }
});

function codeOf(pre) {
  if (!pre.querySelector(".gp")) return pre.textContent;
  const copy = pre.cloneNode(true);
  for (const output of copy.querySelectorAll(".go")) output.remove();
  for (const prompt of copy.querySelectorAll(".gp")) prompt.textContent = "\0";
  const lines = copy.textContent.split("\n").filter((line) => line.startsWith("\0"));
  return lines.map((line) => line.slice(1).trimStart() + "\n").join("");
}
