'use strict';
// Light or dark: what the system says, until the button is pressed; the choice is kept where a
// page of the disk may keep one.
(function () {
  const root = document.documentElement;
  root.classList.add('js');
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  try { chosen = localStorage.getItem('segplug-theme'); } catch (error) { chosen = null; }
  function show() {
    const dark = chosen ? chosen === 'dark' : system.matches;
    root.dataset.theme = dark ? 'dark' : 'light';
    const button = document.getElementById('theme');
    if (!button) return;
    button.hidden = false;
    button.textContent = dark ? 'Light' : 'Dark';
    button.setAttribute('aria-label', dark ? 'Use light colours' : 'Use dark colours');
  }
  show();
  system.addEventListener('change', show);
  document.addEventListener('DOMContentLoaded', function () {
    show();
    document.getElementById('theme').addEventListener('click', function () {
      chosen = root.dataset.theme === 'dark' ? 'light' : 'dark';
      try { localStorage.setItem('segplug-theme', chosen); } catch (error) { /* not kept */ }
      show();
    });
  });
})();
