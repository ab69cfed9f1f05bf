# People, two-wheelers and street furniture: things square to the camera, drawn on one frontal Face
# each.

import numpy as np

from segplug.datasets.minicity.draws import Stream, noise
from segplug.datasets.minicity.sides import leaves

_CLOTHES = (
    (172, 44, 42),
    (42, 66, 122),
    (218, 214, 206),
    (36, 38, 44),
    (82, 112, 70),
    (206, 168, 62),
    (122, 82, 58),
    (112, 134, 164),
    (150, 70, 110),
    (108, 108, 104),
)
_SKIN = ((232, 190, 160), (196, 146, 112), (142, 98, 72), (94, 64, 48))
_PLATES = (
    (30, 92, 60),
    (32, 76, 150),
    (232, 230, 224),
    (120, 76, 48),
    (230, 180, 50),
    (110, 114, 118),
    (36, 38, 42),
)
_HAIR = ((34, 28, 26), (88, 60, 36), (182, 150, 92), (130, 128, 126))


def draw_upright(canvas, thing, numbers):
    """Draw a Thing that has no length. `numbers(class name)` gives the next instance number of a
    class."""
    draw = Stream(thing.style)
    face = canvas.frontal(thing.left, thing.right, thing.g, thing.top, flip=draw.chance(50))
    if 0 in canvas.label[face.rows, face.cols].shape:
        return
    if thing.kind not in ('pole', 'traffic light', 'traffic sign'):
        canvas.contact_shadow(thing.left, thing.right, thing.g)
    _KINDS[thing.kind](face, draw, numbers, thing)


def _person(face, draw, numbers, thing):
    shirt, trousers, skin = (
        draw.jitter(draw.pick(_CLOTHES), 20),
        draw.jitter(draw.pick(_CLOTHES), 20),
        draw.pick(_SKIN),
    )
    stride, c, tall = draw.between(60, 210), (thing.right - thing.left) // 2, thing.top
    hip, neck = tall * 48 // 100, tall * 82 // 100
    legs = face.bar((c - 60, hip), (c - stride, 60), 95) | face.bar(
        (c + 60, hip), (c + stride, 60), 95
    )
    torso = face.bar((c, hip + 130), (c, neck - 190), 215)
    arms = face.bar((c - 230, neck - 130), (c - 260, hip), 65) | face.bar(
        (c + 230, neck - 130), (c + 280, hip + 60), 65
    )
    head = face.ellipse(c, tall - 150, 125, 150)
    face.paint(legs, trousers, 235)
    face.paint(legs & (face.h < 110), (40, 34, 32))
    face.paint(arms, shirt, 200)
    face.paint(torso, shirt, 240 + (noise('leaf', face.a, face.h, 4, draw.bits()) >> 3))
    face.paint(head, skin)
    face.paint(head & (face.h > tall - 120), draw.pick(_HAIR))
    face.tag(legs | torso | arms | head, 'person', numbers('person'))


def _wheel(face, a, radius, thick, filled):
    ring = face.ellipse(a, radius, radius, radius)
    inner = face.ellipse(a, radius, radius - thick, radius - thick)
    face.paint(ring & ~inner, (28, 28, 30))
    if filled:
        face.paint(inner, (150, 150, 152))
        face.paint(face.ellipse(a, radius, 70, 70), (40, 40, 42))
    else:
        spokes = ((face.a - a + face.h - radius) % 150 < 34) | (
            (face.a - a - face.h + radius) % 150 < 34
        )
        face.paint(inner & spokes, (188, 188, 188))
    return ring


def _bicycle(face, draw, numbers, thing):
    colour = draw.jitter(draw.pick(_CLOTHES), 24)
    wheels = _wheel(face, 390, 370, 85, False) | _wheel(face, 1450, 370, 85, False)
    pedal, seat, head = (860, 330), (700, 880), (1290, 900)
    frame = (
        face.bar(pedal, seat, 48)
        | face.bar(pedal, head, 48)
        | face.bar(seat, head, 48)
        | face.bar((390, 370), pedal, 40)
        | face.bar((390, 370), seat, 36)
        | face.bar((1450, 370), (1270, 980), 44)
    )
    grip = face.bar((1200, 1030), (1380, 990), 44) | face.bar((590, 930), (820, 940), 55)
    face.paint(frame, colour)
    face.paint(grip, (36, 34, 34))
    face.tag(wheels | frame | grip, 'bicycle', numbers('bicycle'))


def _motorcycle(face, draw, numbers, thing):
    colour = draw.jitter(draw.pick(_CLOTHES), 24)
    wheels = _wheel(face, 390, 330, 150, True) | _wheel(face, 1720, 330, 150, True)
    block = face.bar((800, 430), (1260, 430), 200)
    body = face.bar((300, 760), (1150, 760), 150) | face.ellipse(1230, 850, 360, 210)
    fork = face.bar((1720, 330), (1480, 1000), 70) | face.bar((1330, 1080), (1540, 1030), 55)
    lamp = face.ellipse(1600, 900, 130, 130)
    face.paint(block, (112, 112, 116), np.where(face.h % 130 < 65, 300, 170))
    face.paint(body, colour, 220 + (face.h >> 4))
    face.paint(face.bar((330, 880), (860, 860), 80), (34, 32, 34))
    face.paint(fork, (70, 70, 74))
    face.paint(lamp, (248, 240, 206))
    face.tag(wheels | block | body | fork | lamp, 'motorcycle', numbers('motorcycle'))


def _rider(face, draw, numbers, hip, foot, hand, helmet):
    jacket, trousers = draw.jitter(draw.pick(_CLOTHES), 20), draw.jitter(draw.pick(_CLOTHES), 20)
    shoulder = (hip[0] + 260, hip[1] + 430)
    knee = (hip[0] + 380, (hip[1] + foot[1]) // 2 + 90)
    leg = face.bar(hip, knee, 125) | face.bar(knee, foot, 105)
    back = face.bar((hip[0] + 10, hip[1] + 80), shoulder, 220)
    arm = face.bar(shoulder, hand, 95)
    head = face.ellipse(shoulder[0] + 110, shoulder[1] + 290, 165, 175)
    face.paint(leg, trousers, 235)
    face.paint(back, jacket, 245)
    face.paint(back & ((face.a + face.h) % 300 < 130), jacket, 120)
    face.paint(arm, jacket, 200)
    face.paint(head, helmet)
    face.paint(head & (face.h < shoulder[1] + 290) & (face.a > shoulder[0] + 110), draw.pick(_SKIN))
    face.tag(leg | back | arm | head, 'rider', numbers('rider'))


def _cyclist(face, draw, numbers, thing):
    _bicycle(face, draw, numbers, thing)
    _rider(
        face,
        draw,
        numbers,
        (700, 960),
        (900, 250),
        (1290, 1040),
        draw.jitter(draw.pick(_CLOTHES), 20),
    )


def _motorcyclist(face, draw, numbers, thing):
    _motorcycle(face, draw, numbers, thing)
    _rider(
        face,
        draw,
        numbers,
        (700, 920),
        (1000, 330),
        (1430, 1060),
        draw.jitter(draw.pick(_CLOTHES), 20),
    )


def _post(face, c, radius, top, colour):
    mast = face.box(c - radius, c + radius, 0, top) | face.box(
        c - radius * 3 // 2, c + radius * 3 // 2, 0, 900
    )
    round_shade = 300 - np.abs(face.a - c + radius // 3) * 170 // radius
    face.paint(mast, colour, round_shade)
    face.tag(mast, 'pole')


def _mast_colour(draw):
    return draw.jitter(
        draw.pick(((120, 122, 124), (84, 90, 88), (150, 150, 146), (64, 74, 66), (142, 116, 90))),
        16,
    )


def _pole(face, draw, numbers, thing):
    c = (thing.right - thing.left) // 2
    _post(face, c, draw.between(150, 210), thing.top, _mast_colour(draw))


def _traffic_light(face, draw, numbers, thing):
    c, top = (thing.right - thing.left) // 2, thing.top
    _post(face, c, 125, top - 300, _mast_colour(draw))
    box = face.box(c - 300, c + 300, top - 1500, top - 20)
    face.paint(box, draw.jitter((34, 38, 36), 12))
    face.paint(
        box & ((np.abs(face.a - c) > 245) | (face.h < top - 1440) | (face.h > top - 80)),
        (216, 212, 200),
    )
    on = draw.between(0, 2)
    for place, colour in enumerate(((236, 44, 36), (246, 178, 40), (52, 206, 110))):
        lamp = face.ellipse(c, top - 290 - place * 470, 190, 190)
        face.paint(lamp, colour, 290 if place == on else 90)
    face.tag(box, 'traffic light')


def _traffic_sign(face, draw, numbers, thing):
    board = draw.jitter(draw.pick(_PLATES), 26)
    c, top, kind = (thing.right - thing.left) // 2, thing.top, draw.between(0, 4)
    _post(face, c, 115, top - 500, _mast_colour(draw))
    h = top - 620
    if kind == 0:  # prohibition: white in a red ring
        plate = face.ellipse(c, h, 600, 600)
        face.paint(plate, (206, 34, 40))
        face.paint(face.ellipse(c, h, 420, 420), (240, 240, 236))
        face.paint(face.box(c - 240, c + 240, h - 90, h + 90), (30, 30, 32))
    elif kind == 1:  # warning: a triangle
        plate = face.box(c - 700, c + 700, h - 500, h + 600)
        plate = (
            plate
            & ~face.above((c - 700, h - 500), (c, h + 600))
            & ~face.above((c, h + 600), (c + 700, h - 500))
        )
        face.paint(plate, (240, 238, 232))
        rim = plate & (
            (face.h < h - 330)
            | face.above((c - 480, h - 500), (c, h + 260))
            | face.above((c, h + 260), (c + 480, h - 500))
        )
        face.paint(rim, (206, 40, 40))
    elif kind == 2:  # order: a white arrow on a disc
        plate = face.ellipse(c, h, 600, 600)
        face.paint(plate, board)
        face.paint(face.bar((c - 250, h - 200), (c + 250, h + 200), 90), (240, 240, 240))
    elif kind == 3:  # priority: a yellow square on its corner
        plate = np.abs(face.a - c) + np.abs(face.h - h) < 640
        face.paint(plate, (240, 238, 232))
        face.paint(np.abs(face.a - c) + np.abs(face.h - h) < 440, (238, 186, 40))
    else:  # directions: a panel with lines of text
        plate = face.box(c - 900, c + 900, h - 480, h + 480)
        face.paint(plate, board)
        text = (245, 244, 236) if sum(board) < 420 else (34, 36, 44)
        face.paint(face.box(c - 760, c + 760, h - 380, h + 380) & (face.h % 300 < 130), text)
    face.tag(plate, 'traffic sign')


def _tree(face, draw, numbers, thing):
    c, top = (thing.right - thing.left) // 2, thing.top
    trunk = face.bar((c, 0), (c, 2600), 170)
    face.paint(
        trunk, draw.jitter((92, 74, 58), 14), 220 + (noise('leaf', face.a * 3, face.h, 4) >> 1)
    )
    face.tag(trunk, 'vegetation')
    edge = noise('leaf', face.a, face.h, 5, draw.bits()) << 12
    crown = face.distance(c, top - 2500, c, 2350) + edge < (3 << 18)
    leaves(face, crown, draw)


def _static(face, draw, numbers, thing):
    # a bin: ignored, as what is neither a class nor moves
    body = face.box(200, 900, 0, thing.top - 180)
    lid = face.bar((230, thing.top - 120), (870, thing.top - 120), 60)
    face.paint(body, draw.jitter((88, 96, 84), 30), np.where(face.a % 180 < 60, 180, 250))
    face.paint(lid, (48, 50, 50))
    face.tag(body | lid, 'static')


def _dynamic(face, draw, numbers, thing):
    # a suitcase on wheels: ignored, as what is no class but may move
    case = face.box(220, 680, 110, 760)
    handle = face.bar((360, 800), (360, 930), 30) | face.bar((540, 800), (540, 930), 30)
    face.paint(case, draw.jitter(draw.pick(_CLOTHES), 20), np.where(face.h % 160 < 50, 190, 256))
    face.paint(handle, (60, 60, 62))
    face.tag(case | handle, 'dynamic')


_KINDS = {
    'person': _person,
    'cyclist': _cyclist,
    'motorcyclist': _motorcyclist,
    'bicycle': _bicycle,
    'motorcycle': _motorcycle,
    'traffic light': _traffic_light,
    'traffic sign': _traffic_sign,
    'pole': _pole,
    'tree': _tree,
    'static': _static,
    'dynamic': _dynamic,
}
