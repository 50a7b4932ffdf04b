// A file's text goes into the field, where one can see what will be sent; without a script it is pasted.
"use strict";
const field = document.getElementById("record");
const chooser = document.getElementById("file");
const line = chooser.closest("p");
const said = line.querySelector("[role=status]");

async function take(file) {
  if (!file) return;
  field.value = await file.text();
  said.textContent = ` ${file.name} is in the field.`;
  field.focus();
}

line.hidden = false;
chooser.addEventListener("change", () => take(chooser.files[0]));
field.addEventListener("dragover", (event) => { event.preventDefault(); field.classList.add("over"); });
field.addEventListener("dragleave", () => field.classList.remove("over"));
field.addEventListener("drop", (event) => {
  field.classList.remove("over");
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  take(event.dataTransfer.files[0]);
});
