// The page in Firefox: puppeteer has no locators by role that reach through shadow roots over BiDi, so names are
// looked up in the page itself, as the accessible name computation has it for the few kinds that are used here.
import { LONG, PATIENCE, until } from './wait.mjs'

/** In the page: the first element of `selector` with that name, through open shadow roots. */
const FIND = `(selector, name) => {
  const text = node => (node.innerText ?? node.textContent ?? '').trim()
  const labelOf = element => {
    const by = element.getAttribute('aria-labelledby')?.split(' ').map(id => element.getRootNode().getElementById(id))
    return element.getAttribute('aria-label') ?? (by ? by.map(text).join(' ') : undefined) ??
      (element.labels?.length ? text(element.labels[0]) : undefined) ?? text(element)
  }
  const roots = [document]
  for (const root of roots) {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) roots.push(element.shadowRoot)
      if (element.matches(selector) && (name === undefined || labelOf(element).trim() === name)) return element
    }
  }
  return null
}`

const BUTTON = 'button, [role=button], input[type=submit]'

export class FirefoxPage {
  /** @param {import('puppeteer-core').Page} page */
  constructor (page) {
    this.page = page
  }

  static async open (fox) {
    return new FirefoxPage(await fox.tab())
  }

  async goto (url) {
    const before = this.page.url()
    await this.page.goto(url)
    // A change of the hash alone loads nothing: the page follows it by itself.
    if (before.split('#')[0] === url.split('#')[0]) await until('the address changed', () => this.page.url() === url)
  }

  async reload () {
    await this.page.reload()
  }

  async #find (selector, name, limit = PATIENCE) {
    return await until(`${selector} called ${name}`, async () => {
      const handle = await this.page.evaluateHandle(`(${FIND})(${JSON.stringify(selector)}, ${JSON.stringify(name)})`)
      return handle.asElement() ?? false
    }, limit)
  }

  async heading (name) {
    await this.#find('h1, h2, h3, h4, [role=heading]', name, LONG)
  }

  async text (wanted) {
    await until(`the page shows ${wanted}`, () => this.page.evaluate(text => {
      const roots = [document.body]
      for (const root of roots) {
        if (root.textContent.includes(text)) return true
        for (const element of root.querySelectorAll('*')) if (element.shadowRoot) roots.push(element.shadowRoot)
      }
      return false
    }, wanted), LONG)
  }

  async press (name) {
    const button = await this.#find(BUTTON, name, LONG)
    await until(`${name} can be pressed`, () => button.evaluate(element => !element.matches(':disabled, [aria-disabled]')), LONG)
    await button.evaluate(element => element.click())
  }

  async choose (name, path) {
    const input = await this.#find('input[type=file]', name)
    await input.uploadFile(path)
  }

  /** The link to share, once it names a way to this tab. */
  async link () {
    const field = await this.#find('input, textarea', 'Link to share', LONG)
    return await until('the link says from whom', async () => {
      const value = await field.evaluate(element => element.value)
      return /[?&]from=/.test(value) ? value : false
    }, LONG)
  }
}
