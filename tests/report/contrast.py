"""How much the texts of a page stand out from what is behind them, also in its charts."""

import re

# Own text of each element: its colour, the layers behind it from the top, its HTML. In a chart the
# layers are what is painted at its middle, elsewhere the backgrounds of what holds it.
_LOOK = '''() => {
  const own = (one) => Array.from(one.childNodes).some(n => n.nodeType === 3 && n.data.trim());
  const of = (style) => getComputedStyle(style);
  const ground = (one) => [of(one).backgroundColor, 1];
  function around(one) {
    const found = [];
    for (let up = one; up; up = up.parentElement) found.push(ground(up));
    return found;
  }
  function below(one) {
    const box = one.getBoundingClientRect();
    return document.elementsFromPoint(box.x + box.width / 2, box.y + box.height / 2)
      .filter(each => !each.closest('text'))
      .map(each => each instanceof SVGGeometryElement
        ? [of(each).fill, +of(each).fillOpacity] : ground(each));
  }
  return Array.from(document.querySelectorAll('body *'), function (one) {
    if (!own(one) || !one.getClientRects().length) return null;
    const chart = one.closest('svg');
    if (chart && one.tagName !== 'text') return null;
    return [chart ? of(one).fill : of(one).color, chart ? below(one) : around(one),
            one.outerHTML.slice(0, 90)];
  }).filter(Boolean);
}'''


def contrasts(page):
    """[(contrast by WCAG 2.2, HTML)] of all texts that are shown, in charts at the end."""
    size = page.viewport_size
    height = page.evaluate('document.documentElement.scrollHeight')
    page.set_viewport_size(dict(width=size['width'], height=height))  # all of it can be hit
    found = [(_contrast(colour, layers), html) for colour, layers, html in page.evaluate(_LOOK)]
    page.set_viewport_size(size)
    return found


def _contrast(colour, layers):
    high, low = sorted((_luminance(_numbers(colour)), _luminance(_mixed(layers))), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _numbers(colour):
    return [] if colour == 'none' else [float(v) for v in re.findall(r'[\d.]+', colour)]


def _mixed(layers):
    """The colour of layers that lie on each other, from the top, each more or less opaque."""
    mixed, left = [0., 0., 0.], 1.
    for colour, opacity in layers:
        if not (parts := _numbers(colour)):
            continue
        share = left * opacity * (parts[3] if len(parts) > 3 else 1)
        mixed = [m + share * part for m, part in zip(mixed, parts, strict=False)]
        left -= share
    assert left < 1e-6, 'something is behind everything'
    return mixed


def _luminance(colour):
    parts = [v / 255 for v in colour[:3]]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
