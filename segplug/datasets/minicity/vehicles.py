# Cars, trucks, buses and trains: a flank and an end, each drawn on a Face. Paint is any colour for
# all four; what tells them apart is shape and pattern (ribs on trucks, a band of windows on buses,
# thin stripes on trains).

import numpy as np

from segplug.datasets.minicity.canvas import depth
from segplug.datasets.minicity.draws import Stream, noise

_PAINT = (
    (178, 34, 32),
    (34, 62, 128),
    (226, 226, 224),
    (38, 40, 44),
    (142, 146, 150),
    (44, 104, 72),
    (222, 176, 42),
    (118, 72, 50),
    (96, 138, 176),
    (196, 108, 48),
    (108, 50, 86),
    (208, 198, 172),
)
_GLASS = (40, 52, 66)
_TYRE = (26, 26, 28)


def draw_vehicle(canvas, thing, number):
    """Draw a Thing of kind car, truck, bus or train: flank first, then the end that is turned to
    the camera."""
    flank, end = _SHAPES[thing.kind]
    draw = Stream(thing.style)
    paint, second = draw.jitter(draw.pick(_PAINT), 20), draw.jitter(draw.pick(_PAINT), 20)
    look = {
        'paint': paint,
        'second': second,
        'front': draw.chance(50),
        'seed': draw.bits(),
        'top': thing.top,
        'along': thing.length > 0,
    }

    def finish(face, part, length):
        if 0 not in canvas.label[face.rows, face.cols].shape:
            face.tag(part(face, length, look), thing.kind, number)

    canvas.contact_shadow(thing.left, thing.right, thing.g)
    if not thing.length:
        flip = bool(look['seed'] & 1)
        finish(
            canvas.frontal(thing.left, thing.right, thing.g, thing.top, flip=flip),
            flank,
            thing.right - thing.left,
        )
        return
    z = depth(thing.g)
    if thing.left > 150 or thing.right < -150:
        x = thing.left if thing.left > 0 else thing.right
        finish(canvas.side(x, z, z + thing.length, thing.top), flank, thing.length)
    finish(
        canvas.frontal(thing.left, thing.right, thing.g, thing.top), end, thing.right - thing.left
    )


def _wheels(face, places, radius):
    shape = False
    for a in places:
        tyre = face.ellipse(a, radius, radius, radius)
        face.paint(tyre, _TYRE)
        face.paint(face.ellipse(a, radius, radius * 5 // 9, radius * 5 // 9), (150, 152, 156))
        shape = shape | tyre
    return shape


def _lamps(face, width, h, look, size=190):
    lamps = ((face.a < size * 2) | (face.a >= width - size * 2)) & (np.abs(face.h - h) < size)
    face.paint(
        lamps & (face.a > 40) & (face.a < width - 40),
        (250, 244, 214) if look['front'] else (206, 30, 26),
    )


def _gloss(face, look):
    # the sky mirrored in the upper part of a panel, the ground in the lower
    return (
        200 + np.clip(face.h >> 4, 0, 80) + (noise('cloud', face.a, face.h, 6, look['seed']) >> 4)
    )


def _car_flank(face, length, look):
    top = look['top']
    # seen along the street the tail is upright, so that it meets the end that is turned to the
    # camera
    waist, rear, front = 900, -420 if look['along'] else length * 6 // 100, length * 76 // 100
    body = face.box(0, length - 60, 230, waist) & ~face.above((length - 900, waist), (length, 640))
    cabin = (face.h >= waist) & (face.h < top - 20)
    cabin = (
        cabin
        & ~face.above((rear - 60, waist), (rear + 420, top))
        & ~face.above((front - 900, top), (front + 100, waist))
    )
    face.paint(body | cabin, look['paint'], _gloss(face, look))
    glass = (
        cabin
        & (face.h < top - 140)
        & (face.a > max(rear, -180) + 330)
        & (face.a < front - 330)
        & (np.abs(face.a - length * 2 // 5) > 60)
    )
    face.paint(glass, _GLASS, 220 + (face.h >> 4))
    face.paint(body & (face.h < 330), (40, 40, 42))
    face.paint(face.box(length - 380, length - 90, 560, 700), (250, 240, 206))
    face.paint(face.box(60, 260, 640, 800), (190, 30, 28))
    return body | cabin | _wheels(face, (length * 19 // 100, length * 80 // 100), 340)


def _car_end(face, width, look):
    top, slope = look['top'], 130
    body = face.box(0, width, 240, 930)
    cabin = face.box(0, width, 930, top)
    cabin = (
        cabin
        & ~face.above((0, 930), (slope, top))
        & ~face.above((width - slope, top), (width, 930))
    )
    tyres = face.box(60, 330, 0, 300) | face.box(width - 330, width - 60, 0, 300)
    face.paint(body | cabin, look['paint'], _gloss(face, look))
    glass = (
        cabin
        & (face.h > 960)
        & (face.h < top - 110)
        & (face.a > slope + 40)
        & (face.a < width - slope - 40)
    )
    face.paint(glass, _GLASS, 210 + (face.h >> 4))
    face.paint(face.box(0, width, 240, 420), (46, 46, 50))
    face.paint(tyres, _TYRE)
    face.paint(face.box(width // 2 - 280, width // 2 + 280, 470, 590), (232, 232, 226))
    _lamps(face, width, 740, look, 130)
    return body | cabin | tyres


def _truck_flank(face, length, look):
    top, cab = look['top'], length - 1900
    cargo = face.box(0, cab - 150, 900, top)
    face.paint(cargo, look['paint'], np.where(face.a % 620 < 310, 290, 176))
    face.paint(cargo & (face.h > top - 160), look['paint'], 140)
    house = face.box(cab, length, 450, top - 500) & ~face.above(
        (length - 500, top - 500), (length, top - 1500)
    )
    face.paint(house, look['second'], _gloss(face, look))
    face.paint(house & face.box(cab + 350, length - 200, 1750, top - 800), _GLASS)
    chassis = face.box(100, length, 420, 900)
    face.paint(chassis & ~house, (44, 44, 46))
    return cargo | house | chassis | _wheels(face, (1000, 2200, length - 1100), 500)


def _truck_end(face, width, look):
    top = look['top']
    box = face.box(0, width, 800, top)
    low = face.box(60, width - 60, 350, 800)
    tyres = face.box(100, 560, 0, 450) | face.box(width - 560, width - 100, 0, 450)
    face.paint(box, look['paint'], np.where((face.a + 155) % 620 < 310, 290, 176))
    face.paint(box & (np.abs(face.a - width // 2) < 50), (40, 40, 42))
    face.paint(box & ((face.h > top - 160) | (face.h < 960)), look['paint'], 130)
    face.paint(low, (48, 48, 50))
    face.paint(low & ((face.a + face.h) % 400 < 200) & (face.h > 560), (226, 190, 50))
    face.paint(tyres, _TYRE)
    _lamps(face, width, 680, look, 110)
    return box | low | tyres


def _bus_flank(face, length, look):
    top = look['top']
    body = face.box(0, length, 330, top)
    face.paint(body, look['paint'], _gloss(face, look))
    face.paint(face.box(0, length, 700, 1080), look['second'])
    band = face.box(150, length - 100, 1350, 2620)
    face.paint(band, _GLASS, 220 + (face.h >> 5))
    face.paint(band & (face.a % 1500 < 150), (18, 20, 24))
    face.paint(band & ((face.a + face.h // 2) % 1500 < 330), (120, 140, 156))
    doors = face.box(length - 1500, length - 300, 400, 2620) | face.box(
        length // 2 - 600, length // 2 + 600, 400, 2620
    )
    face.paint(doors, (58, 66, 76), np.where(face.a % 600 < 90, 100, 256))
    return body | _wheels(face, (length * 22 // 100, length * 78 // 100), 480)


def _bus_end(face, width, look):
    top = look['top']
    body = face.box(0, width, 330, top)
    tyres = face.box(120, 480, 0, 340) | face.box(width - 480, width - 120, 0, 340)
    face.paint(body, look['paint'], _gloss(face, look))
    screen = face.box(130, width - 130, 1150, 2560)
    face.paint(screen, _GLASS, 210 + (face.h >> 5))
    face.paint(screen & (np.abs(face.a - width // 2) < 40), (20, 20, 22))
    face.paint(screen & ((face.a + face.h) % 2100 < 420), (112, 132, 150))
    face.paint(face.box(300, width - 300, top - 480, top - 140), (20, 18, 16))
    face.paint(
        face.box(420, width - 420, top - 400, top - 220) & (face.a % 260 < 180), (250, 160, 40)
    )
    face.paint(face.box(0, width, 700, 1000), look['second'])
    face.paint(tyres, _TYRE)
    _lamps(face, width, 560, look, 130)
    return body | tyres


def _train_livery(face, mask, look):
    # thin stripes all along the lower half: the mark of a train here
    face.paint(mask, look['paint'], _gloss(face, look))
    face.paint(mask & (face.h < 1700) & (face.h % 440 < 220), look['second'], 256)
    face.paint(mask & (face.h < 1700) & (face.h % 440 >= 220), (228, 226, 220))
    face.paint(
        mask & (face.h > look['top'] - 380), (86, 88, 92), np.where(face.a % 500 < 250, 290, 200)
    )


def _train_flank(face, length, look):
    body = face.box(0, length, 250, look['top'])
    _train_livery(face, body, look)
    windows = face.box(0, length, 1850, 2850)
    face.paint(windows & (face.a % 1900 > 500), _GLASS, 230 + (face.h >> 5))
    face.paint(
        face.box(0, length, 400, 2950) & (face.a % 7600 > 6100),
        (74, 80, 88),
        np.where(face.a % 760 < 90, 90, 256),
    )
    skirt = face.box(0, length, 0, 430)
    face.paint(skirt, (52, 48, 46), np.where(face.a % 900 < 300, 180, 256))
    return body | skirt


def _train_end(face, width, look):
    top = look['top']
    body = (
        face.box(0, width, 250, top)
        & ~face.above((0, top - 700), (450, top))
        & ~face.above((width - 450, top), (width, top - 700))
    )
    _train_livery(face, body, look)
    face.paint(body & face.box(260, width - 260, 1850, 2950), _GLASS, 210 + (face.h >> 5))
    face.paint(face.ellipse(width // 2, top - 380, 170, 170), (255, 250, 220))
    skirt = face.box(100, width - 100, 0, 430)
    face.paint(skirt, (46, 44, 44))
    _lamps(face, width, 1500, look, 120)
    return body | skirt


_SHAPES = {
    'car': (_car_flank, _car_end),
    'truck': (_truck_flank, _truck_end),
    'bus': (_bus_flank, _bus_end),
    'train': (_train_flank, _train_end),
}
