# What does not stand up: sky, the bands of the ground and their marks, the shadow of the houses,
# the car's own bonnet.

import numpy as np

from segplug.datasets.minicity.canvas import UNITS_X, UNITS_Y, Face
from segplug.datasets.minicity.draws import Stream, noise


def draw_sky(canvas, scene):
    """A gradient with clouds, down to the horizon."""
    face = canvas.screen(0, scene.horizon)
    draw = Stream(scene.style, 1)
    share = face.h * 256 // scene.horizon
    cloud = noise('cloud', face.a, face.h * 3, 4 + draw.between(0, 1), draw.bits())
    cover = np.clip(cloud * 2 - draw.between(-90, 110), 0, 150)
    top, low = scene.sky
    white = draw.pick(((244, 244, 246), (214, 214, 220), (250, 226, 204)))
    colour = [t + ((b - t) * share >> 8) for t, b in zip(top, low, strict=True)]
    face.paint(True, [c + ((w - c) * cover >> 8) for c, w in zip(colour, white, strict=True)])
    face.tag(True, 'sky')


def draw_ground(canvas, scene):
    """All bands, each with its own texture; then the shadow that the sunny side's houses cast."""
    face = canvas.ground()
    draw = Stream(scene.style, 2)
    colours = {kind: _colour(draw, kind) for kind in _BANDS}
    seed = draw.bits()
    for band in scene.bands:
        if band.kind == 'cross track':
            _rails(face, (face.h >= band.left) & (face.h < band.right), band, face.h, face.a)
            continue
        mask = (face.a >= band.left) & (face.a < band.right)
        if band.kind == 'rail track':
            _rails(face, mask, band, face.a, face.h)
            continue
        part = _columns(face, mask)
        if part is not None:
            _BANDS[band.kind](*part, colours[band.kind], seed, band)
            part[0].tag(part[1], band.kind)
    _marks(face, scene, draw)
    _shadow(face, scene, draw)


def _columns(face, mask):
    # only the columns and rows that the band touches: a band is often a small part of the picture
    cols, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(cols):
        return None
    c, r = slice(int(cols[0]), int(cols[-1]) + 1), slice(int(rows[0]), int(rows[-1]) + 1)
    left, top = face.cols.start or 0, face.rows.start
    part = Face(
        face.canvas,
        slice(top + r.start, top + r.stop),
        slice(left + c.start, left + c.stop),
        face.a[r, c],
        face.h[r],
        face.fog[r],
        face.light,
    )
    return part, mask[r, c]


def _colour(draw, kind):
    grey = draw.between(70, 150)
    warm = draw.between(-8, 26)
    stone = (grey + warm, grey, grey - warm // 2)
    grass = draw.pick(
        (
            (92, 122, 52),
            (124, 124, 70),
            (132, 108, 76),
            (84, 92, 68),
            (150, 138, 104),
            (112, 104, 96),
            (136, 98, 78),
        )
    )
    return draw.jitter(grass if kind == 'terrain' else stone, 18)


def _asphalt(face, mask, colour, seed, band):
    grain = noise('leaf', face.a, face.h, 2, seed)
    worn = noise('cloud', face.a, face.h >> 2, 5, seed)
    face.paint(mask, colour, 250 + (grain >> 4) + (worn >> 4))


def _slabs(face, mask, colour, seed, band):
    # paving in a checker of two tones, 900 mm, with dark joints and a light kerb along both edges
    a, h = face.a + 200000, face.h
    tone = ((a // 900 + h // 1400) & 1) * 76
    joint = (a % 900 < 90) | (h % 1400 < 150)
    grain = noise('leaf', face.a, face.h, 3, seed) >> 4
    face.paint(mask, colour, np.where(joint, 160, 216 + tone) + grain)
    inner = band.left if abs(band.left) < abs(band.right) else band.right
    face.paint(mask & (np.abs(face.a - inner) < 160), (178, 176, 170), 256 + grain)


def _grass(face, mask, colour, seed, band):
    blades = noise('leaf', face.a, face.h >> 2, 4, seed)
    patch = noise('cloud', face.a, face.h >> 1, 5, seed >> 7)
    face.paint(mask, colour, 256 + (blades * 3 >> 2) + (patch >> 2))


def _bays(face, mask, colour, seed, band):
    _asphalt(face, mask, colour, seed, band)
    face.paint(mask & (face.h % 5000 < 260), (222, 222, 216))


def _rails(face, mask, band, across, along):
    # two bright rails on a bed with sleepers, along the street or across it
    middle, gauge = (band.left + band.right) // 2, 720
    face.paint(mask, (104, 92, 82), 200 + np.where(along % 900 < 420, 76, 0))
    face.paint(mask & (np.abs(np.abs(across - middle) - gauge) < 110), (206, 204, 200))
    face.tag(mask, 'rail track')


_BANDS = {
    'road': _asphalt,
    'sidewalk': _slabs,
    'terrain': _grass,
    'parking': _bays,
    'ground': _asphalt,
}


def _marks(face, scene, draw):
    # a dashed middle line, and in some streets a zebra crossing
    road = face.canvas.label[face.rows, face.cols] == 7
    paint = (226, 226, 218)
    if draw.chance(80):
        face.paint(
            road & (np.abs(face.a - draw.between(-300, 300)) < 90) & (face.h % 6000 < 3200), paint
        )
    if draw.chance(35):
        start = draw.between(5000, 9000)
        face.paint(
            road & (face.h > start) & (face.h < start + 2600) & ((face.a + 90000) % 1100 < 520),
            paint,
        )


def _shadow(face, scene, draw):
    if scene.sun == 0:
        return
    rough = noise('cloud', face.h, face.a, 4, draw.bits()) * 10
    face.darken((face.a * scene.sun + rough) > draw.between(-500, 3500), draw.between(150, 195))


def draw_frame(canvas, scene):
    """The car's own bonnet at the bottom and the strip that the camera's rectification leaves: both
    ignored regions."""
    draw = Stream(scene.style, 3)
    high, dark = draw.between(170, 330), draw.between(24, 70)
    face = canvas.screen(UNITS_Y - 400, UNITS_Y)
    bonnet = face.ellipse(UNITS_X // 2 + draw.between(-200, 200), UNITS_Y, UNITS_X * 5 // 8, high)
    face.paint(bonnet, draw.jitter((dark, dark, dark + 4), 12), 256 + (UNITS_Y - face.h) * 2 // 3)
    face.tag(bonnet, 'ego vehicle')
    whole = canvas.screen(0, UNITS_Y)
    edge = (whole.a < 72) | (whole.h < 40) | (whole.h >= UNITS_Y - 24)
    whole.paint(edge, (4, 4, 6))
    whole.tag(edge, 'out of roi')
