// Copying. On plain http the browser offers no clipboard: the older way is tried, and the text is left selected.

/**
 * @param {string} text
 * @param {HTMLInputElement} [field] shows the text, and is left selected when nothing else works
 * @returns {Promise<boolean>} whether it is in the clipboard
 */
export async function copyText(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text, field);
  }
}

function copyBySelection(/** @type {string} */ text, /** @type {HTMLInputElement | undefined} */ field) {
  const focused = document.activeElement;
  const shown = field ?? temporaryField(text);
  shown.focus();
  shown.select();
  let copied = false;
  try {
    copied = document.execCommand('copy');
  } catch {
    // Then it stays selected, for Ctrl+C.
  }
  if (!field) shown.remove();
  if ((copied || !field) && focused instanceof HTMLElement) focused.focus();
  return copied;
}

function temporaryField(/** @type {string} */ text) {
  const field = document.createElement('input');
  field.value = text;
  field.className = 'offscreen';
  document.body.append(field);
  return field;
}
