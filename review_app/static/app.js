// Keys, the time on screen, where focus goes after a swap. Every page works without this file.
(function () {
  'use strict'
  let opened = Date.now()

  const item = () => document.querySelector('[data-item]')

  const typing = (target) => target instanceof Element && target.closest('input:not([type=checkbox]), textarea, select, [contenteditable]')

  const act = (action) => {
    const found = document.querySelector(`[data-action="${action}"]`)
    if (found) found.click()
    return Boolean(found)
  }

  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat || typing(event.target)) return
    const here = item()
    if (!here || here.dataset.shortcuts !== 'on') return
    const key = event.key.toLowerCase()
    if (/^[1-9]$/.test(key)) {
      const tick = document.getElementById(`tick-${key}`)
      if (tick) { tick.checked = !tick.checked; tick.focus(); event.preventDefault() }
      return
    }
    const keys = JSON.parse(here.dataset.keys)
    const action = Object.keys(keys).find((name) => keys[name] && keys[name] === key)
    if (action && act(action)) event.preventDefault()
  })

  // filled before htmx gathers the form (it listens on the form itself), and for a plain post
  document.addEventListener('click', (event) => {
    const button = event.target instanceof Element && event.target.closest('button[name=verdict]')
    const field = button && button.form && button.form.elements.namedItem('seconds')
    if (field) field.value = ((Date.now() - opened) / 1000).toFixed(1)
  }, true)

  document.addEventListener('htmx:afterSwap', () => {
    opened = Date.now()
    const heading = document.querySelector('.govuk-error-summary') || document.querySelector('#app-page h1')
    if (heading) {
      heading.setAttribute('tabindex', '-1')
      heading.focus({ preventScroll: true })
    }
    window.scrollTo(0, 0)
  })

  document.addEventListener('htmx:sendError', () => {
    const said = document.querySelector('#app-page [role=status]')
    if (said) {
      said.className = 'app-flash'
      said.textContent = 'The server did not answer. Nothing was saved: try again.'
    }
  })

  // a page out of the browser's memory may be stale: ask for it anew
  window.addEventListener('pageshow', (event) => { if (event.persisted) window.location.reload() })
})()
