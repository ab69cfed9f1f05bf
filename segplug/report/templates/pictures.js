'use strict';
// The line in the pictures of #pictures, and what stands on either side of it.
(function () {
  const pictures = document.getElementById('pictures');
  if (!pictures) return;
  function word(side) {
    const choice = pictures.querySelector('input[name="' + side + '"]:checked');
    return choice.parentElement.textContent.trim();
  }
  function cut(input) {
    const frame = input.closest('.shot').querySelector('.frame');
    frame.style.setProperty('--cut', input.value + '%');
    input.setAttribute('aria-valuetext', input.value + ' percent: '
      + word('left') + ' left, ' + word('right') + ' right');
  }
  const sliders = pictures.querySelectorAll('.slide input');
  for (const input of sliders) {
    input.addEventListener('input', () => cut(input));
    const frame = input.closest('.shot').querySelector('.frame');
    const drag = function (event) {
      if (event.type === 'pointermove' && !event.buttons) return;
      const box = frame.getBoundingClientRect();
      input.value = Math.round(100 * (event.clientX - box.left) / box.width);
      cut(input);
    };
    frame.addEventListener('pointerdown', drag);
    frame.addEventListener('pointermove', drag);
    frame.addEventListener('dragstart', (event) => event.preventDefault());
    cut(input);
  }
  for (const side of ['left', 'right']) {
    for (const choice of pictures.querySelectorAll('input[name="' + side + '"]')) {
      choice.addEventListener('change', function () {
        pictures.dataset[side] = choice.value;
        sliders.forEach(cut);
      });
    }
  }
  document.getElementById('strength').addEventListener('input', function (event) {
    pictures.style.setProperty('--strength', event.target.value / 100);
  });
})();
