# The sides of the street: facades with windows, brick walls, fences of bars, hedges and rows of
# trees.

import numpy as np

from segplug.datasets.minicity.canvas import depth
from segplug.datasets.minicity.draws import Stream, noise

_PLASTER = (
    (196, 178, 148),
    (158, 96, 78),
    (176, 182, 188),
    (134, 140, 128),
    (206, 196, 186),
    (120, 128, 142),
    (168, 132, 96),
    (92, 88, 92),
    (186, 152, 140),
    (146, 152, 112),
    (88, 112, 70),
    (104, 130, 160),
    (60, 76, 66),
    (214, 214, 220),
)
_BOARDS = (
    (58, 68, 80),
    (198, 40, 42),
    (34, 80, 164),
    (236, 236, 232),
    (232, 178, 44),
    (34, 96, 62),
    (28, 30, 32),
    (228, 120, 50),
)
_LEAVES = (
    (62, 92, 44),
    (84, 112, 52),
    (104, 106, 50),
    (50, 76, 52),
    (132, 100, 52),
    (118, 122, 84),
    (150, 78, 50),
    (166, 134, 62),
    (96, 84, 74),
)


def draw_segment(canvas, segment):
    """The near end of a block of houses or trees first, as far as it looks over its neighbour; then
    its front."""
    faces = [canvas.side(segment.x, segment.z_near, segment.z_far, segment.top * 5 // 4)]
    if segment.kind in ('building', 'hedge'):
        edges = sorted((segment.x, segment.x + (7000 if segment.x > 0 else -7000)))
        faces.insert(0, canvas.frontal(*edges, depth(segment.z_near), segment.top * 5 // 4))
        faces[0].light = 205
    for face in faces:
        if 0 not in canvas.label[face.rows, face.cols].shape:
            _KINDS[segment.kind](face, segment, Stream(segment.style))


def _building(face, segment, draw):
    a, h, colour = face.a, face.h, draw.jitter(draw.pick(_PLASTER), 22)
    inside = (h >= 0) & (h < segment.top)
    face.paint(inside, colour, 250 + (noise('cloud', a, h, 6, draw.bits()) >> 3))
    storey, bay = draw.between(2900, 3500), draw.between(2000, 2900)
    up, across = (h - 400) % storey, a % bay
    wide = draw.between(950, 1300)
    margin = (bay - wide) // 2
    frame = (
        inside & (up > 700) & (up < 2500) & (across > margin - 130) & (across < margin + wide + 130)
    )
    face.paint(frame, draw.pick(((232, 230, 222), (70, 60, 54), (206, 190, 160))))
    glass = frame & (up > 830) & (up < 2370) & (across > margin) & (across < margin + wide)
    lit = (((a // bay) * 7 + (h // storey) * 13 + segment.style % 5) % 5 == 0) & draw.chance(40)
    face.paint(glass, draw.jitter((54, 66, 82), 18), 230 + (up >> 5))
    face.paint(glass & lit, (238, 206, 128))
    face.paint(inside & (h > segment.top - 420), colour, 150)
    face.paint(inside & (h < 500), colour, 170)
    if draw.chance(45):  # a shop: its board, an awning in two colours, a wide pane
        board, stripe = draw.jitter(draw.pick(_BOARDS), 24), draw.jitter(draw.pick(_BOARDS), 24)
        face.paint(inside & (h > 500) & (h < 2250), _BOARDS[0], 200 + (h >> 5))
        face.paint(inside & (h > 2250) & (h < 2900), board, np.where(a % 700 < 350, 256, 216))
        face.paint(inside & (h > 2900) & (h < 3500), stripe)
    face.tag(inside, 'building')


def _wall(face, segment, draw):
    # courses of large stones, each of its own tone, under a coping
    a, h = face.a, face.h
    colour = draw.jitter(
        draw.pick(
            ((164, 104, 84), (150, 146, 138), (176, 156, 122), (112, 104, 100), (190, 186, 178))
        ),
        20,
    )
    inside = (h >= 0) & (h < segment.top)
    course = h // 380
    shifted = a + (course & 1) * 420
    tone = ((shifted // 840) * 37 + course * 53) % 7 * 12
    mortar = (h % 380 < 75) | (shifted % 840 < 90)
    face.paint(inside, colour, np.where(mortar, 330, 190 + tone))
    face.paint(inside & (h > segment.top - 200), colour, 150)
    face.tag(inside, 'wall')


def _fence(face, segment, draw):
    # upright bars between two rails; what is seen between the bars is fence as well, as in the
    # official labels
    a, h = face.a, face.h
    inside = (h >= 0) & (h < segment.top)
    light = draw.pick(((222, 220, 212), (48, 56, 52), (142, 104, 70), (150, 156, 162)))
    colour = draw.jitter(light, 16)
    face.paint(
        inside, draw.jitter((96, 98, 88), 30), 200 + (noise('leaf', a, h, 5, draw.bits()) >> 2)
    )
    bars = inside & (a % 560 < 230)
    rails = inside & ((np.abs(h - 350) < 90) | (np.abs(h - segment.top + 250) < 90))
    face.paint(bars, colour, 256 - (a % 560 >> 2))
    face.paint(rails, colour, 220)
    face.tag(inside, 'fence')


def _hedge(face, segment, draw):
    a, h = face.a, face.h
    rough = noise('leaf', a, h, 4, draw.bits())
    crowns = np.abs(a % 6000 - 3000)
    inside = (h >= 0) & (h < segment.top - (crowns >> 2) + rough * 6)
    leaves(face, inside, draw)


def leaves(face, mask, draw):
    """Foliage in mask: clumps with dark gaps."""
    colour = draw.jitter(draw.pick(_LEAVES), 18)
    clumps = noise('leaf', face.a, face.h, 5, draw.bits())
    fine = noise('leaf', face.a, face.h, 3, draw.bits())
    face.paint(mask, colour, 250 + clumps + (fine >> 1))
    face.tag(mask, 'vegetation')


_KINDS = {'building': _building, 'wall': _wall, 'fence': _fence, 'hedge': _hedge}


def draw_backdrop(canvas, scene):
    """What closes the street at its far end: a row of blocks, some of them trees."""
    draw = Stream(scene.style, 4)
    g = 62
    left = -140000
    while left < 140000:
        width, top = draw.between(9000, 26000), draw.between(7000, 24000)
        face = canvas.frontal(left, left + width, g, top)
        if draw.chance(65):
            face.paint(True, draw.jitter(draw.pick(_PLASTER), 20), 230)
            face.paint((face.a % 3000 > 1500) & (face.h % 3400 > 1500), (70, 80, 92))
            face.tag(True, 'building')
        else:
            leaves(face, face.ellipse(width // 2, 0, width // 2, top), draw)
        left += width
